"""A stage as a Prefect task: cached on what it is made from, trusted only while its tables still hold what it wrote."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import duckdb
from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger
from prefect.serializers import JSONSerializer

from flows.fanout import Cluster
from flows.progress import CURRENT
from tasks.errors import UserError
from tasks.fingerprint import code_hash, fingerprint
from tasks.settings import Domain, Home
from tasks.warehouse import StageRecord, bears, open_warehouse, record_stage, transaction

__all__ = ["NO_CACHE", "Context", "Stage", "run_stage"]


@dataclass(frozen=True)
class Context:
    """What every stage of one run works on; `cluster` writes the dialogues in place of this process if there is one."""

    home: Home
    domain: Domain
    run_id: str
    cluster: Cluster | None = None


def _keep_nothing(con: duckdb.DuckDBPyConnection, refused: UserError) -> None:
    """Leave a stage that was stopped as its rollback left it."""


@dataclass(frozen=True)
class Stage:
    """One stage: what it writes, the rooms whose code it depends on, and the function that does it in one transaction.

    Attributes:
        writes: tables, or selections of tables, whose content is the stage's result; the first one's rows are counted.
        settings: the part of the configuration the stage reads, as JSON data.
        work: fills the tables on an open connection and returns its counts as a dataclass.
        keep: writes what is wanted of work that a user's mistake stopped, after it was rolled back.
    """

    name: str
    writes: tuple[str, ...]
    rooms: tuple[str, ...]
    settings: Mapping[str, Any]
    work: Callable[[duckdb.DuckDBPyConnection], Any]
    keep: Callable[[duckdb.DuckDBPyConnection, UserError], None] = _keep_nothing

    def input_hash(self, upstream: tuple[StageRecord, ...]) -> str:
        """Return the hash of all the stage is made from: settings, code, and the content it reads."""
        return fingerprint([self.name, self.settings, code_hash(self.rooms), [record.output_hash for record in upstream]])


def _transient(task: Any, run: Any, state: Any) -> bool:
    """Retry what may pass: a file briefly locked or unreadable. A user's mistake or a bug stays."""
    return not isinstance(state.data, UserError) and isinstance(getattr(state.data, "exception", state.data), OSError | duckdb.IOException)


def cache_key(stage: Stage, input_hash: str) -> str:
    """Return the name under which Prefect keeps a stage's record in the domain's cache folder."""
    return f"{stage.name}-{input_hash}"


def _still_there(stage: Stage, context: Context, input_hash: str) -> bool:
    with open_warehouse(context.home.warehouse(context.domain.name)) as con:
        return bears(con, stage.name, input_hash)


@task(
    persist_result=True,
    result_serializer=JSONSerializer(),
    cache_key_fn=lambda context, parameters: cache_key(parameters["stage"], parameters["input_hash"]),
    retries=2,
    retry_delay_seconds=[1, 4],
    retry_jitter_factor=0.5,
    retry_condition_fn=_transient,
)
def _work(stage: Stage, context: Context, input_hash: str) -> dict[str, Any]:
    began = time.perf_counter()
    with open_warehouse(context.home.warehouse(context.domain.name)) as con:
        try:
            with transaction(con):
                counts = stage.work(con)
                record = record_stage(con, stage.name, input_hash, stage.writes, context.run_id)
        except UserError as refused:
            with transaction(con):
                stage.keep(con, refused)
            raise
    get_run_logger().info("%s: %s rows in %.1f s (%s)", stage.name, record.rows, time.perf_counter() - began, counts)
    return asdict(record)


async def run_stage(stage: Stage, context: Context, *upstream: StageRecord) -> StageRecord:
    """Run a stage, or take what it wrote before from the same inputs. Raises UserError."""
    input_hash = stage.input_hash(upstream)
    CURRENT.get().stage(stage.name, "running")
    folder = context.home.cache(context.domain.name)
    folder.mkdir(parents=True, exist_ok=True)
    trusted = (folder / cache_key(stage, input_hash)).exists() and _still_there(stage, context, input_hash)
    configured = _work.with_options(
        name=stage.name,
        task_run_name=f"{context.domain.name}-{stage.name}",
        result_storage=folder,
        refresh_cache=not trusted,
    )
    state = configured(stage, context, input_hash, return_state=True)
    record = StageRecord(**{**(found := await state.aresult()), "tables": tuple(found["tables"])})
    CURRENT.get().stage(stage.name, "cached" if state.name == "Cached" else "done", f"{record.rows:,} rows")
    return record

"""A stage as a Prefect task: cached on what it is made from, trusted only while its tables still hold what it wrote."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger
from prefect.serializers import JSONSerializer

from flows.dask_generation import Cluster
from flows.figures import counts_text
from flows.lineage_events import LineageRecorder, stage_events
from flows.progress import CURRENT
from tasks.errors import UserError
from tasks.settings import Domain, Home
from tasks.stage_inputs import StageInputs
from tasks.warehouse import (
    DATABASE_IO_ERROR,
    Connection,
    StageRecord,
    is_unchanged,
    open_warehouse,
    record_stage,
    transaction,
    why_redone,
)

__all__ = ["NO_CACHE", "Context", "Stage", "run_stage"]


@dataclass(frozen=True)
class Context:
    """What every stage of one run works on.

    Attributes:
        cluster: writes the dialogues in place of this process, if there is one.
        lineage: sends OpenLineage events, if they are wanted.
    """

    home: Home
    domain: Domain
    run_id: str
    cluster: Cluster | None = None
    lineage: LineageRecorder | None = None


def _keep_nothing(con: Connection, refused: UserError) -> None:
    """Leave a stage that was stopped as its rollback left it."""


@dataclass(frozen=True)
class Stage:
    """One stage: what it writes, what it is made from, and the function that does it in one transaction.

    Attributes:
        writes: tables, or selections of tables, whose content is the stage's result; the first
            one's rows are counted.
        made_by: settings, code, files and libraries it depends on; the stages before it are known
            when it runs.
        work: fills the tables on an open connection and returns its counts as a dataclass.
        keep: writes what is wanted of work that a user's mistake stopped, after it was rolled back.
    """

    name: str
    writes: tuple[str, ...]
    made_by: StageInputs
    work: Callable[[Connection], Any]
    keep: Callable[[Connection, UserError], None] = _keep_nothing

    def inputs(self, upstream: Sequence[StageRecord]) -> StageInputs:
        """Return all the stage is made from, once the stages whose rows it reads have run."""
        return self.made_by.after({record.stage: record.output_hash for record in upstream})


def _transient(task: Any, run: Any, state: Any) -> bool:
    """Retry what may pass: a file briefly locked or unreadable. A user's mistake or a bug stays."""
    return not isinstance(state.data, UserError) and isinstance(
        getattr(state.data, "exception", state.data), OSError | DATABASE_IO_ERROR
    )


def cache_key(stage: Stage, inputs: StageInputs) -> str:
    """Return the name under which Prefect keeps a stage's record in the domain's cache folder."""
    return f"{stage.name}-{inputs.hash(stage.name)}"


def _found(stage: Stage, context: Context, inputs: StageInputs) -> tuple[bool, str]:
    """Return whether the stage's tables hold what these inputs gave, and if not, why it runs again, if it does."""
    with open_warehouse(context.home.warehouse(context.domain.name)) as con:
        unchanged = is_unchanged(con, stage.name, inputs.hash(stage.name))
        return unchanged, "" if unchanged else why_redone(con, stage.name, inputs)


@task(
    persist_result=True,
    result_serializer=JSONSerializer(),
    cache_key_fn=lambda context, parameters: cache_key(parameters["stage"], parameters["inputs"]),
    retries=2,
    retry_delay_seconds=[1, 4],
    retry_jitter_factor=0.5,
    retry_condition_fn=_transient,
)
def _work(stage: Stage, context: Context, inputs: StageInputs) -> dict[str, Any]:
    began = time.perf_counter()
    with open_warehouse(context.home.warehouse(context.domain.name)) as con:
        try:
            with transaction(con):
                counts = stage.work(con)
                record = record_stage(con, stage.name, inputs, stage.writes, context.run_id)
        except UserError as refused:
            with transaction(con):
                stage.keep(con, refused)
            raise
    seconds = time.perf_counter() - began
    get_run_logger().info(
        "%s: %s rows in %.1f s (%s)", stage.name, f"{record.rows:,}", seconds, counts_text(counts)
    )
    return asdict(record)


async def run_stage(stage: Stage, context: Context, *upstream: StageRecord) -> StageRecord:
    """Run a stage, or take what it wrote before from the same inputs; say why, if it runs again.

    Raises UserError.
    """
    inputs = stage.inputs(upstream)
    folder = context.home.cache(context.domain.name)
    folder.mkdir(parents=True, exist_ok=True)
    trusted, why = _found(stage, context, inputs)
    if trusted and not (folder / cache_key(stage, inputs)).exists():
        trusted, why = False, "its record in the cache is gone"
    announce(stage.name, why)
    configured = _work.with_options(
        name=stage.name,
        task_run_name=f"{context.domain.name}-{stage.name}",
        result_storage=folder,
        refresh_cache=not trusted,
    )
    with stage_events(context.lineage, stage.name, why) as ending:
        state = configured(stage, context, inputs, return_state=True)
        record = StageRecord(
            **{**(found := await state.aresult()), "tables": tuple(found["tables"])}
        )
        ending.cached = cached = state.name == "Cached"
    show_end(
        stage.name,
        "" if cached else why,
        f"{record.rows:,} rows",
        otherwise="cached" if cached else "done",
    )
    return record


def announce(stage: str, why: str) -> None:
    """Say that a stage begins, and why, if it ran before."""
    CURRENT.get().stage(stage, "running", why)
    if why:
        get_run_logger().info("%s redone: %s", stage, why)


def show_end(stage: str, why: str, detail: str, otherwise: str) -> None:
    """Say that a stage has ended: as redone where there is a reason why, else as `otherwise`."""
    state = "redone" if why else otherwise
    CURRENT.get().stage(stage, state, f"{why}; {detail}" if why else detail)

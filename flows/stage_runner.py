"""Runs a stage as a Prefect task: cached, trusted only while its tables hold what it wrote."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from prefect import task
from prefect.logging import get_run_logger
from prefect.serializers import JSONSerializer
from prefect.utilities.annotations import quote

from flows.figures import counts_text
from flows.lineage_events import stage_events
from flows.progress import CURRENT
from flows.stages import Context, Records, Stage
from tasks.errors import UserError
from tasks.stage_inputs import StageInputs
from tasks.warehouse import (
    DATABASE_IO_ERROR,
    Connection,
    StageRecord,
    is_unchanged,
    record_stage,
    transaction,
    why_redone,
)


@dataclass(frozen=True)
class StageRun:
    """One stage at one attempt, ready to run, and what it is made from."""

    stage: Stage
    attempt: int
    context: Context
    inputs: StageInputs

    @property
    def name(self) -> str:
        """The stage's name at this attempt."""
        return self.stage.named(self.attempt)

    @property
    def cache_key(self) -> str:
        """The name under which Prefect keeps the stage's record in the domain's cache folder."""
        return f"{self.name}-{self.inputs.hash(self.name)}"

    def record(self, con: Connection) -> StageRecord:
        """Write down what the stage has just made; call it in the stage's own transaction."""
        rows = self.stage.rows(self.attempt)
        return record_stage(con, self.name, self.inputs, rows, self.context.run_id)


def stage_run(stage: Stage, context: Context, records: Records, attempt: int = 1) -> StageRun:
    """Return a stage that is to run now, after the stages that have written `records`."""
    return StageRun(stage, attempt, context, stage.inputs(context, attempt, records))


def _transient(task: Any, run: Any, state: Any) -> bool:
    """Retry what may pass: a file briefly locked or unreadable. A user's mistake or a bug stays."""
    return not isinstance(state.data, UserError) and isinstance(
        getattr(state.data, "exception", state.data), OSError | DATABASE_IO_ERROR
    )


@task(
    persist_result=True,
    result_serializer=JSONSerializer(),
    retries=2,
    retry_delay_seconds=[1, 4],
    retry_jitter_factor=0.5,
    retry_condition_fn=_transient,
)
def _work(held: Any) -> dict[str, Any]:
    """Do a stage and return its record as JSON data.

    Args:
        held: the `StageRun`, quoted where it is handed over, so that Prefect does not walk
            through all that it holds.
    """
    run: StageRun = held
    began = time.perf_counter()
    with run.context.warehouse.use() as con:
        try:
            with transaction(con):
                counts = run.stage.work(con, run.context, run.attempt)
                record = run.record(con)
        except UserError as refused:
            with transaction(con):
                run.stage.keep(con, refused)
            raise
    seconds = time.perf_counter() - began
    get_run_logger().info(
        "%s: %s rows in %.1f s (%s)", run.name, f"{record.rows:,}", seconds, counts_text(counts)
    )
    return asdict(record)


async def run_stage(
    stage: Stage, context: Context, records: Records, attempt: int = 1
) -> StageRecord:
    """Run a stage, or take what it wrote before from the same inputs; say why, if it runs again.

    Raises UserError.
    """
    with closing(context.warehouse):
        return await _run(stage_run(stage, context, records, attempt))


async def _run(run: StageRun) -> StageRecord:
    context, folder = run.context, run.context.home.cache(run.context.domain.name)
    folder.mkdir(parents=True, exist_ok=True)
    trusted, why = _found(run, folder)
    announce(run.name, why)
    configured = _work.with_options(
        name=run.name,
        task_run_name=f"{context.domain.name}-{run.name}",
        cache_key_fn=lambda *_: run.cache_key,
        result_storage=folder,
        refresh_cache=not trusted,
    )
    with stage_events(context.lineage, run.name, why) as ending:
        state = configured(quote(run), return_state=True)
        record = _as_record(await state.aresult())
        ending.cached = cached = state.name == "Cached"
        left_out = _left_out(run)
    show_end(
        run.name,
        "" if cached else why,
        ", ".join(filter(None, (f"{record.rows:,} rows", left_out))),
        otherwise="cached" if cached else "done",
    )
    return record


def _found(run: StageRun, folder: Path) -> tuple[bool, str]:
    """Return whether the tables hold what these inputs gave; if not, why the stage runs again."""
    with run.context.warehouse.use() as con:
        if not is_unchanged(con, run.name, run.inputs.hash(run.name)):
            return False, why_redone(con, run.name, run.inputs)
    if not (folder / run.cache_key).exists():
        return False, "its record in the cache is gone"
    return True, ""


def _left_out(run: StageRun) -> str:
    """Return what the stage left out, in words, and write it to the log of the run."""
    with run.context.warehouse.use() as con:
        text = run.stage.left_out(con)
    if text:
        get_run_logger().info("%s: %s", run.name, text)
    return text


def _as_record(row: Mapping[str, Any]) -> StageRecord:
    return StageRecord(**{**row, "tables": tuple(row["tables"])})


def announce(stage: str, why: str) -> None:
    """Say that a stage begins, and why, if it ran before."""
    CURRENT.get().stage(stage, "running", why)
    if why:
        get_run_logger().info("%s redone: %s", stage, why)


def show_end(stage: str, why: str, detail: str, otherwise: str) -> None:
    """Say that a stage has ended: as redone where there is a reason why, else as `otherwise`."""
    state = "redone" if why else otherwise
    CURRENT.get().stage(stage, state, f"{why}; {detail}" if why else detail)

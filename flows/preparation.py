"""The stages before anything is asked: reviews in, briefs out, and a word on what was left out on the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from prefect.logging import get_run_logger

from flows import steps
from flows.progress import added_detail
from flows.stages import Context, Stage, run_stage
from tasks.funnel import might_likes, set_aside, set_aside_text, unplanned_text
from tasks.warehouse import Connection, StageRecord, read_warehouse


@dataclass(frozen=True)
class Planned:
    """The records of the stages before the first request, whose rows every attempt reads."""

    ingested: StageRecord
    prepared: StageRecord
    briefs: StageRecord

    def before_asking(self, written: Sequence[StageRecord]) -> list[StageRecord]:
        """Return whose rows requests are made of: briefs, their reviews and ratings, and for a repair the attempt before."""
        return [self.prepared, self.briefs, *written[-3:]]

    def before_reading(self, asked: StageRecord) -> list[StageRecord]:
        """Return whose rows dialogues are read from: answers, their briefs, and the catalogue of all titles."""
        return [self.ingested, self.briefs, asked]

    def before_judging(
        self, written: Sequence[StageRecord], parsed: StageRecord
    ) -> list[StageRecord]:
        """Return whose rows an attempt is judged by; it is compared with what was accepted at the attempts before."""
        earlier = [record for record in written if record.stage.startswith("quality-")]
        return [self.ingested, self.prepared, self.briefs, *earlier, parsed]


LEAST_PAUSE_SHOWN_S = 5.0  # a shorter one is over before it is read


async def prepare(context: Context, sources: Mapping[str, str]) -> Planned:
    """Ingest, preprocess and plan; return the records of these stages. Raises UserError.

    Source lines that were set aside and MIGHT_LIKES items without a brief are counted by kind, on
    the console and in the log of the run.
    """
    ingested = await _run(steps.ingesting(context, sources), context, _set_aside)
    prepared = await run_stage(steps.preprocessing(context), context, ingested)
    briefs = await _run(steps.planning(context), context, _unplanned, ingested, prepared)
    return Planned(ingested, prepared, briefs)


async def _run(
    stage: Stage,
    context: Context,
    left_out: Callable[[Connection], str],
    *upstream: StageRecord,
) -> StageRecord:
    """Run a stage; say what it left out where it says that it has ended, and in the log of the run."""

    def count() -> str:
        with read_warehouse(context.home.warehouse(context.domain.name)) as con:
            text = left_out(con)
        if text:
            get_run_logger().info("%s: %s", stage.name, text)
        return text

    with added_detail(stage.name, count):
        return await run_stage(stage, context, *upstream)


def _set_aside(con: Connection) -> str:
    return set_aside_text(set_aside(con))


def _unplanned(con: Connection) -> str:
    return unplanned_text(might_likes(con))

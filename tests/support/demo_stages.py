"""Every stage of a build of the demo, as `flows.pipeline` states it, without running any."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flows.pipeline import (
    ASK_JUDGE,
    INGEST,
    JUDGE,
    PARSE,
    PLAN,
    PREPROCESS,
    VERDICTS,
    asking_stage,
)
from flows.specifications import load_specifications
from flows.stages import Context, Stage, new_context
from tasks.settings import Home
from tasks.stage_inputs import StageInputs
from tasks.warehouse import TABLES

# What the pipeline writes of itself whatever stage runs, and what people write of its dialogues.
TABLES_OF_NO_STAGE = frozenset(
    {"calibrations", "judge_agreements", "marks", "run_figures", "runs", "stage_inputs", "stages"}
)


@dataclass(frozen=True)
class StatedStage:
    """One stage at one attempt: what it is made from, and the tables that hold its result."""

    stage: Stage
    made_by: StageInputs
    writes: tuple[str, ...]


def all_stages(home: Home, attempts: int = 2, **generate: Any) -> dict[str, StatedStage]:
    """Return the demo's stages by name, with so many attempts and settings of `generate` laid over."""
    over = {"generate": generate} if generate else None
    return stated_stages(
        new_context(home, load_specifications(home, "demo", over), "run"), attempts
    )


def stated_stages(context: Context, attempts: int = 2) -> dict[str, StatedStage]:
    """Return the stages of a build by name, with so many attempts."""
    return {
        stage.named(attempt): StatedStage(stage, stage.made_by(context), stage.rows(attempt))
        for stage, attempt in _in_turn(attempts, context.domain.quality.judge.model is not None)
    }


def _in_turn(attempts: int, is_read_by_a_judge: bool) -> Iterator[tuple[Stage, int]]:
    judge = (ASK_JUDGE,) if is_read_by_a_judge else ()
    yield from ((stage, 1) for stage in (INGEST, PREPROCESS, PLAN, VERDICTS))
    for attempt in range(1, attempts + 1):
        yield from ((stage, attempt) for stage in (asking_stage(attempt), PARSE, *judge, JUDGE))


def tables_written(stage: StatedStage) -> set[str]:
    """Return the warehouse tables whose content a stage is identified by."""
    statements = " ".join(stage.writes)
    return {table for table in TABLES if re.search(rf"\b{table}\b", statements)}

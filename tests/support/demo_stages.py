"""Every stage of a build of the demo, as `flows.steps` states it, without running any."""

from __future__ import annotations

import re
from typing import Any

from flows import steps
from flows.stages import Context, Stage
from tasks.settings import Home, load_domain
from tasks.warehouse import TABLES

# What the pipeline writes of itself whatever stage runs, and what people write of its dialogues.
TABLES_OF_NO_STAGE = frozenset({"marks", "run_figures", "runs", "stage_inputs", "stages"})


def all_stages(home: Home, attempts: int = 2, **generate: Any) -> dict[str, Stage]:
    """Return the demo's stages by name, with so many attempts and settings of `generate` laid over."""
    over = {"generate": generate} if generate else None
    context = Context(home, load_domain(home, "demo", over), "run")
    stages = [
        steps.ingesting(context, {}),
        steps.preprocessing(context),
        steps.planning(context),
        steps.verdicts(context),
    ]
    for attempt in range(1, attempts + 1):
        for make in (steps.generating, steps.parsing, steps.judging):
            stages.append(make(context, attempt))
    return {stage.name: stage for stage in stages}


def tables_written(stage: Stage) -> set[str]:
    """Return the warehouse tables whose content a stage is identified by."""
    statements = " ".join(stage.writes)
    return {table for table in TABLES if re.search(rf"\b{table}\b", statements)}

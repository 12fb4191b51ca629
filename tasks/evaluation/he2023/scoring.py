"""Scores and summaries of the protocol: one row a target, Recall, NDCG and MRR, under four settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from tasks.evaluation.he2023.values import Nearest, Question, Variant
from tasks.evaluation.metrics import METRICS, rank, scores

KS = (1, 5, 10, 20)
MOST_EDITS = 2  # "near" means at most so many edits
NORMAL_95 = 1.96  # the protocol's half width of an interval, in standard errors
CONDITIONS = ("recommendation", "discussion", "all")


@dataclass(frozen=True)
class Bound:
    """The least and greatest mean a score can have, whatever order ties are settled in."""

    low: float
    high: float


def summary(questions: Sequence[Question], variant: Variant) -> pl.DataFrame:
    """Return the protocol's summary for one setting: mean, standard error and 1.96 of it, for each score.

    Rows: targets not mentioned before ("recommendation"), mentioned before ("discussion"), and all
        of them.
    """
    rows = [
        (
            target in question.mentioned,
            rank([near.name for near in _kept(question, variant)], target),
        )
        for question in questions
        for target in question.targets
    ]
    return pl.DataFrame(
        [{"condition": condition, **_figures(_of(rows, condition))} for condition in CONDITIONS]
    )


def bounds(questions: Sequence[Question], variant: Variant) -> dict[tuple[str, str], Bound]:
    """Return the least and greatest mean of each score over every way to settle ties, by (condition, "recall@5").

    Each tie is settled for itself and for each target, so the bounds are never too narrow; the
    protocol's own code settles all by one order.
    """
    rows = [
        (
            target in question.mentioned,
            _extreme(question, target, variant, best=False),
            _extreme(question, target, variant, best=True),
        )
        for question in questions
        for target in question.targets
    ]
    low = {
        condition: _figures(_of([(m, worst) for m, worst, _ in rows], condition))
        for condition in CONDITIONS
    }
    high = {
        condition: _figures(_of([(m, best) for m, _, best in rows], condition))
        for condition in CONDITIONS
    }
    names = [f"{metric}@{k}" for k in KS for metric in METRICS]
    return {
        (c, name): Bound(low[c][f"{name}_mean"], high[c][f"{name}_mean"])
        for c in CONDITIONS
        for name in names
    }


def _kept(question: Question, variant: Variant) -> list[Nearest]:
    near = [
        entry
        for entry in question.generated
        if not variant.near_only or entry.distance <= MOST_EDITS
    ]
    return [
        entry
        for entry in near
        if not variant.drop_mentioned or entry.name not in question.mentioned
    ]


def _extreme(question: Question, target: str, variant: Variant, *, best: bool) -> int | None:
    """Return the target's best or worst rank over every choice among ties: which may be the target, an entity dropped, or another."""
    place = 0
    for entry in question.generated:
        if variant.near_only and entry.distance > MOST_EDITS:
            continue
        choices: set[Literal["hit", "dropped", "other"]] = set()
        for name in entry.ties:
            dropped = variant.drop_mentioned and name in question.mentioned
            choices.add("dropped" if dropped else "hit" if name == target else "other")
        if choices == {"hit"} or (best and "hit" in choices):
            return place + 1
        place += 0 if choices == {"dropped"} or (best and "dropped" in choices) else 1
    return None


def _of(rows: Sequence[tuple[bool, int | None]], condition: str) -> list[int | None]:
    return [
        place
        for mentioned, place in rows
        if condition == "all" or mentioned == (condition == "discussion")
    ]


def _figures(ranks: Sequence[int | None]) -> dict[str, float]:
    figures: dict[str, float] = {}
    for k in KS:
        for metric in METRICS:
            values = scores(ranks, metric, k)
            error = (
                float(np.std(values, ddof=1) / np.sqrt(len(values)))
                if len(values) > 1
                else float("nan")
            )
            mean = float(values.mean()) if len(values) else float("nan")
            figures |= {
                f"{metric}@{k}_mean": mean,
                f"{metric}@{k}_se": error,
                f"{metric}@{k}_ci": NORMAL_95 * error,
            }
    return figures

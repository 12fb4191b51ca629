"""Scores of the protocol: one row a target, Recall, NDCG and MRR, under four settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal

import numpy as np
import polars as pl

from tasks.evaluation.he2023.values import Nearest, Question, Variant
from tasks.evaluation.metrics import METRICS, rank, scores

KS = (1, 5, 10, 20)
MOST_EDITS = 2  # "near" means at most so many edits
NORMAL_95 = 1.96  # the protocol's half width of an interval, in standard errors
CONDITIONS = ("recommendation", "discussion", "all")
_NAMES = [f"{metric}@{k}" for k, metric in product(KS, METRICS)]
_Choice = Literal["hit", "dropped", "other"]


@dataclass(frozen=True)
class Bound:
    """The least and greatest mean a score can have, over every order of settling ties."""

    low: float
    high: float


def summary(questions: Sequence[Question], variant: Variant) -> pl.DataFrame:
    """Return a setting's summary: mean, standard error and 1.96 of it, for each score.

    Rows: targets not mentioned before ("recommendation"), mentioned before ("discussion"), and all
    of them.
    """
    rows: list[tuple[bool, int | None]] = []
    for question in questions:
        names = [near.name for near in _kept(question, variant)]
        rows += [(target in question.mentioned, rank(names, target)) for target in question.targets]
    return pl.DataFrame(
        [{"condition": condition, **_figures(_of(rows, condition))} for condition in CONDITIONS]
    )


def bounds(questions: Sequence[Question], variant: Variant) -> dict[tuple[str, str], Bound]:
    """Return the bounds of each mean score over every way to settle ties.

    Keys are (condition, "recall@5").

    Each tie is settled for itself and for each target, so the bounds are never too narrow; the
    protocol's own code settles all by one order.
    """
    worst: list[tuple[bool, int | None]] = []
    best: list[tuple[bool, int | None]] = []
    for question in questions:
        for target in question.targets:
            mentioned = target in question.mentioned
            worst.append((mentioned, _extreme(question, target, variant, best=False)))
            best.append((mentioned, _extreme(question, target, variant, best=True)))
    limits: dict[tuple[str, str], Bound] = {}
    for condition in CONDITIONS:
        low, high = _figures(_of(worst, condition)), _figures(_of(best, condition))
        for name in _NAMES:
            limits[condition, name] = Bound(low[f"{name}_mean"], high[f"{name}_mean"])
    return limits


def _kept(question: Question, variant: Variant) -> list[Nearest]:
    near = list(question.generated)
    if variant.near_only:
        near = [entry for entry in near if entry.distance <= MOST_EDITS]
    if variant.drop_mentioned:
        near = [entry for entry in near if entry.name not in question.mentioned]
    return near


def _extreme(question: Question, target: str, variant: Variant, *, best: bool) -> int | None:
    """Return a target's best or worst rank over every way to settle ties.

    A tied name may be the target, an entity that is dropped, or another one.
    """
    place = 0
    for entry in question.generated:
        if variant.near_only and entry.distance > MOST_EDITS:
            continue
        choices = {_choice(name, question, target, variant) for name in entry.ties}
        if _settles_as("hit", choices, best=best):
            return place + 1
        place += 0 if _settles_as("dropped", choices, best=best) else 1
    return None


def _choice(name: str, question: Question, target: str, variant: Variant) -> _Choice:
    if variant.drop_mentioned and name in question.mentioned:
        return "dropped"
    return "hit" if name == target else "other"


def _settles_as(choice: _Choice, choices: set[_Choice], *, best: bool) -> bool:
    """Return True if a tie must be settled as a choice, or may be in the best case."""
    return choices == {choice} or (best and choice in choices)


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

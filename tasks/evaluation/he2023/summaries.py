"""The protocol on stored answers: its four summaries, and how far ties could move them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tasks.evaluation.he2023.reader import read_entities, read_questions
from tasks.evaluation.he2023.scoring import KS, bounds, summary
from tasks.evaluation.he2023.values import VARIANTS, Question, Variant
from tasks.evaluation.metrics import METRICS


def he2023_summaries(
    test: Path, answers: Path, entities: Path, *, rematch: bool = False
) -> dict[str, list[dict[str, Any]]]:
    """Return the protocol's four summaries, by variant.

    Args:
        test: their test set.
        answers: stored answers.
        entities: entity names to numbers.
        rematch: find the nearest names again, with the least and greatest mean any order of ties
            could give, in place of those stored.

    Raises:
        UserError: a file is missing or not in their layout.
    """
    asked = read_questions(test, answers, read_entities(entities), stored=not rematch)
    return {name_of(variant): _rows(asked, variant, rematch) for variant in VARIANTS}


def name_of(variant: Variant) -> str:
    """Return a variant's name as in the authors' files."""
    return f"filtered_{variant.near_only}_exclude_seen_{variant.drop_mentioned}"


def _rows(asked: Sequence[Question], variant: Variant, bounded: bool) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = summary(asked, variant).to_dicts()
    if bounded:
        for (condition, score), bound in bounds(asked, variant).items():
            row = next(row for row in rows if row["condition"] == condition)
            row |= {f"{score}_low": bound.low, f"{score}_high": bound.high}
    return rows


def summary_rows(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a summary's rows for a person, one for each condition and K.

    Each mean has the half width of its 95 % interval, and its bounds where there are any.
    """
    return [
        {
            "condition": row["condition"],
            "K": k,
            **{metric: _cell(row, f"{metric}@{k}") for metric in METRICS},
        }
        for row in rows
        for k in KS
    ]


def _cell(row: dict[str, Any], score: str) -> str:
    text = f"{row[f'{score}_mean']:.4f} ± {row[f'{score}_ci']:.4f}"
    return text + (
        f" [{row[f'{score}_low']:.4f}, {row[f'{score}_high']:.4f}]" if f"{score}_low" in row else ""
    )

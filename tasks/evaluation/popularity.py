"""What recommenders recommend: how much of the catalogue, and how much of its most popular part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

import numpy as np

from tasks.evaluation.matching import Ranking
from tasks.evaluation.text_table import text_table

TOP: Final = 10  # places of a ranking that are looked at
HEAD: Final = 0.2  # share of the catalogue that is its most popular part


@dataclass(frozen=True)
class Recommended:
    """What one recommender recommends in the first `TOP` places, over all questions.

    Attributes:
        name: the recommender and how it was asked.
        head: share of its recommendations that are of the most popular fifth of the catalogue.
        coverage: share of the catalogue that it recommends at all.
        gini: how unevenly it recommends the catalogue's items: 0 all alike, 1 one alone.
    """

    name: str
    head: float
    coverage: float
    gini: float


def recommended(
    name: str,
    rankings: Sequence[Ranking | None],
    catalogue: Sequence[str],
    popularity: Mapping[str, int],
) -> Recommended:
    """Return what a recommender recommends; NaN where it recommends nothing."""
    tops = [ranking.items[:TOP] for ranking in rankings if ranking is not None]
    counts = Counter(chain.from_iterable(tops))
    total = counts.total()
    if not total:
        return Recommended(name, float("nan"), 0.0, float("nan"))
    size = max(1, round(HEAD * len(catalogue)))
    ordered = sorted(catalogue, key=lambda item: (-popularity.get(item, 0), item))
    head = sum(counts[item] for item in ordered[:size])
    times = np.sort(np.array([counts[item] for item in catalogue], dtype=np.float64))
    places = np.arange(1, len(times) + 1)
    gini = float((2 * places - len(times) - 1) @ times / (len(times) * times.sum()))
    return Recommended(name, head / total, len(counts) / len(catalogue), gini)


def popularity_text(rows: Sequence[Recommended]) -> str:
    """Return rows as plain text, columns aligned."""
    head = ["first ten places", f"of the most popular {HEAD:.0%}", "catalogue recommended", "Gini"]
    cells = [head]
    for row in rows:
        uneven = ["-", "-"]
        if row.coverage:
            uneven = [f"{row.head:.1%}", f"{row.gini:.3f}"]
        cells.append([row.name, uneven[0], f"{row.coverage:.1%}", uneven[1]])
    return text_table(cells)

"""Whether a rater's four grades are four: how far they go together over the same utterances."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import combinations

from scipy import stats

from tasks.evaluation.quality.values import METRICS, Metric, Rating

Pair = tuple[Metric, Metric]
_FEWEST = 3  # utterances that a correlation is computed from


def halo(ratings: Iterable[Rating]) -> dict[Pair, float]:
    """Return Spearman's correlation of each two metrics over what one rater graded.

    NaN where one of them got the same grade everywhere; empty with fewer than three utterances.
    Correlations near 1 mean that the rater gives one grade four times.
    """
    by_task: Mapping[str, dict[Metric, int]] = defaultdict(dict)
    for rating in ratings:
        by_task[rating.task_id][rating.metric] = rating.value
    whole = [grades for grades in by_task.values() if len(grades) == len(METRICS)]
    if len(whole) < _FEWEST:
        return {}
    found: dict[Pair, float] = {}
    for first, second in combinations(METRICS, 2):
        sides = [[grades[metric] for grades in whole] for metric in (first, second)]
        constant = any(len(set(side)) == 1 for side in sides)
        found[first, second] = (
            float("nan") if constant else float(stats.spearmanr(*sides).statistic)
        )
    return found


def halo_text(found: Mapping[Pair, float]) -> str:
    """Return the correlations in one line; undefined ones are dashes."""
    parts = [
        f"{first} and {second} {'-' if value != value else f'{value:.2f}'}"
        for (first, second), value in found.items()
    ]
    return (
        "Halo, Spearman's correlation of the grades of the same utterances (1: one grade given "
        f"four times): {', '.join(parts)}."
    )

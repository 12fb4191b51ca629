"""Fine-tuned models that differ in their training's seed alone: the mean of their scores."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Final

from tasks.evaluation.recommendation_tables import Footnotes, Result
from tasks.evaluation.text_table import text_table

_SHOWN: Final = {"R@10": "recall@10", "N@10": "ndcg@10"}


@dataclass(frozen=True)
class SeedScores:
    """What several trainings of one kind score.

    Attributes:
        model: the base model's name.
        examples: how many each learnt.
        trainings: how many there are.
        means: of each metric over the trainings.
        deviations: its standard deviation (n - 1); None for a single training.
    """

    model: str
    setting: str
    history: bool
    examples: int
    trainings: int
    means: Mapping[str, float]
    deviations: Mapping[str, float | None]


def seed_scores(rows: Sequence[Result], learnt: Mapping[str, int]) -> list[SeedScores]:
    """Return scores by base model, way of asking and number of examples, in the order of that.

    Args:
        rows: of Table 5; those whose context names the target are left out.
        learnt: for each fine-tuned local model, BASE+ADAPTER, how many examples it learnt.
    """
    groups: dict[tuple[str, str, bool, int], list[Result]] = defaultdict(list)
    for row in rows:
        if row.model in learnt and row.contexts == "target not named":
            base = row.model.partition("+")[0]
            groups[base, row.setting, row.history, learnt[row.model]].append(row)
    return [_scores(*kind, groups[kind]) for kind in sorted(groups)]


def _scores(
    model: str, setting: str, history: bool, examples: int, rows: Sequence[Result]
) -> SeedScores:
    means, deviations = {}, {}
    for name in _SHOWN.values():
        values = [row.estimates[name].value for row in rows]
        means[name] = fmean(values)
        deviations[name] = stdev(values) if len(values) > 1 else None
    return SeedScores(model, setting, history, examples, len(rows), means, deviations)


def seeds_text(scores: Sequence[SeedScores]) -> str:
    """Return scores as plain text, columns aligned; empty unless there is something to compare."""
    if sum(one.trainings for one in scores) < 2:
        return ""
    head = ["fine-tuned", "setting", "input", "examples", "seeds", *_SHOWN]
    cells, notes = [head], Footnotes()
    for one in scores:
        source = "+ H. I." if one.history else "dial."
        key = [notes.short(one.model), one.setting, source, f"{one.examples:,}", str(one.trainings)]
        cells.append([*key, *(_cell(one, name) for name in _SHOWN.values())])
    remarks = [*notes.lines, "+/- is the standard deviation over the seeds"]
    return "\n".join([text_table(cells), *remarks])


def _cell(one: SeedScores, name: str) -> str:
    deviation = one.deviations[name]
    spread = "" if deviation is None else f" +/- {deviation:.4f}"
    return f"{one.means[name]:.4f}{spread}"

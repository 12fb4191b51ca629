"""A share or a mean on both sides of a comparison, and its difference with an interval."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from tasks.diff.pairs import DialoguePair
from tasks.diff.values import ComparedDialogue, Side
from tasks.intervals import (
    Interval,
    PairedCounts,
    bootstrap_mean,
    independent_difference,
    paired_difference,
    wilson,
)

# Of either side's asked briefs; with fewer in common the sides are compared as independent.
LEAST_PAIRED: Final = 0.5
Dialogues = Sequence[ComparedDialogue]
Pairs = Sequence[DialoguePair]
Unit = Literal["share", "dollars", "tokens"]
Measured = Sequence[tuple[str, float]]  # user and value
MeasuredPairs = Sequence[tuple[str, float, float]]  # user and both values
Measure = Callable[[ComparedDialogue], float | None]  # None where it was not measured


@dataclass(frozen=True)
class Change:
    """A share or a mean on both sides, and the difference (second less first).

    Attributes:
        name: what is measured, or the rule or template it is measured of.
        unit: of the values; a share is a number from 0 to 1.
        first: over `n_first` dialogues; None where there are none.
        second: over `n_second` dialogues; None where there are none.
        difference: None where a side has none.
        pairs: how many pairs the difference is over; 0 where it takes the sides as independent.
    """

    name: str
    unit: Unit
    first: Interval | None
    second: Interval | None
    n_first: int
    n_second: int
    difference: Interval | None
    pairs: int = 0

    @property
    def is_clear(self) -> bool:
        """True if the difference's 95 % interval leaves 0 out."""
        return self.difference is not None and (self.difference.low > 0 or self.difference.high < 0)


@dataclass(frozen=True)
class Compared:
    """Dialogues of both sides and the pairs among them.

    Attributes:
        paired: True if differences are over the pairs, False if the sides count as independent.
    """

    first: Dialogues
    second: Dialogues
    pairs: Pairs
    paired: bool

    @classmethod
    def of(cls, first: Side, second: Side, pairs: Pairs) -> Compared:
        """Return both sides, paired if they have enough asked briefs in common."""
        sides = (first.dialogues or (), second.dialogues or ())
        most = max(sum(one.asked for one in dialogues) for dialogues in sides)
        common = sum(pair.first.asked and pair.second.asked for pair in pairs)
        return cls(*sides, pairs, paired=common > 0 and common >= LEAST_PAIRED * most)

    def by_template(self) -> dict[str, Compared]:
        """Return a part for each template, by its id."""
        first, second = _by_template(self.first), _by_template(self.second)
        pairs: defaultdict[str, list[DialoguePair]] = defaultdict(list)
        for pair in self.pairs:
            pairs[pair.first.template_id].append(pair)
        return {
            name: Compared(first[name], second[name], pairs[name], self.paired)
            for name in sorted({*first, *second})
        }

    def measured_pairs(self, measure: Measure) -> list[tuple[str, float, float]]:
        """Return the user and both values of each pair that has both."""
        measured = []
        for pair in self.pairs:
            first, second = measure(pair.first), measure(pair.second)
            if first is not None and second is not None:
                measured.append((pair.first.user_id, first, second))
        return measured


def share_change(name: str, compared: Compared, measure: Measure) -> Change:
    """Return the share of dialogues that a measure of 0 or 1 holds for, on both sides."""
    return _change(name, "share", compared, measure, _share, _share_difference)


def mean_change(name: str, unit: Unit, compared: Compared, measure: Measure) -> Change:
    """Return the mean of a measure on both sides, bootstrapped over users."""
    return _change(name, unit, compared, measure, _mean, _mean_difference)


def _change(
    name: str,
    unit: Unit,
    compared: Compared,
    measure: Measure,
    summarise: Callable[[Measured], Interval | None],
    paired: Callable[[MeasuredPairs], Interval | None],
) -> Change:
    """Return a measure on both sides and their difference.

    `summarise` gives the figure of one side, `paired` the difference over pairs.
    """
    first = _measured(compared.first, measure)
    second = _measured(compared.second, measure)
    first_figure, second_figure = summarise(first), summarise(second)
    pairs = compared.measured_pairs(measure) if compared.paired else []
    difference = paired(pairs) if pairs else None
    if first_figure and second_figure and not compared.paired:
        difference = independent_difference(first_figure, second_figure)
    return Change(
        name,
        unit,
        first_figure,
        second_figure,
        len(first),
        len(second),
        difference,
        len(pairs),
    )


def _share_difference(pairs: MeasuredPairs) -> Interval:
    return paired_difference(_paired_counts(pairs))


def _mean_difference(pairs: MeasuredPairs) -> Interval | None:
    return _mean([(user, after - before) for user, before, after in pairs])


def _by_template(dialogues: Dialogues) -> defaultdict[str, list[ComparedDialogue]]:
    by_template: defaultdict[str, list[ComparedDialogue]] = defaultdict(list)
    for dialogue in dialogues:
        by_template[dialogue.template_id].append(dialogue)
    return by_template


def _measured(dialogues: Dialogues, measure: Measure) -> list[tuple[str, float]]:
    """Return user and value of each dialogue that has one."""
    measured = []
    for dialogue in dialogues:
        value = measure(dialogue)
        if value is not None:
            measured.append((dialogue.user_id, value))
    return measured


def _share(measured: Measured) -> Interval | None:
    if not measured:
        return None
    return wilson(int(sum(value for _, value in measured)), len(measured))


def _paired_counts(pairs: MeasuredPairs) -> PairedCounts:
    outcomes = [(bool(first), bool(second)) for _, first, second in pairs]
    return PairedCounts(
        both=outcomes.count((True, True)),
        first=outcomes.count((True, False)),
        second=outcomes.count((False, True)),
        neither=outcomes.count((False, False)),
    )


def _mean(measured: Measured) -> Interval | None:
    if not measured:
        return None
    values = np.array([value for _, value in measured], dtype=np.float64)
    mean = bootstrap_mean(values, [user for user, _ in measured])
    # With few users the resampled means may all be on one side of the mean by rounding.
    return Interval(mean.value, min(mean.low, mean.value), max(mean.high, mean.value))

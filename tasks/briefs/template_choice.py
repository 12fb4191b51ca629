"""Which template a dialogue gets: number of recommendations first, then likes and dislikes, then the template."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Generic, TypeVar

from tasks.fingerprint import unit
from tasks.settings import Briefs
from tasks.templates import Template, pattern

Pattern = tuple[int, int]
T = TypeVar("T")

PUBLISHED_PATTERNS: Mapping[Pattern, int] = {
    (1, 0): 1638,
    (0, 1): 1095,
    (2, 0): 1710,
    (1, 1): 737,
    (0, 2): 665,
    (3, 0): 1888,
    (2, 1): 815,
    (1, 2): 618,
    (0, 3): 566,
}
"""Dialogues of the published Movie part by (liked, disliked) items of the history they use.

Its 357 of the pattern (1, 3), three recommendations and one item more, have no place in the grammar
and are left out.
"""

# a template one utterance longer counts e^4, 55 times as much: beyond it only the longest is ever
# drawn
STEEPEST_TILT = 4.0
_HALVINGS = 60


@dataclass(frozen=True)
class Weighted(Generic[T]):
    """Options, each with the running sum of weights up to it."""

    options: tuple[T, ...]
    sums: tuple[float, ...]

    @classmethod
    def of(cls, weights: Iterable[tuple[T, float]]) -> Weighted[T]:
        """Keep the options whose weight is above zero."""
        kept = [(option, weight) for option, weight in weights if weight > 0]
        return cls(
            tuple(option for option, _ in kept), tuple(accumulate(weight for _, weight in kept))
        )

    def pick(self, chance: float) -> T:
        """Return the option at `chance`, from [0, 1), of all weight.

        Raises IndexError when there is no option.
        """
        return self.options[
            min(bisect_right(self.sums, chance * self.sums[-1]), len(self.options) - 1)
        ]

    def mean(self, value: Callable[[T], float]) -> float:
        """Return the mean of a value over the options as they are drawn."""
        before = (0.0, *self.sums)
        parts = [
            value(option) * (upto - since)
            for option, since, upto in zip(self.options, before, self.sums, strict=False)
        ]
        return sum(parts) / self.sums[-1]


@dataclass(frozen=True)
class Choice:
    """The chances of every template, for users who have enough of everything; `draw` adapts them to those who do not.

    Attributes:
        tilt: a template's weight among those of its pattern is e^(tilt x utterances), solved so
            that the mean is as aimed at.
        expected_utterances: mean utterances for users who have enough likes and dislikes.
    """

    tilt: float
    expected_utterances: float
    weights: Mapping[int, float]
    by_pattern: Mapping[Pattern, Weighted[Template]]
    _fitting: dict[Pattern, tuple[Weighted[int], dict[int, Weighted[Pattern]]]] = field(
        default_factory=dict, repr=False
    )

    def draw(self, seed: int, user_id: str, position: int, have: Pattern) -> Template | None:
        """Draw a dialogue's template from seed, user and position, among those that `have` (likes, dislikes) is enough for.

        Chances of what does not fit go to what does, in proportion. Returns None when nothing fits.
        """
        classes, patterns = self._fit(have)
        if not classes.options:
            return None
        chosen = classes.pick(unit(seed, "recommendations", user_id, position))
        used = patterns[chosen].pick(unit(seed, "pattern", user_id, position))
        return self.by_pattern[used].pick(unit(seed, "template", user_id, position))

    def _fit(self, have: Pattern) -> tuple[Weighted[int], dict[int, Weighted[Pattern]]]:
        most = max(self.weights, default=0)
        known = (min(have[0], most), min(have[1], most))
        if known not in self._fitting:
            self._fitting[known] = _chances(
                self.weights,
                [used for used in self.by_pattern if used[0] <= known[0] and used[1] <= known[1]],
            )
        return self._fitting[known]


def make_choice(templates: Sequence[Template], settings: Briefs) -> Choice:
    """Work out the chances of a set's templates.

    Recommendations follow `settings.weights`, patterns of likes and dislikes the published table,
    and lengths are tilted towards `settings.mean_utterances` by one factor for all. A mean the set
    cannot reach is approached as far as it goes.
    """
    shares: dict[int, float] = dict(settings.weights)  # type: ignore[arg-type]
    groups: dict[Pattern, list[Template]] = {}
    for template in sorted(templates, key=lambda template: template.template_id):
        if template.recommendations in shares:
            groups.setdefault(pattern(template), []).append(template)
    weights = {sum(used): shares[sum(used)] for used in groups}
    tilt = _solve(lambda tilt: _mean(groups, weights, tilt), settings.mean_utterances)
    return Choice(tilt, _mean(groups, weights, tilt), weights, _tilted(groups, tilt))


def _tilted(
    groups: Mapping[Pattern, Sequence[Template]], tilt: float
) -> dict[Pattern, Weighted[Template]]:
    longest = max(
        (len(template.turns) for group in groups.values() for template in group), default=0
    )
    return {
        used: Weighted.of(
            (template, math.exp(tilt * (len(template.turns) - longest))) for template in group
        )
        for used, group in groups.items()
    }


def _chances(
    weights: Mapping[int, float], patterns: Iterable[Pattern]
) -> tuple[Weighted[int], dict[int, Weighted[Pattern]]]:
    """Return the chances of each number of recommendations and, for each, of its patterns: as many items as recommendations."""
    fitting: dict[int, list[Pattern]] = {}
    for used in sorted(patterns):
        fitting.setdefault(sum(used), []).append(used)
    by_class = {
        many: Weighted.of((used, PUBLISHED_PATTERNS[used]) for used in group)
        for many, group in fitting.items()
    }
    return Weighted.of((many, weights[many]) for many in sorted(by_class)), by_class


def _mean(
    groups: Mapping[Pattern, Sequence[Template]], weights: Mapping[int, float], tilt: float
) -> float:
    classes, patterns = _chances(weights, groups)
    if not classes.options:
        return math.nan
    lengths = {
        used: tilted.mean(lambda template: len(template.turns))
        for used, tilted in _tilted(groups, tilt).items()
    }
    return classes.mean(lambda many: patterns[many].mean(lambda used: lengths[used]))


def _solve(mean: Callable[[float], float], aim: float) -> float:
    """Return the tilt that gives the mean aimed at, by halving; the mean grows with the tilt."""
    low, high = -STEEPEST_TILT, STEEPEST_TILT
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if mean(middle) < aim else (low, middle)
    return (low + high) / 2

"""The template of a dialogue: drawn by number of recommendations, likes and dislikes, length."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, chain
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

Its 357 of the pattern (1, 3), three recommendations and one item more, do not fit the grammar and
are left out.
"""

# A template one utterance longer has e^4, 55 times the weight: beyond it only the longest is drawn.
MAX_TILT = 4.0
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
        options = tuple(option for option, _ in kept)
        return cls(options, tuple(accumulate(weight for _, weight in kept)))

    def pick(self, chance: float) -> T:
        """Return the option at `chance`, from [0, 1), of all weight.

        Raises IndexError when there is no option.
        """
        index = bisect_right(self.sums, chance * self.sums[-1])
        return self.options[min(index, len(self.options) - 1)]

    def mean(self, value: Callable[[T], float]) -> float:
        """Return the weighted mean of a value over the options."""
        before = (0.0, *self.sums)
        parts = [
            value(option) * (upto - since)
            for option, since, upto in zip(self.options, before, self.sums, strict=False)
        ]
        return sum(parts) / self.sums[-1]


@dataclass(frozen=True)
class Choice:
    """The chances of every template for users with enough items; `draw` adapts them to others.

    Attributes:
        tilt: a template's weight among those of its pattern is e^(tilt x utterances), solved for
            the mean of the settings.
        expected_utterances: mean utterances for users with enough likes and dislikes.
    """

    tilt: float
    expected_utterances: float
    weights: Mapping[int, float]
    by_pattern: Mapping[Pattern, Weighted[Template]]
    _fitting: dict[Pattern, tuple[Weighted[int], dict[int, Weighted[Pattern]]]] = field(
        default_factory=dict, repr=False
    )

    def draw(self, seed: int, user_id: str, position: int, available: Pattern) -> Template | None:
        """Draw a dialogue's template from seed, user and position; None if none fits.

        Templates that need more than the `available` (likes, dislikes) do not fit; their chances
        go to those that do, in proportion.
        """
        recommendations, patterns = self._fit(available)
        if not recommendations.options:
            return None
        number = recommendations.pick(unit(seed, "recommendations", user_id, position))
        likes_and_dislikes = patterns[number].pick(unit(seed, "pattern", user_id, position))
        return self.by_pattern[likes_and_dislikes].pick(unit(seed, "template", user_id, position))

    def _fit(self, available: Pattern) -> tuple[Weighted[int], dict[int, Weighted[Pattern]]]:
        # No template needs more items than there are recommendations.
        most = max(self.weights, default=0)
        likes, dislikes = min(available[0], most), min(available[1], most)
        if (likes, dislikes) not in self._fitting:
            fitting = [
                needed
                for needed in self.by_pattern
                if max(needed[0] - likes, needed[1] - dislikes) <= 0
            ]
            self._fitting[likes, dislikes] = _chances(self.weights, fitting)
        return self._fitting[likes, dislikes]


def make_choice(templates: Sequence[Template], settings: Briefs) -> Choice:
    """Return the chances of a set's templates.

    Recommendations follow `settings.weights`, patterns of likes and dislikes the published table,
    and lengths are weighted towards `settings.mean_utterances` by one factor for all. A mean that
    the set cannot reach is approximated.
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
    lengths = (len(template.turns) for template in chain.from_iterable(groups.values()))
    longest = max(lengths, default=0)

    def weighted(group: Sequence[Template]) -> Weighted[Template]:
        # Relative to the longest, so that the largest weight is 1 and nothing overflows.
        return Weighted.of(
            (template, math.exp(tilt * (len(template.turns) - longest))) for template in group
        )

    return {used: weighted(group) for used, group in groups.items()}


def _chances(
    weights: Mapping[int, float], patterns: Iterable[Pattern]
) -> tuple[Weighted[int], dict[int, Weighted[Pattern]]]:
    """Return the chances of each number of recommendations and, for each, of its patterns.

    A pattern has as many items as recommendations.
    """
    by_number: dict[int, list[tuple[Pattern, float]]] = {}
    for used in sorted(patterns):
        by_number.setdefault(sum(used), []).append((used, PUBLISHED_PATTERNS[used]))
    chances = {number: Weighted.of(group) for number, group in by_number.items()}
    return Weighted.of((number, weights[number]) for number in sorted(chances)), chances


def _mean(
    groups: Mapping[Pattern, Sequence[Template]], weights: Mapping[int, float], tilt: float
) -> float:
    recommendations, patterns = _chances(weights, groups)
    if not recommendations.options:
        return math.nan
    lengths = {
        used: tilted.mean(lambda template: len(template.turns))
        for used, tilted in _tilted(groups, tilt).items()
    }
    return recommendations.mean(lambda number: patterns[number].mean(lambda used: lengths[used]))


def _solve(mean: Callable[[float], float], target: float) -> float:
    """Return the tilt that gives the target mean, by bisection; the mean grows with the tilt."""
    low, high = -MAX_TILT, MAX_TILT
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if mean(middle) < target:
            low = middle
        else:
            high = middle
    return (low + high) / 2

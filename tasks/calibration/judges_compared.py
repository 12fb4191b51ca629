"""Whether judges agree: what each two of them say of the same dialogues."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from tasks.intervals import Z_95, Interval, PairedCounts, wilson
from tasks.judge import Fault


@dataclass(frozen=True)
class Agreement:
    """What two judges say of the dialogues on which both have a verdict.

    Attributes:
        first, second: their models.
        counts: dialogues that both reject, the first alone, the second alone, and neither.
    """

    first: str
    second: str
    counts: PairedCounts

    @property
    def share(self) -> Interval:
        """Share of the dialogues of which both say the same."""
        return wilson(self.counts.both + self.counts.neither, self.counts.pairs)

    @property
    def kappa(self) -> Interval | None:
        """Cohen's kappa: 1 is full agreement, 0 what chance gives.

        The interval is from the standard error for large samples of Fleiss, Cohen and Everitt
        (Psychological Bulletin 72, 1969, 323-327). None where both say the same of all dialogues,
        so that chance explains it.
        """
        counts, total = self.counts, self.counts.pairs
        both, neither = counts.both / total, counts.neither / total
        apart = counts.first / total, counts.second / total
        first, second = both + apart[0], both + apart[1]
        by_chance = first * second + (1 - first) * (1 - second)
        if by_chance >= 1:
            return None
        kappa = (both + neither - by_chance) / (1 - by_chance)
        alone = 1 - kappa
        agreed = both * (1 - (first + second) * alone) ** 2
        agreed += neither * (1 - (2 - first - second) * alone) ** 2
        # What the first rejects alone: the second's share of rejections, the first's of the rest.
        differ = apart[0] * (second + 1 - first) ** 2 + apart[1] * (first + 1 - second) ** 2
        chance = (kappa - by_chance * alone) ** 2
        variance = max(0.0, agreed + alone**2 * differ - chance) / (total * (1 - by_chance) ** 2)
        half = Z_95 * math.sqrt(variance)
        return Interval(kappa, max(-1.0, kappa - half), min(1.0, kappa + half))


def agreements(found: Mapping[str, Sequence[Sequence[Fault] | None]]) -> list[Agreement]:
    """Return how far each two judges agree, where they have verdicts on the same dialogues.

    Args:
        found: by judge, the faults in each dialogue of one sample, in one order; None where there
            is no verdict.
    """
    compared = []
    for first, second in combinations(found, 2):
        pairs = Counter(
            (bool(one), bool(other))
            for one, other in zip(found[first], found[second], strict=True)
            if one is not None and other is not None
        )
        counts = PairedCounts(
            both=pairs[True, True],
            first=pairs[True, False],
            second=pairs[False, True],
            neither=pairs[False, False],
        )
        if counts.pairs:
            compared.append(Agreement(first, second, counts))
    return compared

"""How well rules and judges see defects, and what is left in a release by that.

A reader is a rule, all rules together, or a judge. Its sensitivity is the share of defective
dialogues that it rejects, its specificity the share of good ones that it does not, each with
Wilson's interval.

What is left is estimated from what a judge finds in a sample of the accepted dialogues. With p the
share that it rejects there, Se its sensitivity and Sp its specificity, the share with a defect is

    (p + Sp - 1) / (Se + Sp - 1)

(Rogan and Gladen, American Journal of Epidemiology 107, 1978, 71-76). The interval is that of Lang
and Reiczigel (Preventive Veterinary Medicine 113, 2014, 13-22), which counts the chance in Se and
Sp too: with n the sample, m and k the dialogues that Se and Sp were measured on, z = 1.96,

    p' = (n p + z^2/2) / (n + z^2)   Se' = (m Se + 1) / (m + 2)   Sp' = (k Sp + 1) / (k + 2)
    w  = (p' + Sp' - 1) / (Se' + Sp' - 1)
    d  = 2 z^2 (w Se' (1 - Se') / (m + 2) - (1 - w) Sp' (1 - Sp') / (k + 2))
    s  = sqrt(p' (1 - p') / (n + z^2) + w^2 Se' (1 - Se') / (m + 2)
              + (1 - w)^2 Sp' (1 - Sp') / (k + 2)) / (Se' + Sp' - 1)

it is w + d - z s to w + d + z s, cut to 0 and 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from tasks.intervals import Z_95, Interval, wilson

Source = Literal["planted", "people", "released"]
GOOD: Final = "good"
RELEASED: Final = "released"
GRADED: Final = "graded"
ALL_RULES: Final = "all rules"


@dataclass(frozen=True)
class Reading:
    """What a reader said of dialogues of one kind.

    Attributes:
        reader: a rule's name, `ALL_RULES` or a judge's model.
        source: who knows what is wrong: we, who planted it, or people; of `released` ones nobody.
        kind: what is wrong with them; `GOOD` if nothing is, `RELEASED` if nobody knows.
        dialogues: how many it read.
        found: how many of them it rejected.
    """

    reader: str
    source: Source
    kind: str
    dialogues: int
    found: int

    @property
    def share(self) -> Interval | None:
        """Sensitivity, or specificity for `GOOD`; None without a dialogue."""
        if not self.dialogues:
            return None
        right = self.dialogues - self.found if self.kind == GOOD else self.found
        return wilson(right, self.dialogues)


@dataclass(frozen=True)
class Left:
    """What is estimated to be left in a release.

    Attributes:
        reader: the judge.
        sampled: accepted dialogues that it read.
        share: with a defect, from 0 to 1.
        is_bound: no specificity is known, so that each finding counts as true: it is at most this.
    """

    reader: str
    sampled: int
    share: Interval
    is_bound: bool


def rogan_gladen(
    found: tuple[int, int], sensitivity: tuple[int, int], specificity: tuple[int, int]
) -> Interval | None:
    """Return the share of defective dialogues with its 95 % interval; see the module.

    Args:
        found: dialogues of the sample that were rejected, and all of it.
        sensitivity: defective dialogues that were rejected, and all of them.
        specificity: good dialogues that were not rejected, and all of them.

    Returns:
        None where the reader is no better than chance.

    Raises ValueError without a dialogue of one of the three.
    """
    if not (found[1] and sensitivity[1] and specificity[1]):
        raise ValueError("each of the three needs a dialogue")
    value = _share(found[0] / found[1], *_ratios(sensitivity, specificity))
    n, m, k = found[1] + Z_95**2, sensitivity[1] + 2, specificity[1] + 2
    p, se, sp = (found[0] + Z_95**2 / 2) / n, (sensitivity[0] + 1) / m, (specificity[0] + 1) / k
    w = _share(p, se, sp)
    if value is None or w is None:
        return None
    of_se, of_sp = se * (1 - se) / m, sp * (1 - sp) / k
    shift = 2 * Z_95**2 * (w * of_se - (1 - w) * of_sp)
    spread = math.sqrt(p * (1 - p) / n + w**2 * of_se + (1 - w) ** 2 * of_sp) / (se + sp - 1)
    low, high = w + shift - Z_95 * spread, w + shift + Z_95 * spread
    value = _within(value)
    return Interval(value, min(value, _within(low)), max(value, _within(high)))


def _ratios(*counts: tuple[int, int]) -> tuple[float, float]:
    (first, second) = (count / total for count, total in counts)
    return first, second


def _share(found: float, sensitivity: float, specificity: float) -> float | None:
    better_than_chance = sensitivity + specificity - 1
    return (found + specificity - 1) / better_than_chance if better_than_chance > 0 else None


def _within(share: float) -> float:
    return min(1.0, max(0.0, share))


def left_in_release(readings: Iterable[Reading], reader: str) -> Left | None:
    """Return what is estimated to be left, by what a judge said; None where it cannot be.

    Sensitivity is that over all planted defects, which are as many of each kind; specificity is
    what people's good dialogues say. Without these each finding counts as true, and the estimate is
    an upper bound.
    """
    own = [reading for reading in readings if reading.reader == reader]
    released = _sum(one for one in own if one.kind == RELEASED)
    defective = _sum(one for one in own if one.kind not in (RELEASED, GOOD))
    good = _sum(one for one in own if one.kind == GOOD and one.source == "people")
    if not released[1] or not defective[1]:
        return None
    without = good[1] == 0
    # Of no dialogues that are known to be good none is rejected: a great many stand for certainty.
    specificity = (_CERTAIN, _CERTAIN) if without else (good[1] - good[0], good[1])
    share = rogan_gladen(released, defective, specificity)
    return None if share is None else Left(reader, released[1], share, without)


_CERTAIN: Final = 10**9


def _sum(readings: Iterable[Reading]) -> tuple[int, int]:
    """Return how many dialogues were found and how many were read."""
    listed = list(readings)
    return sum(one.found for one in listed), sum(one.dialogues for one in listed)


def left_by_judges(readings: Sequence[Reading]) -> list[Left]:
    """Return what is estimated to be left by each judge that read dialogues of the release."""
    judges = sorted({one.reader for one in readings if one.source == "released"})
    left = (left_in_release(readings, judge) for judge in judges)
    return [one for one in left if one is not None]


def left_text(left: Left, accepted: int) -> str:
    """Return what is left in words, such as "of 9,812 accepted, 2.1 % [1.3, 3.2] hold a defect"."""
    value, low, high = (100 * one for one in (left.share.value, left.share.low, left.share.high))
    bound = "at most " if left.is_bound else ""
    return (
        f"of {accepted:,} accepted dialogues, {bound}{value:.1f} % [{low:.1f}, {high:.1f}] hold a "
        f"defect, by {left.reader} on {left.sampled:,} of them"
    )


def not_calibrated(readings: Sequence[Reading], rules: Iterable[str]) -> list[str]:
    """Return the rules for which no defect was planted and none was named by people."""
    known = {reading.reader for reading in readings if reading.kind != GOOD}
    return [rule for rule in rules if rule not in known]

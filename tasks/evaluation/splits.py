"""Leak-safe splits of samples into training, validation and test."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from tasks.errors import UserError
from tasks.evaluation.samples import Sample
from tasks.fingerprint import unit

By = Literal["time", "user", "item"]
SHARES = (0.8, 0.1, 0.1)


@dataclass(frozen=True)
class Split:
    """Three disjoint sets of samples.

    `rule` says how they were split, `dropped` how many training samples would have leaked.
    """

    train: tuple[Sample, ...]
    valid: tuple[Sample, ...]
    test: tuple[Sample, ...]
    rule: str
    dropped: int = 0


def split_samples(
    samples: Sequence[Sample], by: By, *, seed: int = 0, shares: tuple[float, float, float] = SHARES
) -> Split:
    """Split samples so that nothing of a test question is in training.

    - `user`: a user (a dialogue, where users are not told apart) is on one side only.
    - `item`: a target is on one side only, and a training sample whose context names a held-out
      target is dropped.
    - `time`: what was rated last is the test; equal times stay together. Where the corpus tells no
      times, each user's dialogues go by
      their order instead: the last one is test, the one before it validation, and who has a single
          dialogue is in training.

    Args:
        samples: as `recommendation_samples` gives them.
        by: the rule.
        seed: of the draw by user or item.
        shares: of training, validation and test; they add up to 1.

    Raises:
        UserError: an unknown rule, or shares that do not add up to 1.
    """
    if by not in get_args(By):
        raise UserError(f"unknown split {by!r}: known are {', '.join(get_args(By))}")
    if min(shares) < 0 or abs(sum(shares) - 1) > 1e-9:
        raise UserError("the shares of training, validation and test must add up to 1")
    if by == "time":
        return _by_time(samples, shares)
    if by == "user":
        return _divide(
            samples, lambda sample: _side(unit(seed, "user", sample.cluster), shares), "by user"
        )
    return _by_item(samples, seed, shares)


def _side(share: float, shares: tuple[float, float, float]) -> int:
    """Return the index of the split (training, validation, test) that a share falls in."""
    if share < shares[0]:
        return 0
    return 1 if share < shares[0] + shares[1] else 2


def _divide(samples: Sequence[Sample], side: Callable[[Sample], int], rule: str) -> Split:
    parts: tuple[list[Sample], list[Sample], list[Sample]] = ([], [], [])
    for sample in samples:
        parts[side(sample)].append(sample)
    return Split(tuple(parts[0]), tuple(parts[1]), tuple(parts[2]), rule)


def _by_item(samples: Sequence[Sample], seed: int, shares: tuple[float, float, float]) -> Split:
    side = {sample.target: _side(unit(seed, "item", sample.target), shares) for sample in samples}
    split = _divide(samples, lambda sample: side[sample.target], "by target item")
    held_out = {target for target, where in side.items() if where}
    kept = tuple(sample for sample in split.train if not sample.mentioned & held_out)
    tested = {target for target, where in side.items() if where == 2}
    valid = tuple(sample for sample in split.valid if not sample.mentioned & tested)
    dropped = len(split.train) - len(kept) + len(split.valid) - len(valid)
    return Split(kept, valid, split.test, split.rule, dropped)


def _by_time(samples: Sequence[Sample], shares: tuple[float, float, float]) -> Split:
    times = sorted(sample.timestamp for sample in samples if sample.timestamp is not None)
    if len(times) < len(samples) or not times or times[0] == times[-1]:
        return _by_order(samples)
    first_valid = times[min(int(shares[0] * len(times)), len(times) - 1)]
    first_test = times[min(int((shares[0] + shares[1]) * len(times)), len(times) - 1)]

    def side(sample: Sample) -> int:
        time = sample.timestamp or 0
        return (time >= first_valid) + (time >= first_test)

    return _divide(samples, side, "by the time the target was rated")


def _by_order(samples: Sequence[Sample]) -> Split:
    last: dict[str, int] = {}
    for sample in samples:
        last[sample.cluster] = max(last.get(sample.cluster, 0), sample.position)

    def side(sample: Sample) -> int:
        behind = last[sample.cluster] - sample.position
        return 0 if last[sample.cluster] == 1 or behind > 1 else 2 - behind

    return _divide(
        samples, side, "by the order of each user's dialogues (the corpus tells no times)"
    )

"""What the protocol of He et al. (2023) works on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Nearest:
    """What one generated name was taken for.

    Attributes:
        distance: Levenshtein distance in small letters to the nearest entity name.
        name: the entity name chosen.
        ties: every entity name at that distance, in alphabetical order; the protocol's own code
            takes whichever its set yields first.
    """

    generated: str
    distance: int
    name: str
    ties: tuple[str, ...] = ()


@dataclass(frozen=True)
class Question:
    """One answer of the test set: what was generated, which entities are the targets, which were mentioned before."""

    generated: tuple[Nearest, ...]
    targets: tuple[str, ...]
    mentioned: frozenset[str]


@dataclass(frozen=True)
class Variant:
    """One of the protocol's four settings: names further than two edits dropped or not, entities mentioned before dropped or not."""

    near_only: bool
    drop_mentioned: bool


VARIANTS = tuple(Variant(near, drop) for near in (False, True) for drop in (False, True))

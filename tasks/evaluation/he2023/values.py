"""What the protocol of He et al. (2023) works on."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product, starmap


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
    """One answer of the test set: generated text, target entities and entities mentioned before."""

    generated: tuple[Nearest, ...]
    targets: tuple[str, ...]
    mentioned: frozenset[str]


@dataclass(frozen=True)
class Variant:
    """One of the protocol's four settings.

    Names further than two edits away are dropped or not, and so are entities mentioned before.
    """

    near_only: bool
    drop_mentioned: bool


VARIANTS = tuple(starmap(Variant, product((False, True), repeat=2)))

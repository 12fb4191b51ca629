"""How varied a corpus is by sense: how alike its utterances are, which dialogues say the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tasks.semantic.encoder import Vectors, encode

MOST_UTTERANCES: Final = 10_000  # compared each with each; of a larger corpus a part is drawn
NEAR: Final = 0.9  # cosine from which two utterances say the same
MOSTLY: Final = 0.8  # of a dialogue's utterances, from which it says the same as another
_BLOCK: Final = 500  # utterances compared with all at once

Spoken = tuple[str, str, str]
"""A dialogue's name, the role and the text of one utterance."""


@dataclass(frozen=True)
class Diversity:
    """What was found.

    Attributes:
        utterances, dialogues: how many were compared.
        mean_cosine: by role, over all pairs of its utterances; None below two. The higher, the more
            alike.
        near_utterances: those that say the same as one of another dialogue.
        near_dialogues: those most of whose utterances say the same as those of one other dialogue.
    """

    utterances: int
    dialogues: int
    mean_cosine: dict[str, float | None]
    near_utterances: int
    near_dialogues: int


def diversity(corpus: Iterable[Spoken], threads: int | None = None) -> Diversity:
    """Return how varied a corpus is.

    Whole dialogues are drawn by a hash of their names until `MOST_UTTERANCES` are reached, so the
    same corpus always gives the same part.

    Args:
        corpus: its utterances.
        threads: of the model; those of `tasks.machine` if not given.

    Raises:
        UserError: the extra `[semantic]` is not installed.
    """
    drawn = _drawn(corpus)
    vectors = encode([text for _, _, text in drawn], threads)
    names = list(dict.fromkeys(dialogue for dialogue, _, _ in drawn))
    number = {name: place for place, name in enumerate(names)}
    owners = np.array([number[dialogue] for dialogue, _, _ in drawn], np.int64)
    roles = np.array([role for _, role, _ in drawn])
    near = _near_others(vectors, owners, len(names))
    sizes = np.bincount(owners, minlength=len(names))
    return Diversity(
        len(drawn),
        len(names),
        {str(role): _mean_cosine(vectors[roles == role]) for role in sorted(set(roles.tolist()))},
        near.utterances,
        int(np.count_nonzero(near.most_shared >= MOSTLY * sizes)),
    )


def _drawn(corpus: Iterable[Spoken]) -> list[Spoken]:
    by_dialogue: dict[str, list[Spoken]] = {}
    for spoken in corpus:
        by_dialogue.setdefault(spoken[0], []).append(spoken)
    drawn: list[Spoken] = []
    for name in sorted(by_dialogue, key=_order):
        if drawn and len(drawn) + len(by_dialogue[name]) > MOST_UTTERANCES:
            break
        drawn += by_dialogue[name]
    return drawn


def _order(name: str) -> bytes:
    return blake2b(name.encode("utf-8", "replace"), digest_size=8).digest()


def _mean_cosine(vectors: Vectors) -> float | None:
    """Return the mean over all pairs, from the length of the vectors' sum."""
    count = len(vectors)
    if count < 2:
        return None
    total = vectors.sum(axis=0, dtype=np.float64)
    return float((total @ total - count) / (count * (count - 1)))


@dataclass(frozen=True)
class _Near:
    """Utterances near one of another dialogue; by dialogue, the most near to one other."""

    utterances: int
    most_shared: NDArray[np.int64]


def _near_others(vectors: Vectors, owners: NDArray[np.int64], dialogues: int) -> _Near:
    found: list[NDArray[np.int64]] = [np.empty((0, 2), np.int64)]
    for begin in range(0, len(vectors), _BLOCK):
        rows, others = np.nonzero(vectors[begin : begin + _BLOCK] @ vectors.T >= NEAR)
        rows += begin
        apart = owners[rows] != owners[others]
        # An utterance near several of one dialogue counts once.
        pairs = np.stack([rows[apart], owners[others[apart]]], axis=1)
        found.append(np.unique(pairs, axis=0))
    near = np.concatenate(found)
    shared, counts = np.unique(
        np.stack([owners[near[:, 0]], near[:, 1]], axis=1), axis=0, return_counts=True
    )
    most = np.zeros(dialogues, np.int64)
    np.maximum.at(most, shared[:, 0], counts)
    return _Near(len(np.unique(near[:, 0])), most)


def shown_diversity(found: Diversity) -> dict[str, int | float | None]:
    """Return what was found under names for people."""
    roles: Sequence[tuple[str, float | None]] = sorted(found.mean_cosine.items())
    means = {f"Mean cosine of two utterances, {role}": mean for role, mean in roles}
    return {
        "#Utterances compared": found.utterances,
        "#Dialogues compared": found.dialogues,
        **means,
        f"#Utterances as in another dialogue (cosine {NEAR})": found.near_utterances,
        f"#Dialogues as another ({MOSTLY:.0%} of their utterances)": found.near_dialogues,
    }

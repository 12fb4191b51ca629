"""What every corpus looks like here, whatever layout it came in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from tasks.statistics import Statistics, corpus_statistics

Role = Literal["user", "agent"]


@dataclass(frozen=True)
class Utterance:
    """One utterance; `items` are ids of the catalogue items it names."""

    role: Role
    text: str
    items: tuple[str, ...] = ()


@dataclass(frozen=True)
class Dialogue:
    """One dialogue.

    Attributes:
        user_id: None where the corpus does not tell users apart.
        position: the dialogue's place among its user's, from 1.
        targets: the items the dialogue was made to recommend; empty where the corpus names none.
    """

    dialogue_id: str
    utterances: tuple[Utterance, ...]
    user_id: str | None = None
    position: int = 1
    targets: tuple[str, ...] = ()


@dataclass(frozen=True)
class Interaction:
    """One rating of one item by one user; rating and time (Unix seconds) are None where the corpus does not tell."""

    user_id: str
    item_id: str
    rating: float | None = None
    timestamp: int | None = None


@dataclass(frozen=True)
class Corpus:
    """A corpus: dialogues, the catalogue's titles by item id, and each user's history in the corpus's order.

    `interactions` holds the histories and the targets with what is known of them, if the corpus
    tells.
    """

    name: str
    dialogues: tuple[Dialogue, ...]
    titles: Mapping[str, str] = field(default_factory=dict)
    history: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    interactions: tuple[Interaction, ...] = ()

    def statistics(self) -> Statistics:
        """Return Table 3 for the corpus; see `corpus_statistics` for what is counted.

        Users count where every dialogue tells its own.
        """
        users = {dialogue.user_id for dialogue in self.dialogues}
        spoken = (
            (number, utterance.text)
            for number, dialogue in enumerate(self.dialogues)
            for utterance in dialogue.utterances
        )
        counted = corpus_statistics(
            spoken,
            users=None if None in users else len(users) or None,
            items=len(self.titles) or None,
        )
        return replace(
            counted, dialogues=len(self.dialogues)
        )  # also those in which nobody said anything

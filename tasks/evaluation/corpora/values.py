"""The one form of every corpus, for all layouts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
        user_id: None where the corpus does not identify users.
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
    """One rating of one item by one user; rating and time (Unix seconds) may be unknown."""

    user_id: str
    item_id: str
    rating: float | None = None
    timestamp: int | None = None


@dataclass(frozen=True)
class Corpus:
    """A corpus: dialogues, titles by item id, and each user's history in corpus order.

    `interactions` holds the histories and the targets with their ratings and times, where known.
    """

    name: str
    dialogues: tuple[Dialogue, ...]
    titles: Mapping[str, str] = field(default_factory=dict)
    history: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    interactions: tuple[Interaction, ...] = ()

    def statistics(self) -> Statistics:
        """Return Table 3 for the corpus; see `corpus_statistics` for what is counted.

        Users count where every dialogue has one.
        """
        users = {dialogue.user_id for dialogue in self.dialogues}
        counted = corpus_statistics(
            self._texts(),
            users=None if None in users else len(users) or None,
            items=len(self.titles) or None,
        )
        # Dialogues without utterances count too.
        return replace(counted, dialogues=len(self.dialogues))

    def spoken(self) -> list[tuple[str, str, str]]:
        """Return dialogue, role and text of each utterance."""
        return [
            (dialogue.dialogue_id, utterance.role, utterance.text)
            for dialogue in self.dialogues
            for utterance in dialogue.utterances
        ]

    def _texts(self) -> Iterator[tuple[int, str]]:
        """Yield each utterance's text with the number of its dialogue."""
        for number, dialogue in enumerate(self.dialogues):
            yield from ((number, utterance.text) for utterance in dialogue.utterances)

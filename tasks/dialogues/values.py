"""What an answer becomes when it is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

Format = Literal["grounded", "paper"]
"""How an answer is written.

`grounded` is JSON with item placeholders, `paper` is plain text, one line a turn.
"""


class RawTurn(NamedTuple):
    """One turn as the model wrote it.

    `role` is "user", "agent" or the unknown name it used; `text` still has its placeholders.
    """

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Reading:
    """The turns of an answer, before anything is known about its brief.

    Attributes:
        turns: the turns that could be read, in order.
        whole: whether the answer was written to its end; False for JSON or text that breaks off.
        error: why it could not be read (or not all of it); empty when it could.
    """

    turns: tuple[RawTurn, ...]
    whole: bool
    error: str = ""


class Utterance(NamedTuple):
    """One utterance, its placeholders replaced by clean titles; unknown ones stay.

    `turn` counts from 1, `goals` are the template's for this turn (none beyond its end), `item_ids`
    the items it names, the brief's first.
    """

    turn: int
    role: str
    text: str
    goals: tuple[str, ...]
    item_ids: tuple[str, ...]
    words: int


@dataclass(frozen=True, slots=True)
class Parsed:
    """One dialogue read from one answer.

    `complete` is True if it was written to its end, `parse_error` is what could not be read.
    """

    utterances: tuple[Utterance, ...]
    complete: bool
    parse_error: str


@dataclass(frozen=True)
class DialogueCounts:
    """How many dialogues and utterances were written.

    `incomplete` and `unreadable` count dialogues that are not complete or have a parse error.
    """

    dialogues: int
    incomplete: int
    unreadable: int
    utterances: int

    def __add__(self, other: DialogueCounts) -> DialogueCounts:
        """Return the sums of two counts."""
        return DialogueCounts(
            self.dialogues + other.dialogues,
            self.incomplete + other.incomplete,
            self.unreadable + other.unreadable,
            self.utterances + other.utterances,
        )

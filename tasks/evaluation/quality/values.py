"""What is judged for quality (4.1), by people and by models alike, and what they say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from tasks.evaluation.corpora import Dialogue, Utterance

Metric = Literal["fluency", "informativeness", "logic", "coherence"]
METRICS: tuple[Metric, ...] = get_args(Metric)
LOWEST, HIGHEST = 0, 2  # App. D.1
Choice = Literal["first", "second", "tie"]
CHOICES: tuple[Choice, ...] = get_args(Choice)


@dataclass(frozen=True)
class UtteranceTask:
    """One utterance to score on the four metrics, with what was said before it.

    `corpus` is never shown to a rater.
    """

    task_id: str
    corpus: str
    dialogue_id: str
    turn: int
    context: tuple[Utterance, ...]
    utterance: Utterance


@dataclass(frozen=True)
class PairTask:
    """Two conversations to compare, in the order shown.

    The corpora's names are never shown to a rater.
    """

    task_id: str
    first_corpus: str
    second_corpus: str
    first: Dialogue
    second: Dialogue

    def turned(self) -> PairTask:
        """Return the same pair in the other order, under the same id."""
        return PairTask(
            self.task_id, self.second_corpus, self.first_corpus, self.second, self.first
        )


NO_DEFECT: Final = "none"
DEFECTS: Final[Mapping[str, str]] = {
    NO_DEFECT: "nothing is wrong with it",
    "contradicted": "says of an item what its reviews contradict",
    "not_told": "says of an item what no review tells: an event, a name, a number, another work",
    "opinion": "praises what the user disliked, or blames what the user liked",
    "decision": "accepts what is to be turned down, or the other way round",
    "goals": "a turn does not do what it is there for, such as ask",
    "speech": "reads as the other side, or as a program",
    "gives_away": "gives the item away before it is recommended",
    "self_contradiction": "contradicts an earlier turn",
    "other": "something else",
}
"""What may be wrong with a dialogue, as people choose it, in words."""


@dataclass(frozen=True)
class DefectTask:
    """One dialogue in which to look for a defect, with what it was written from.

    Attributes:
        told: lines of what its reviews say, by item.
        dialogue: its id in the warehouse, and its utterances.
    """

    task_id: str
    corpus: str
    told: tuple[str, ...]
    dialogue: Dialogue


@dataclass(frozen=True)
class Defect:
    """What one person says of one dialogue: the kind of defect, and its turn, from 1.

    The turn is 0 where the kind is `NO_DEFECT`.
    """

    dialogue_id: str
    rater: str
    kind: str
    turn: int


@dataclass(frozen=True)
class Rating:
    """One rater's score of one utterance on one metric."""

    task_id: str
    rater: str
    metric: Metric
    value: int


@dataclass(frozen=True)
class Preference:
    """One rater's choice between two conversations; `shown_first` is a corpus's name."""

    task_id: str
    rater: str
    choice: Choice
    shown_first: str
    shown_second: str

    @property
    def winner(self) -> str | None:
        """The corpus chosen; None for a tie."""
        return {"first": self.shown_first, "second": self.shown_second, "tie": None}[self.choice]

"""What is judged for quality (4.1), by people and by models alike, and what they say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

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

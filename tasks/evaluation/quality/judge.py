"""A language model as judge of dialogues (4.1, App.

D.1): single utterances, and pairs in both orders.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from string import Template

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tasks.errors import UserError
from tasks.evaluation.answer_formats import choice_format, grades_format
from tasks.evaluation.concurrent_asks import AskFor, Watch, ask_all
from tasks.evaluation.corpora import Utterance
from tasks.evaluation.quality.choices import parse_choice
from tasks.evaluation.quality.grades import parse_grades
from tasks.evaluation.quality.values import (
    HIGHEST,
    LOWEST,
    METRICS,
    PairTask,
    Preference,
    Rating,
    UtteranceTask,
)
from tasks.llm import Message
from tasks.prompts import fence
from tasks.settings import Home, read_yaml, validation_line


class JudgeProfile(BaseModel):
    """The words a judge is asked with.

    Texts take the places `$context $utterance` and `$first $second`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    version: int = Field(ge=1)
    temperature: float = Field(0.0, ge=0, le=2)
    system: str
    utterance: str
    pair: str


@dataclass(frozen=True)
class Unread:
    """A question without a verdict; `answered` is True if the answer could not be read."""

    task_id: str
    answered: bool


@dataclass(frozen=True)
class Judged:
    """One judge's ratings and preferences, and the questions that gave no verdict."""

    ratings: tuple[Rating, ...] = ()
    preferences: tuple[Preference, ...] = ()
    unread: tuple[Unread, ...] = ()

    @property
    def unanswered(self) -> int:
        """Number of questions for which no answer came."""
        return sum(not one.answered for one in self.unread)

    @property
    def unreadable(self) -> int:
        """Number of answers that could not be read."""
        return sum(one.answered for one in self.unread)


def load_judge_profile(home: Home, name: str = "judge") -> JudgeProfile:
    """Load a judge's profile from goal_specs/evaluation.

    Raises UserError when it is missing or wrong.
    """
    path = home.project / "goal_specs" / "evaluation" / f"{name}.yaml"
    if not re.fullmatch(r"judge[a-z0-9_]*", name) or not path.is_file():
        raise UserError(
            f"unknown judge profile {name[:80]!r}: there is no "
            f"goal_specs/evaluation/{name[:80]}.yaml"
        )
    try:
        return JudgeProfile.model_validate(read_yaml(path))
    except ValidationError as error:
        raise UserError(f"{path}: {validation_line(error)}") from None


async def judge_utterances(
    ask_for: AskFor,
    profile: JudgeProfile,
    judge: str,
    tasks: Sequence[UtteranceTask],
    watch: Watch = lambda _: None,
) -> Judged:
    """Let a judge grade utterances.

    Args:
        ask_for: the way to the model for a task.
        profile: the words.
        judge: what the judge is called in ratings, such as "openai/gpt-4o-mini seed 1".
        tasks: what to grade.
        watch: called after every question.

    Raises:
        RunStopped: the budget is spent or the circuit breaker opened.
    """
    texts = await ask_all(
        [(ask_for(task.task_id), _utterance_messages(profile, task)) for task in tasks],
        grades_format(METRICS, LOWEST, HIGHEST),
        watch,
    )
    grades = [None if text is None else parse_grades(text) for text in texts]
    ratings: list[Rating] = []
    for task, by_metric in zip(tasks, grades, strict=True):
        for metric, value in (by_metric or {}).items():
            ratings.append(Rating(task.task_id, judge, metric, value))
    return Judged(tuple(ratings), (), _unread(tasks, texts, grades))


async def judge_pairs(
    ask_for: AskFor,
    profile: JudgeProfile,
    judge: str,
    tasks: Sequence[PairTask],
    watch: Watch = lambda _: None,
) -> Judged:
    """Let a judge compare conversations, each pair in both orders.

    Arguments and errors as in `judge_utterances`.
    """
    shown = list(chain.from_iterable((task, task.turned()) for task in tasks))
    texts = await ask_all(
        [(ask_for(task.task_id), _pair_messages(profile, task)) for task in shown],
        choice_format(),
        watch,
    )
    choices = [None if text is None else parse_choice(text) for text in texts]
    preferences = tuple(
        Preference(task.task_id, judge, choice, task.first_corpus, task.second_corpus)
        for task, choice in zip(shown, choices, strict=True)
        if choice is not None
    )
    return Judged((), preferences, _unread(shown, texts, choices))


def _unread(
    tasks: Sequence[UtteranceTask | PairTask],
    texts: Sequence[str | None],
    verdicts: Sequence[object],
) -> tuple[Unread, ...]:
    """Return the questions without a verdict."""
    return tuple(
        Unread(task.task_id, text is not None)
        for task, text, verdict in zip(tasks, texts, verdicts, strict=True)
        if verdict is None
    )


def _utterance_messages(profile: JudgeProfile, task: UtteranceTask) -> tuple[Message, ...]:
    text = Template(profile.utterance).substitute(
        context=_fenced(task.context), utterance=_fenced([task.utterance])
    )
    return ({"role": "system", "content": profile.system}, {"role": "user", "content": text})


def _pair_messages(profile: JudgeProfile, task: PairTask) -> tuple[Message, ...]:
    text = Template(profile.pair).substitute(
        first=_fenced(task.first.utterances), second=_fenced(task.second.utterances)
    )
    return ({"role": "system", "content": profile.system}, {"role": "user", "content": text})


def _fenced(context: Sequence[Utterance]) -> str:
    return fence([{"speaker": utterance.role, "text": utterance.text} for utterance in context])

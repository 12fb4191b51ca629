"""Small corpora, samples and answers for the evaluation's tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tasks.evaluation.corpora import Corpus, Dialogue, Interaction, Utterance
from tasks.llm.errors import CallFailed
from tasks.llm.values import Answer, Message

TITLES = {
    "i1": "Solaris",
    "i2": "1917",
    "i3": "Mystic River",
    "i4": "The Mummy",
    "i5": "300",
    "i6": "(500) Days of Summer",
}


def dialogue(
    number: int, user: str | None, position: int, target: str, *, named: bool = False
) -> Dialogue:
    """Return a dialogue of four turns that recommends a target; with `named` the user names it before."""
    title = TITLES[target]
    return Dialogue(
        f"d{number}",
        (
            Utterance(
                "user",
                f"I know {title} already." if named else "What is good?",
                (target,) if named else (),
            ),
            Utterance("agent", "Do you like space?"),
            Utterance("user", "I do."),
            Utterance("agent", f'Then "{title}".', (target,)),
        ),
        user,
        position,
        (target,),
    )


def talk_corpus(*, times: bool = True) -> Corpus:
    """Return three users' four dialogues; the last names its target before it is recommended."""
    dialogues = (
        dialogue(0, "ann", 1, "i1"),
        dialogue(1, "ann", 2, "i2"),
        dialogue(2, "bob", 1, "i3"),
        dialogue(3, "cat", 1, "i1", named=True),
    )
    history = {"ann": ("i4", "i5"), "bob": ("i4",), "cat": ("i5", "i6")}
    known = [Interaction(user, item, 5.0, 10) for user, items in history.items() for item in items]
    made = [
        Interaction("ann", "i1", 5.0, 20),
        Interaction("ann", "i2", 5.0, 30),
        Interaction("bob", "i3", 5.0, 40),
        Interaction("cat", "i1", 5.0, 50),
    ]
    interactions = tuple([*known, *made] if times else [])
    return Corpus("talk", dialogues, TITLES, history, interactions)


class Replies:
    """An `Ask` that answers with what a function makes of the messages, and counts what it was asked."""

    def __init__(self, reply: Callable[[tuple[Message, ...]], str | None]) -> None:
        self.asked: list[tuple[Message, ...]] = []
        self.formats: list[Mapping[str, Any] | None] = []
        self._reply = reply

    async def __call__(
        self,
        messages: tuple[Message, ...],
        *,
        response_format: Mapping[str, Any] | None = None,
        attempt: int = 1,
    ) -> Answer:
        self.asked.append(messages)
        self.formats.append(response_format)
        text = self._reply(messages)
        if text is None:
            raise CallFailed("no answer", "filtered", 1)
        return Answer(
            "k",
            text,
            "stop",
            1,
            1,
            0.0,
            0.0,
            "test/model",
            None,
            "test",
            "p",
            0,
            "2020-01-01T00:00:00Z",
        )

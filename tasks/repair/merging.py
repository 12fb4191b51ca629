"""Puts rewritten turns in the place of the broken ones."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from tasks.dialogues.grounded import read_grounded
from tasks.prompts import Spoken
from tasks.prompts.unwrapping import unwrapped

_SPEAKERS = ("agent", "user")  # of even turns and of odd ones
_NUMBER = re.compile(r'"turn"\s*:\s*"?(\d{1,3})\b')


def merge_turns(previous: str, repaired: str, asked: Collection[int]) -> list[Spoken]:
    """Return the dialogue with the turns asked for replaced.

    Turns asked for beyond the end of a dialogue that broke off are put behind it, as far as they follow on. A rewritten turn counts
    only if it was asked for; its speaker changes only to the one whose turn it is. One that was asked for and not given stays as it was,
    so that the gate finds the same fault again. An answer that repeats the whole dialogue is taken turn by turn the same way.

    Args:
        previous: the rejected answer, JSON or labelled lines.
        repaired: the answer to the repair request, its turns numbered or not.
        asked: turn numbers asked for, from 1.
    """
    turns = [Spoken(turn.role, turn.text) for turn in read_grounded(previous).turns]
    for number, role, text in sorted(_rewritten(repaired, len(turns), asked)):
        if number in asked and 1 <= number <= len(turns):
            turns[number - 1] = Spoken(role if role == _SPEAKERS[number % 2] else turns[number - 1].role, text)
        elif number in asked and number == len(turns) + 1:
            turns.append(Spoken(role, text))
    return turns


def _rewritten(answer: str, length: int, asked: Collection[int]) -> Iterator[tuple[int, str, str]]:
    """Yield the answer's turns with their numbers: those it gives, else by place in the whole dialogue or in what was asked for."""
    texts = read_grounded(answer).turns
    given = [int(number) for number in _NUMBER.findall(unwrapped(answer))]
    if len(given) != len(texts):
        given = list(range(1, length + 1)) if len(texts) == length else sorted(asked)
    for number, turn in zip(given, texts, strict=False):
        yield number, turn.role, turn.text

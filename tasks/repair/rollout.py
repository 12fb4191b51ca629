"""Asks for the broken turns of a dialogue again, and puts the new ones in their place."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tasks.briefs import Brief
from tasks.dialogues import RawTurn, read_grounded, read_plain, without_counts
from tasks.llm import Ask, Transcript
from tasks.model_output import message_text
from tasks.prompts import (
    Instructed,
    Profile,
    Spoken,
    as_transcript,
    render,
    render_repair,
    repair_scope,
)
from tasks.repair.briefs import BriefToRepair

_SPEAKERS = ("agent", "user")  # of even turns and of odd ones
# Ways in which an answer numbers its turns.
_NUMBERED = (
    # "turn": 5
    re.compile(
        r"""["'](?:turn|turn_?(?:number|id|index)|number|no|id|index|utterance_?(?:number|id)?)["']"""
        r"""\s*:\s*["']?(?:turn[ _]?)?(\d{1,3})\b""",
        re.IGNORECASE,
    ),
    # {"5": {"role": ...
    re.compile(r"""["'](?:turn[ _]?)?(\d{1,3})["']\s*:\s*\{""", re.IGNORECASE),
    # 5. User: ...
    re.compile(
        r"^[^\w\n]{0,6}(?:(?:turn|utterance|line)\s*)?#?(\d{1,3})[^\w\n]{1,8}(?=\w)",
        re.IGNORECASE | re.MULTILINE,
    ),
)
_OWN_NUMBER = re.compile(r"\s*[(\[]?(?:turn )?(\d{1,3})[.):\]]\)?\s+", re.IGNORECASE)


def merge_turns(previous: str, repaired: str, asked: Collection[int]) -> list[Spoken]:
    """Return the dialogue with the turns asked for replaced.

    Turns asked for after the end of a dialogue that broke off are added, as long as none is missing
    before them. A rewritten turn only counts if it was asked for; its speaker only changes to the
    one that must speak there. A turn that was asked for but not given stays as it was, so the gate
    finds the same fault again. The same is true of an answer that repeats the whole dialogue. If an
    answer numbers the turns asked for from 1 on (1, 2 for turns 3 and 7), they are taken in order.

    Args:
        previous: the rejected answer, JSON or labelled lines.
        repaired: the answer to the repair request, JSON or labelled lines, its turns numbered or
            not.
        asked: numbers of the turns asked for, from 1.
    """
    turns = [Spoken(turn.role, turn.text) for turn in without_counts(read_grounded(previous).turns)]
    for number, role, text in sorted(_rewritten(repaired, len(turns), asked)):
        due = _SPEAKERS[number % 2]
        if number not in asked or not 1 <= number <= len(turns) + 1:
            continue
        if number == len(turns) + 1:
            turns.append(Spoken(role if role in _SPEAKERS else due, text))
        else:
            turns[number - 1] = Spoken(role if role == due else turns[number - 1].role, text)
    return turns


def _rewritten(answer: str, length: int, asked: Collection[int]) -> Iterator[tuple[int, str, str]]:
    """Yield number, role and text of each turn of the answer.

    An answer as long as the whole dialogue repeats it; otherwise the numbers are those that it
    gives, or else those asked for, in order.
    """
    turns = _turns(answer)
    whole = max(length, *asked, 0)
    if len(turns) == whole:
        numbers = list(range(1, whole + 1))
    else:
        numbers = _numbers(answer, len(turns), asked)
    for number, turn in zip(numbers, turns, strict=False):
        yield number, turn.role, _without_number(turn.text, number)


def _without_number(text: str, number: int) -> str:
    """Return the text of a turn without its number at the start."""
    own = _OWN_NUMBER.match(text)
    return text[own.end() :] if own is not None and int(own[1]) == number else text


def _turns(answer: str) -> tuple[RawTurn, ...]:
    """Return the turns of a repair, from JSON or labelled lines, which may be of one speaker."""
    turns = read_grounded(answer).turns
    if turns:
        return turns
    lines = read_plain(answer).turns
    return lines if all(turn.role in _SPEAKERS for turn in lines) else ()


def _numbers(answer: str, turns: int, asked: Collection[int]) -> list[int]:
    """Return the numbers that an answer gives its turns, or else those that were asked for."""
    for form in _NUMBERED:
        numbers = [int(number) for number in form.findall(message_text(answer))]
        if len(numbers) == turns and not _counted_anew(numbers, asked):
            return numbers
    return sorted(asked)


def _counted_anew(numbers: Sequence[int], asked: Collection[int]) -> bool:
    """Return True if numbers count the turns asked for, and are not the turns' own."""
    return len(numbers) == len(asked) and not set(numbers) <= set(asked)


@dataclass(frozen=True)
class RepairRollout:
    """Asks once for what was broken. Works on `BriefToRepair`; `attempt` counts from 2.

    The transcript is the whole dialogue again, so that nothing after it depends on repairs.
    """

    profile: Profile
    goals: Mapping[str, Instructed]
    attempt: int
    name: str = "repair"

    @staticmethod
    def read_problem(text: str) -> str:
        """Return why an answer cannot be read as turns; empty if it can."""
        return "" if _turns(text) else "the answer holds no turns"

    async def __call__(self, brief: Brief, ask: Ask) -> Transcript:
        """Ask for the repair of one dialogue, or for all of it where no answer came before.

        Raises TypeError on a brief that was not asked before, and what `ask` raises.
        """
        if not isinstance(brief, BriefToRepair):
            raise TypeError("only a rejected brief can be repaired")
        if brief.previous or brief.findings:
            prompt = render_repair(self.profile, self.goals, brief, brief.previous, brief.findings)
        else:
            prompt = render(self.profile, self.goals, brief)
        answer = await ask(
            prompt.messages, response_format=prompt.response_format, attempt=self.attempt
        )
        scope = repair_scope(self.profile, brief, brief.findings)
        text = answer.text
        # Without a scope the whole dialogue was asked for.
        if scope:
            text = as_transcript(self.profile, merge_turns(brief.previous, text, scope))
        return Transcript(
            brief.dialogue_id,
            self.attempt,
            "answered",
            text,
            answer.finish_reason,
            (answer.request_key,),
        )

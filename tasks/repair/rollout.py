"""Puts rewritten turns in the place of the broken ones."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tasks.briefs import Brief
from tasks.dialogues import RawTurn, read_grounded, read_plain, without_counts
from tasks.llm import Ask, Transcript
from tasks.model_output import message_text
from tasks.prompts import Instructed, Profile, Spoken, as_transcript, render_repair, repair_scope
from tasks.repair.briefs import BriefToRepair

_SPEAKERS = ("agent", "user")  # of even turns and of odd ones
_NUMBERED = (
    re.compile(
        r"""["'](?:turn|turn_?(?:number|id|index)|number|no|id|index|utterance_?(?:number|id)?)["']\s*:\s*["']?(?:turn[ _]?)?(\d{1,3})\b""",
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

    Turns asked for beyond the end of a dialogue that broke off are put behind it, as far as they
    follow on. A rewritten turn counts only if it was asked for; its speaker changes only to the one
    whose turn it is. One that was asked for and not given stays as it was, so that the gate finds
    the same fault again. An answer that repeats the whole dialogue is taken turn by turn the same
    way, and one whose numbers count the turns asked for (1, 2 for turns 3 and 7) by place.

    Args:
        previous: the rejected answer, JSON or labelled lines.
        repaired: the answer to the repair request, JSON or labelled lines, its turns numbered or
            not.
        asked: turn numbers asked for, from 1.
    """
    turns = [Spoken(turn.role, turn.text) for turn in without_counts(read_grounded(previous).turns)]
    for number, role, text in sorted(_rewritten(repaired, len(turns), asked)):
        if number in asked and 1 <= number <= len(turns):
            turns[number - 1] = Spoken(
                role if role == _SPEAKERS[number % 2] else turns[number - 1].role, text
            )
        elif number in asked and number == len(turns) + 1:
            turns.append(Spoken(role if role in _SPEAKERS else _SPEAKERS[number % 2], text))
    return turns


def _rewritten(answer: str, length: int, asked: Collection[int]) -> Iterator[tuple[int, str, str]]:
    """Yield the answer's turns with their numbers: those it gives, else by place in the whole dialogue or in what was asked for."""
    turns = _turns(answer)
    whole = max(length, *asked, 0)
    given = list(range(1, whole + 1)) if len(turns) == whole else _given(answer, len(turns), asked)
    for number, turn in zip(given, turns, strict=False):
        own = _OWN_NUMBER.match(turn.text)
        yield (
            number,
            turn.role,
            turn.text[own.end() :] if own is not None and int(own[1]) == number else turn.text,
        )


def _turns(answer: str) -> tuple[RawTurn, ...]:
    """Return the turns of a repair: of JSON, or of labelled lines, which may be one speaker's alone."""
    turns = read_grounded(answer).turns
    if turns:
        return turns
    lines = read_plain(answer).turns
    return lines if all(turn.role in _SPEAKERS for turn in lines) else ()


def _given(answer: str, turns: int, asked: Collection[int]) -> list[int]:
    """Return the numbers an answer gives its turns, one each; what was asked for where it gives none of that."""
    for form in _NUMBERED:
        numbers = [int(number) for number in form.findall(message_text(answer))]
        if len(numbers) == turns and not _counted_anew(numbers, asked):
            return numbers
    return sorted(asked)


def _counted_anew(numbers: Sequence[int], asked: Collection[int]) -> bool:
    """Return True if numbers count what was asked for from the first on, and are not the turns' own."""
    return len(numbers) == len(asked) and not set(numbers) <= set(asked)


@dataclass(frozen=True)
class RepairRollout:
    """Asks once for what was broken. Works on `BriefToRepair`; `attempt` counts from 2.

    The transcript is the whole dialogue again, so that everything after it need not know of
    repairs.
    """

    profile: Profile
    goals: Mapping[str, Instructed]
    attempt: int
    name: str = "repair"

    async def __call__(self, brief: Brief, ask: Ask) -> Transcript:
        """Ask for the repair of one dialogue.

        Raises TypeError on a brief without findings, and whatever `ask` raises.
        """
        if not isinstance(brief, BriefToRepair):
            raise TypeError("only a rejected brief can be repaired")
        prompt = render_repair(self.profile, self.goals, brief, brief.previous, brief.findings)
        answer = await ask(
            prompt.messages, response_format=prompt.response_format, attempt=self.attempt
        )
        scope = repair_scope(self.profile, brief, brief.findings)
        text = (
            as_transcript(self.profile, merge_turns(brief.previous, answer.text, scope))
            if scope
            else answer.text
        )
        return Transcript(
            brief.dialogue_id,
            self.attempt,
            "answered",
            text,
            answer.finish_reason,
            (answer.request_key,),
        )

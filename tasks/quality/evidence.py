"""What is shown of a dialogue that broke a rule: the offending piece, with its turn. Looked up for failing dialogues only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tasks.quality.surface import PATTERNS, offending

LONGEST: Final = 200  # characters of one piece of evidence
WHOLE_DIALOGUE: Final = 0


@dataclass(frozen=True)
class Said:
    """One utterance of a failing dialogue, with its facts and what the plan says of it."""

    turn: int
    role: str
    text: str
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class Case:
    """One failing dialogue: its dialogue facts, how its answer ended, and its utterances."""

    facts: Mapping[str, Any]
    parse_error: str
    finish_reason: str
    said: tuple[Said, ...]


def evidence(rule_evidence: str | None, columns: tuple[str, ...], case: Case) -> list[tuple[int, str]]:
    """Return (turn, piece) for each place where a dialogue broke a rule; turn 0 stands for the dialogue as a whole. Never empty."""
    if rule_evidence in WHOLE:
        return [WHOLE[rule_evidence](case)]
    if rule_evidence is not None:
        found = [(said.turn, cut(piece(rule_evidence, said))) for said in case.said if said.facts.get(rule_evidence)]
        if found:
            return found
    return [(WHOLE_DIALOGUE, cut(", ".join(f"{column} = {case.facts[column]}" for column in columns)))]


def piece(fact: str, said: Said) -> str:
    """Return the part of an utterance that makes a fact true; the whole utterance where no smaller part can be named."""
    if fact in PATTERNS:
        return offending(fact, said.text) or said.text
    return said.text


def cut(text: str) -> str:
    """Return at most `LONGEST` characters."""
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "\u2026"


def _ending(case: Case) -> tuple[int, str]:
    last = case.said[-1] if case.said else None
    why = case.parse_error or (f"finish reason {case.finish_reason!r}" if case.finish_reason != "stop" else "the last sentence breaks off")
    return (last.turn, cut(f"{why}: \u2026{last.text[-100:]}")) if last else (WHOLE_DIALOGUE, cut(why))


def _length(case: Case) -> tuple[int, str]:
    read, difference = case.facts["utterances"], case.facts["length_difference"]
    return WHOLE_DIALOGUE, f"{read} utterances where the template has {read - difference}"


WHOLE: Final[Mapping[str | None, Callable[[Case], tuple[int, str]]]] = {"ending": _ending, "length": _length}

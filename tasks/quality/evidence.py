"""What is shown of a dialogue that broke a rule: the offending piece, with its turn.

Looked up for failing dialogues only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tasks.quality.text_patterns import (
    GARBLED,
    PERSONAL,
    TEMPLATE_LEFT,
    offending,
    titles_in_quotes,
)
from tasks.quality.values import Rule
from tasks.word_runs import longest_shared

LONGEST: Final = 200  # characters of one piece of evidence
WHOLE_DIALOGUE: Final = 0
NOTHING_SAID: Final = "the turn is empty"


@dataclass(frozen=True)
class Said:
    """One utterance of a failing dialogue: its facts, the brief's titles, and the titles missing, wrongly named, or named too early."""

    turn: int
    role: str
    text: str
    titles: Sequence[str]
    missing: Sequence[str]
    foreigners: Sequence[str]
    target_to_come: str
    facts: Mapping[str, Any]


@dataclass(frozen=True)
class Case:
    """One failing dialogue: its facts, how its answer ended, its utterances, its brief's reviews, and the dialogue it repeats."""

    facts: Mapping[str, Any]
    parse_error: str
    finish_reason: str
    said: Sequence[Said]
    reviews: Sequence[str]
    other_id: str


class Evidence:
    """Finds the offending pieces; made with the lexicon's pattern of speech about the task."""

    def __init__(self, wording: str) -> None:
        """Take the pattern that makes an utterance a wording leak."""
        self._pieces: Mapping[str, Callable[[Said, Case], str]] = {
            "garbled": lambda said, case: offending(GARBLED, said.text),
            "template_left": lambda said, case: offending(TEMPLATE_LEFT, said.text),
            "personal_data": lambda said, case: offending(PERSONAL, said.text),
            "wording_leak": lambda said, case: offending(wording, said.text),
            "words": lambda said, case: f"{said.facts['words']} words: {said.text}",
            "role_error": lambda said, case: f"{said.role}: {said.text}",
            "missing_items": lambda said, case: (
                f"does not name {_listed(said.missing)}: {said.text}"
            ),
            "foreign_items": lambda said, case: f"names {_listed(said.foreigners)}",
            "unknown_titles": lambda said, case: (
                f"names {_listed(titles_in_quotes(said.text, said.titles))}"
            ),
            "early_target": lambda said, case: f"names {said.target_to_come}",
            "copied_words": lambda said, case: longest_shared(said.text, case.reviews),
        }

    def of(self, rule: Rule, case: Case) -> list[tuple[int, str]]:
        """Return (turn, piece) for each place where a dialogue broke a rule; turn 0 stands for the dialogue as a whole. Never empty."""
        name = rule.evidence or ""
        if name in WHOLE:
            turn, piece = WHOLE[name](case)
            return [(turn, cut(piece))]
        broken = [said for said in case.said if _breaks(rule, said.facts.get(name))]
        if broken:
            return [
                (said.turn, cut(self._piece(name, said, case) or said.text) or NOTHING_SAID)
                for said in broken
            ]
        return [
            (
                WHOLE_DIALOGUE,
                cut(", ".join(f"{column} = {case.facts.get(column)}" for column in rule.columns)),
            )
        ]

    def _piece(self, name: str, said: Said, case: Case) -> str:
        find = self._pieces.get(name)
        return find(said, case) if find else said.text


def _breaks(rule: Rule, value: Any) -> bool:
    """Tell whether an utterance's own fact is why the rule fell: a true one, or a number over the rule's limit."""
    return value is True or (isinstance(value, int) and value > rule.kwargs.get("max_value", 0))


def cut(text: str) -> str:
    """Return at most `LONGEST` characters; control characters and others that cannot be seen stand as their codes."""
    seen = (
        text
        if text.isprintable()
        else "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)
    )
    return seen if len(seen) <= LONGEST else seen[: LONGEST - 1] + "\u2026"


def _listed(titles: Sequence[str]) -> str:
    return ", ".join(titles)


def _ending(case: Case) -> tuple[int, str]:
    why = case.parse_error or (
        "the last sentence breaks off"
        if case.finish_reason == "stop"
        else f"the model stopped for {case.finish_reason!r}"
    )
    if not case.said:
        return WHOLE_DIALOGUE, why
    return case.said[-1].turn, f"{why}: \u2026{case.said[-1].text[-100:]}"


def _length(case: Case) -> tuple[int, str]:
    read, difference = case.facts["utterances"], case.facts["length_difference"]
    return WHOLE_DIALOGUE, f"{read} utterances where the template has {read - difference}"


def _near_duplicate(case: Case) -> tuple[int, str]:
    return WHOLE_DIALOGUE, f"says nearly the same as dialogue {case.other_id}"


WHOLE: Final[Mapping[str, Callable[[Case], tuple[int, str]]]] = {
    "ending": _ending,
    "length": _length,
    "near_duplicate": _near_duplicate,
}

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
    """One utterance of a failing dialogue.

    Attributes:
        turn: its number, from 1.
        role: who speaks, user or agent.
        text: what is said.
        titles: the titles of the brief.
        missing: titles that the turn should name and does not.
        foreigners: titles that it names and should not.
        target_to_come: the title to be recommended, if a later turn should name it first.
        facts: its row of `utterance_facts`.
    """

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
    """One failing dialogue.

    Attributes:
        facts: its row of `dialogue_facts`.
        parse_error: why its answer could not be read to the end; empty if it could.
        finish_reason: why the model stopped.
        said: the utterances that may show why it failed, and the last one.
        reviews: the texts of its brief's reviews.
        other_id: the dialogue that it repeats; empty if there is none.
    """

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
        """Return (turn, piece) for each place where a dialogue broke a rule. Never empty.

        Turn 0 means the whole dialogue.
        """
        name = rule.evidence or ""
        if name in WHOLE:
            turn, piece = WHOLE[name](case)
            return [(turn, cut(piece))]
        broken = [said for said in case.said if _breaks(rule, said.facts.get(name))]
        if broken:
            return [(said.turn, self._piece(name, said, case)) for said in broken]
        values = ", ".join(f"{column} = {case.facts.get(column)}" for column in rule.columns)
        return [(WHOLE_DIALOGUE, cut(values))]

    def _piece(self, name: str, said: Said, case: Case) -> str:
        """Return the offending piece of an utterance; its whole text if no piece is found."""
        find = self._pieces.get(name)
        piece = find(said, case) if find else ""
        return cut(piece or said.text) or NOTHING_SAID


def _breaks(rule: Rule, value: Any) -> bool:
    """Return True if an utterance's fact breaks the rule: it is true, or over the rule's limit."""
    return value is True or (isinstance(value, int) and value > rule.kwargs.get("max_value", 0))


def cut(text: str) -> str:
    """Return at most `LONGEST` characters, with the codes of characters that cannot be seen."""
    visible = "".join(map(_visible, text))
    return visible if len(visible) <= LONGEST else visible[: LONGEST - 1] + "\u2026"


def _visible(character: str) -> str:
    return character if character.isprintable() else f"\\u{ord(character):04x}"


def _listed(titles: Sequence[str]) -> str:
    return ", ".join(titles)


def _ending(case: Case) -> tuple[int, str]:
    if case.parse_error:
        problem = case.parse_error
    elif case.finish_reason == "stop":
        problem = "the last sentence breaks off"
    else:
        problem = f"the model stopped for {case.finish_reason!r}"
    if not case.said:
        return WHOLE_DIALOGUE, problem
    last = case.said[-1]
    return last.turn, f"{problem}: \u2026{last.text[-100:]}"


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

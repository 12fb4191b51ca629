"""What is shown of a dialogue that broke a rule: the offending piece, with its turn.

Looked up for failing dialogues only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, Final

from tasks.languages import phrases
from tasks.quality.hints import allusions, hinting_words
from tasks.quality.lexicon import Lexicon
from tasks.quality.nearness import far_claims, nearest
from tasks.quality.specifics import Finder, Support
from tasks.quality.text_patterns import (
    PERSONAL,
    garbled_pattern,
    offending,
    template_pattern,
    titles_in_quotes,
)
from tasks.quality.values import Rule
from tasks.word_runs import longest_near_copy, longest_shared

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
        target_reviews: those of them that are of the item to be recommended.
        other_id: the dialogue that it repeats; empty if there is none.
        judged: what a judge found, by the fact that counts it and the turn.
        item_reviews: every review of its brief's items, drawn for it or not.
    """

    facts: Mapping[str, Any]
    parse_error: str
    finish_reason: str
    said: Sequence[Said]
    reviews: Sequence[str]
    target_reviews: Sequence[str]
    other_id: str
    judged: Mapping[tuple[str, int], str] = field(default_factory=dict)
    item_reviews: Sequence[str] = ()

    @property
    def other_reviews(self) -> list[str]:
        """The texts of the reviews of its other items."""
        return [text for text in self.reviews if text not in self.target_reviews]


class Evidence:
    """Finds the offending pieces; made with the words by which the facts were computed."""

    def __init__(self, lexicon: Lexicon, language: str) -> None:
        """Take the lexicon and the language of the dialogues."""
        self._words = lexicon.language(language)
        self._near_copied_from = lexicon.near_copied_from
        self._finder = Finder(self._words)
        wording = lexicon.wording_pattern(language)
        garbled, template = garbled_pattern(self._words), template_pattern(self._words)
        longest = self._words.longest
        unit = longest.unit if longest else "words"
        chatbot = phrases(self._words.chatbot)
        self._pieces: Mapping[str, Callable[[Said, Case], str]] = {
            "garbled": lambda said, case: offending(garbled, said.text),
            "template_left": lambda said, case: offending(template, said.text),
            "personal_data": lambda said, case: offending(PERSONAL, said.text),
            "wording_leak": lambda said, case: offending(wording, said.text),
            "words": lambda said, case: f"{said.facts['words']} {unit}: {said.text}",
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
            "near_copied_words": self._near_copy,
            "unsupported_names": lambda said, case: self._specifics("name", said, case),
            "unsupported_facts": lambda said, case: self._specifics("fact", said, case),
            "unsupported_details": lambda said, case: self._specifics("detail", said, case),
            "other_works": lambda said, case: self._specifics("work", said, case),
            "chatbot_habit": lambda said, case: offending(chatbot, said.text),
            "wrong_speaker": self._wrong_speech,
            "target_hint": self._hint,
            "target_allusion": self._allusion,
            "target_nearness": self._nearness,
            "far_claims": lambda said, case: " ".join(far_claims(_bare(said), case.reviews)),
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

    def _near_copy(self, said: Said, case: Case) -> str:
        least, common = self._near_copied_from, self._words.plain_words
        copy = longest_near_copy(_bare(said), case.reviews, common, least)
        return f"{copy.text} (review: {copy.source})" if copy.words else ""

    def _specifics(self, kind: str, said: Said, case: Case) -> str:
        support = Support([*said.titles, *case.reviews], case.item_reviews, self._finder.numbers)
        found = self._finder.find(_bare(said), said.role, support)
        return _listed([specific.text for specific in found if specific.kind == kind])

    def _wrong_speech(self, said: Said, case: Case) -> str:
        is_agent = said.role == "agent"
        listed = self._words.own_life if is_agent else self._words.agents_words
        return offending(phrases(listed), said.text)

    def _nearness(self, said: Said, case: Case) -> str:
        near = nearest(_bare(said), case.target_reviews, case.other_reviews)
        return f"{near.sentence} (review: {near.source})" if near.hundredths else ""

    def _hint(self, said: Said, case: Case) -> str:
        return f"{_listed(self._hinting(_bare(said), case))}: {said.text}"

    def _hinting(self, bare: str, case: Case) -> list[str]:
        return hinting_words(bare, case.target_reviews, case.other_reviews, self._words)

    def _allusion(self, said: Said, case: Case) -> str:
        others = [*case.other_reviews, *said.titles]
        found = allusions(_bare(said), case.target_reviews, others, language=self._words)
        sentence, _ = max(found, key=lambda one: one[1])
        return f"{sentence} ({_listed(self._hinting(sentence, case))})"

    def _piece(self, name: str, said: Said, case: Case) -> str:
        """Return the offending piece of an utterance; its whole text if no piece is found."""
        find = self._pieces.get(name)
        piece = find(said, case) if find else case.judged.get((name, said.turn), "")
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


def _bare(said: Said) -> str:
    """Return the text without the brief's titles, as the facts read it."""
    return reduce(lambda text, title: text.replace(title, "~"), said.titles, said.text)


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

"""Turns one answer and its brief into one dialogue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.dialogues.fuzzy_titles import names_fuzzily
from tasks.dialogues.grounded import read_grounded
from tasks.dialogues.mentions import (
    Brief,
    OwnTitle,
    SlotItem,
    dated_hits,
    longer_hits,
    named_items,
    own_title,
)
from tasks.dialogues.placeholders import fill, tidy
from tasks.dialogues.plain_text import read_plain
from tasks.dialogues.title_matcher import Catalogue, Hit
from tasks.dialogues.turn_counters import without_counts
from tasks.dialogues.values import Format, Parsed, Reading, Utterance
from tasks.languages import count_words
from tasks.model_output import MOST_CHARACTERS, looks_like_json, read_or_else
from tasks.templates import Turn
from tasks.titles import unify_marks

EMPTY_CATALOGUE = Catalogue(())


@dataclass(frozen=True, slots=True)
class Plan:
    """What a dialogue is compared with: its template's turns and its brief's items."""

    turns: tuple[Turn, ...]
    items: tuple[SlotItem, ...]


@dataclass(slots=True)
class Draft:
    """A dialogue that is read and filled, its titles not yet looked for."""

    plan: Plan
    reading: Reading
    filled: list[tuple[str, str, tuple[int, ...]]]


def parse(
    text: str,
    profile_format: Format,
    items: Sequence[SlotItem],
    turns: Sequence[Turn],
    catalogue: Catalogue = EMPTY_CATALOGUE,
) -> Parsed:
    """Read one answer, tolerantly; nothing a model writes makes it raise.

    Args:
        text: the answer.
        profile_format: how it was asked for, "grounded" (JSON) or "paper" (plain text).
        items: the brief's items (slot, id, title).
        turns: the template's turns, for the goals of each utterance and the items due in it.
        catalogue: all titles of the domain, to find items that are not in the brief.
    """
    return finish([draft(text, profile_format, Plan(tuple(turns), tuple(items)))], catalogue)[0]


def read(text: str, profile_format: Format) -> Reading:
    """Read an answer in the format requested, or in the other where it is clearly in that one."""
    if len(text) > MOST_CHARACTERS:
        error = f"the answer is longer than {MOST_CHARACTERS:,} characters"
        return Reading((), whole=False, error=error)
    return read_or_else(lambda answer: _read(answer, profile_format), text, _unreadable)


def read_problem(profile: str, text: str) -> str:
    """Return why an answer to a profile's prompt cannot be read to its end; empty if it can."""
    is_plain = profile == "paper" or (profile != "grounded" and not looks_like_json(text))
    reading = read(text, "paper" if is_plain else "grounded")
    return reading.error or ("" if reading.turns else "the answer holds no dialogue")


def _unreadable(reason: str) -> Reading:
    return Reading((), whole=False, error=reason)


def _read(text: str, profile_format: Format) -> Reading:
    if profile_format == "grounded":
        return read_grounded(text)  # which takes labelled lines as well
    if looks_like_json(text):
        reading = read_grounded(text)
        if reading.turns:
            return reading
    return read_plain(text)


def draft(text: str, profile_format: Format, plan: Plan) -> Draft:
    """Read an answer and replace its placeholders by titles."""
    reading = read(text, profile_format)
    turns = without_counts(reading.turns)
    titles = {item.slot: " ".join(item.title.split()) for item in plan.items}
    return Draft(plan, reading, [fill(tidy(turn.text), titles) for turn in turns])


def finish(drafts: Sequence[Draft], catalogue: Catalogue) -> list[Parsed]:
    """Find titles in many dialogues in one pass, for speed, and return the dialogues."""
    masked: list[str] = []
    for entry in drafts:
        masked += [masked_text for _, masked_text, _ in entry.filled]
    texts = unify_marks("\n".join(masked)).split("\n")
    hits = catalogue.find(texts)
    parsed, at = [], 0
    for entry in drafts:
        until = at + len(entry.filled)
        parsed.append(_parsed(entry, texts[at:until], hits[at:until], catalogue))
        at = until
    return parsed


def _parsed(
    entry: Draft, texts: Sequence[str], hits: Sequence[list[Hit]], catalogue: Catalogue
) -> Parsed:
    own = [own_title(item) for item in entry.plan.items]
    whole = "\n".join(texts).lower()
    written = [title for title in own if title.core and title.core in whole]
    brief = Brief(own, written, catalogue)
    turns = entry.plan.turns
    utterances = []
    for place, (raw, (text, _, slots)) in enumerate(
        zip(entry.reading.turns, entry.filled, strict=True)
    ):
        turn = turns[place] if place < len(turns) else None
        item_ids = _item_ids(texts[place], slots, turn, brief, hits[place])
        goals = turn.goals if turn else ()
        words = count_words(text)
        utterances.append(Utterance(place + 1, raw.role, text, goals, item_ids, words))
    return Parsed(tuple(utterances), entry.reading.whole and bool(utterances), entry.reading.error)


def _item_ids(
    text: str, slots: Sequence[int], turn: Turn | None, brief: Brief, hits: Sequence[Hit]
) -> tuple[str, ...]:
    """Return the ids of the items that the utterance of a turn names; `turn` is its template's."""
    item_ids: tuple[str, ...] = ()
    if slots or brief.written or hits:
        due = (*turn.introduces, *turn.refers) if turn else ()
        item_ids = named_items(text, slots, brief, due, hits)
    if turn is None or not turn.introduces:
        return item_ids
    return _with_other_spellings(item_ids, text, brief, turn.introduces, hits)


def _with_other_spellings(
    named: tuple[str, ...], text: str, brief: Brief, introduced: Sequence[int], hits: Sequence[Hit]
) -> tuple[str, ...]:
    """Return the items named, adding introduced ones that are written in another spelling."""
    due = [title for title in brief.own if title.item.slot in introduced]
    missing = [title for title in due if title.item.item_id not in named]
    fuzzy = [title.item.item_id for title in missing if _is_named(title, text, brief, hits)]
    return (*fuzzy, *named)


def _is_named(title: OwnTitle, text: str, brief: Brief, hits: Sequence[Hit]) -> bool:
    """Return True if a text has a title in another spelling; items without a title are never."""
    if not title.loose:
        return False
    others = [hit for hit in hits if title.item.item_id not in hit.item_ids]
    longer = longer_hits(text, title, brief.catalogue)
    dated = dated_hits(text, title, brief.catalogue)
    return names_fuzzily(text, title.item.title, [*others, *longer, *dated])

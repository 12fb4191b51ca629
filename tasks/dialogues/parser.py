"""One answer and its brief become one dialogue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.dialogues.fuzzy_titles import names_fuzzily
from tasks.dialogues.grounded import read_grounded
from tasks.dialogues.mentions import Brief, OwnTitle, SlotItem, longer_hits, named_items, own_title
from tasks.dialogues.placeholders import fill, tidy
from tasks.dialogues.plain_text import read_plain
from tasks.dialogues.title_matcher import Catalogue, Hit
from tasks.dialogues.turn_counters import without_counts
from tasks.dialogues.values import Format, Parsed, Reading, Utterance
from tasks.model_output import MOST_CHARACTERS, looks_like_json, read_or_else
from tasks.templates import Turn
from tasks.titles import unify_marks

EMPTY_CATALOGUE = Catalogue(())


@dataclass(frozen=True, slots=True)
class Plan:
    """What a dialogue is measured against while it is read: its template's turns and its brief's items."""

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
        turns: the template's turns; they give each utterance its goals and tell which items are
            due.
        catalogue: all titles of the domain, to see items named that are none of the brief's.
    """
    return finish([draft(text, profile_format, Plan(tuple(turns), tuple(items)))], catalogue)[0]


def read(text: str, profile_format: Format) -> Reading:
    """Read an answer in the format it was asked for in, or in the other where it is plainly in that one."""
    if len(text) > MOST_CHARACTERS:
        error = f"the answer is longer than {MOST_CHARACTERS:,} characters"
        return Reading((), whole=False, error=error)
    return read_or_else(lambda answer: _read(answer, profile_format), text, _unreadable)


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
    """Take an answer apart and put titles where placeholders stand."""
    reading = read(text, profile_format)
    spoken = without_counts(reading.turns)
    titles = {item.slot: " ".join(item.title.split()) for item in plan.items}
    return Draft(plan, reading, [fill(tidy(turn.text), titles) for turn in spoken])


def finish(drafts: Sequence[Draft], catalogue: Catalogue) -> list[Parsed]:
    """Look for titles in many dialogues at once, which is what makes it fast, and return the dialogues."""
    masked = [piece[1] for entry in drafts for piece in entry.filled]
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
        item_ids: tuple[str, ...] = ()
        if slots or written or hits[place]:
            due = (*turn.introduces, *turn.refers) if turn else ()
            item_ids = named_items(texts[place], slots, brief, due, hits[place])
        if turn and turn.introduces:
            item_ids = _with_other_spellings(
                item_ids, texts[place], brief, turn.introduces, hits[place]
            )
        goals, words = turn.goals if turn else (), text.count(" ") + 1 if text else 0
        utterances.append(Utterance(place + 1, raw.role, text, goals, item_ids, words))
    return Parsed(tuple(utterances), entry.reading.whole and bool(utterances), entry.reading.error)


def _with_other_spellings(
    named: tuple[str, ...], text: str, brief: Brief, introduced: Sequence[int], hits: Sequence[Hit]
) -> tuple[str, ...]:
    """Return the items named, with those that this turn brings in and that stand there in another spelling."""
    missing = [
        title
        for title in brief.own
        if title.item.slot in introduced and title.item.item_id not in named
    ]
    found = (title.item.item_id for title in missing if _stands_there(title, text, brief, hits))
    return (*found, *named)


def _stands_there(title: OwnTitle, text: str, brief: Brief, hits: Sequence[Hit]) -> bool:
    if not title.loose:  # without a title
        return False
    others = [hit for hit in hits if title.item.item_id not in hit.item_ids]
    return names_fuzzily(
        text, title.item.title, [*others, *longer_hits(text, title, brief.catalogue)]
    )

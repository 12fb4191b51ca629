"""One answer and its brief become one dialogue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.dialogues.counts import without_counts
from tasks.dialogues.folding import fold
from tasks.dialogues.grounded import read_grounded
from tasks.dialogues.loosely import named_loosely
from tasks.dialogues.mentions import OwnTitle, SlotItem, named_items, own_title
from tasks.dialogues.placeholders import fill, tidy
from tasks.dialogues.plain import read_plain
from tasks.dialogues.titles import Catalogue, Hit
from tasks.dialogues.values import Format, Parsed, Reading, Utterance
from tasks.prompts.unwrapping import unwrapped
from tasks.templates.values import Turn

NOBODYS = Catalogue(())


@dataclass(frozen=True, slots=True)
class Plan:
    """What a dialogue is measured against while it is read: its template's turns and its brief's items."""

    turns: tuple[Turn, ...]
    items: tuple[SlotItem, ...]


@dataclass(slots=True)
class Draft:
    """A dialogue on its way: read and filled, its titles not yet looked for. `masked` has one entry for each utterance."""

    plan: Plan
    reading: Reading
    filled: list[tuple[str, str, tuple[int, ...]]]


def parse(text: str, profile_format: Format, items: Sequence[SlotItem], turns: Sequence[Turn], catalogue: Catalogue = NOBODYS) -> Parsed:
    """Read one answer, tolerantly; nothing a model writes makes it raise.

    Args:
        text: the answer.
        profile_format: how it was asked for, "grounded" (JSON) or "paper" (plain text).
        items: the brief's items (slot, id, title).
        turns: the template's turns; they give each utterance its goals and tell which items are due.
        catalogue: all titles of the domain, to see items named that are none of the brief's.
    """
    return finish([draft(text, profile_format, Plan(tuple(turns), tuple(items)))], catalogue)[0]


def read(text: str, profile_format: Format) -> Reading:
    """Read an answer in the format it was asked for in, or in the other where it is plainly in that one."""
    if profile_format == "grounded":
        return read_grounded(text)  # which takes labelled lines as well
    if unwrapped(text).lstrip().startswith(("{", "[")):
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
    folded = fold("\n".join(masked)).split("\n")
    hits = catalogue.find(folded)
    parsed, at = [], 0
    for entry in drafts:
        until = at + len(entry.filled)
        parsed.append(_parsed(entry, folded[at:until], hits[at:until]))
        at = until
    return parsed


def _parsed(entry: Draft, folded: Sequence[str], hits: Sequence[list[Hit]]) -> Parsed:
    own: list[OwnTitle] = [own_title(item) for item in entry.plan.items]
    whole = "\n".join(folded).lower()
    written = [title for title in own if title.core and title.core in whole]
    turns = entry.plan.turns
    utterances = []
    for place, (raw, (text, _, slots)) in enumerate(zip(entry.reading.turns, entry.filled, strict=True)):
        turn = turns[place] if place < len(turns) else None
        due = (*turn.introduces, *turn.refers) if turn else ()
        item_ids = named_items(folded[place], slots, own, written, due, hits[place]) if slots or written or hits[place] else ()
        if turn and turn.introduces:
            item_ids = _with_other_spellings(item_ids, folded[place], own, turn.introduces, hits[place])
        utterances.append(Utterance(place + 1, raw.role, text, turn.goals if turn else (), item_ids, text.count(" ") + 1 if text else 0))
    return Parsed(tuple(utterances), entry.reading.whole and bool(utterances), entry.reading.error)


def _with_other_spellings(
    named: tuple[str, ...], folded: str, own: Sequence[OwnTitle], introduced: Sequence[int], hits: Sequence[Hit]
) -> tuple[str, ...]:
    """Return the items named, with those that this turn brings in and that stand there in another spelling."""
    missing = [title.item for title in own if title.item.slot in introduced and title.item.item_id not in named]
    return (*(item.item_id for item in missing if named_loosely(folded, item.title, hits)), *named)

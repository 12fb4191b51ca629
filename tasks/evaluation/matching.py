"""Matches generated titles to catalogue items: exact, normalised, fuzzy; ties are settled."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Literal

import numpy as np
from rapidfuzz import fuzz, process

from tasks.evaluation.echoes import Prompt
from tasks.machine import this_machine
from tasks.model_output import Parsed, Recommended
from tasks.titles import (
    YEARS_APART,
    adds_sequel,
    exact_key,
    names_sequel,
    number_follows,
    unify_marks,
    without_year,
    work_key,
    year_of,
)

THRESHOLD = 90.0  # of 100: share of characters two titles have in common, in order
MOST_JOINED = 4  # pieces between commas that may be one title
_CHUNK = 256  # queries compared at once
_NUMBER = re.compile(r"\d+|\b(?:ii|iii|iv|v|vi|vii|viii|ix|x)\b")

How = Literal["exact", "normalised", "fuzzy", "none"]
Kind = Literal["title", "duplicate", "in history", "not in the catalogue", "echo"]


@dataclass(frozen=True)
class Match:
    """The match of a generated title; `item_id` is None when the catalogue has nothing close."""

    item_id: str | None
    how: How
    score: float = 0.0


@dataclass(frozen=True)
class Entry:
    """What became of one entry of an answer.

    `item_id` is the item it names, if the catalogue has it.
    """

    text: str
    kind: Kind
    item_id: str | None
    how: How


@dataclass(frozen=True)
class Ranking:
    """One answer as a ranking of items, duplicates removed, with counts of what is not in it.

    Attributes:
        items: the ranking; `hows` says how each was matched.
        generated: entries read as titles.
        duplicates: of those, how many named an item again.
        out_of_catalogue: of those, how many the catalogue does not know.
        parse_failed: True if no title could be read.
        known: entries that name an item which the prompt shows as known to the user.
        echoes: entries that are pieces of the prompt: its keys, what was said in it, punctuation.
    """

    items: tuple[str, ...]
    hows: tuple[How, ...]
    generated: int
    duplicates: int
    out_of_catalogue: int
    parse_failed: bool
    known: int = 0
    echoes: int = 0
    entries: tuple[Entry, ...] = field(default=(), compare=False, repr=False)


class Matcher:
    """Matches titles against one catalogue. Items only: no people, genres or words.

    A tie between items goes to the one whose year the title names, then to the more popular, then
    to the smaller id. A fuzzy match never changes a number ("Part 1" is not "Part 2", "Rocky II"
    not "Rocky III") and adds no sequel's word. Where title and item both name a year in brackets,
    they
    may be two years apart, as premieres are: "It (1990)" is not "It (2017)".
    """

    def __init__(
        self,
        titles: Mapping[str, str],
        popularity: Mapping[str, int] | None = None,
        threshold: float = THRESHOLD,
    ) -> None:
        """Take the catalogue's titles by item id, and how many users know each item."""
        self.threshold = threshold
        known = popularity or {}
        self._order = {
            item: place
            for place, item in enumerate(
                sorted(titles, key=lambda item: (-known.get(item, 0), item))
            )
        }
        self._titles = dict(titles)
        self._exact: dict[str, list[str]] = defaultdict(list)
        self._forms: dict[str, list[str]] = defaultdict(list)
        for item in self._order:
            self._exact[exact_key(titles[item])].append(item)
            self._forms[form_of(titles[item])].append(item)
        # Forms that hold the same numbers, best item first: the first of the best scores is the
        # answer.
        self._alike: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for form in sorted(self._forms, key=lambda form: self._order[self._forms[form][0]]):
            self._alike[numbers(form)].append(form)

    def match(self, titles: Iterable[str]) -> dict[str, Match]:
        """Return the match of each distinct title."""
        wanted = dict.fromkeys(titles)
        firm = self._firm(wanted)
        firm.update(self._fuzzy([title for title in wanted if title not in firm]))
        return firm

    def rankings(self, answers: Sequence[Parsed], prompts: Sequence[Prompt] = ()) -> list[Ranking]:
        """Return the ranking of each answer.

        What an answer repeats of its prompt is no title: see `Ranking`. Without `prompts`
        everything is one.

        Shorter readings of an entry are tried where the full one is not in the catalogue, fuzzily
        only where none is in it verbatim or normalised.
        """
        joined = [self._joined(answer) for answer in answers]
        all_entries = chain.from_iterable(answer.entries for answer in joined)
        entries = {entry: readings_of(entry) for entry in all_entries}
        firm = self._firm(chain.from_iterable(entries.values()))
        left: dict[str, None] = {}
        for readings in entries.values():
            if not any(title in firm for title in readings):
                left.update(dict.fromkeys(readings))
        firm.update(self._fuzzy(list(left)))
        asked = prompts or [_NO_PROMPT] * len(joined)
        return [
            self._ranking(answer, prompt, firm)
            for answer, prompt in zip(joined, asked, strict=True)
        ]

    def _ranking(self, answer: Parsed, prompt: Prompt, matches: Mapping[str, Match]) -> Ranking:
        items: dict[str, How] = {}
        entries: list[Entry] = []
        for entry in answer.entries:
            chosen = self._chosen(entry, matches)
            kind = _kind(entry.title, chosen, prompt, items)
            entries.append(Entry(entry.title, kind, chosen.item_id, chosen.how))
            if kind == "title" and chosen.item_id is not None:
                items[chosen.item_id] = chosen.how
        counts = Counter(entry.kind for entry in entries)
        echoes = counts["echo"]
        return Ranking(
            tuple(items),
            tuple(items.values()),
            len(answer.entries) - echoes - counts["in history"],
            counts["duplicate"],
            counts["not in the catalogue"],
            echoes == len(answer.entries),
            counts["in history"],
            echoes,
            tuple(entries),
        )

    def _chosen(self, entry: Recommended, matches: Mapping[str, Match]) -> Match:
        """Return the first certain match of an entry's readings, else the first fuzzy one."""
        readings = []
        for title in readings_of(entry):
            match = matches.get(title, _NOTHING)
            if match.item_id and self._years_apart(match.item_id, entry.title) <= YEARS_APART:
                readings.append(match)
        certain = (match for match in readings if match.how in {"exact", "normalised"})
        return next(certain, next(iter(readings), _NOTHING))

    def _firm(self, titles: Iterable[str]) -> dict[str, Match]:
        """Return the matches of titles that are in the catalogue verbatim or normalised."""
        matches: dict[str, Match] = {}
        for title in titles:
            if title in matches:
                continue
            if items := self._exact.get(exact_key(title)):
                matches[title] = Match(self._best(items, title), "exact", 100.0)
            elif best := self._best(self._forms.get(form_of(title), ()), title):
                matches[title] = Match(best, "normalised", 100.0)
        return matches

    def _joined(self, answer: Parsed) -> Parsed:
        """Rejoin a known title that was split at its own comma or "and", such as "I, Robot"."""
        if answer.how != "commas":
            return answer
        entries: list[Recommended] = []
        left = list(answer.entries)
        while left:
            size = next(
                (
                    size
                    for size in range(MOST_JOINED, 1, -1)
                    if self._knows(_joined_title(left[:size]))
                ),
                1,
            )
            entries.append(left[0] if size == 1 else Recommended(_joined_title(left[:size])))
            left = left[size:]
        return Parsed(tuple(entries), answer.how)

    def _knows(self, title: str) -> bool:
        return exact_key(title) in self._exact or form_of(title) in self._forms

    def _best(self, items: Sequence[str], title: str) -> str | None:
        """Return the item of the nearest year, first of equals; None if all are of other years."""
        apart = [(self._years_apart(item, title), place) for place, item in enumerate(items)]
        near, place = min(apart, default=(YEARS_APART + 1, 0))
        return items[place] if near <= YEARS_APART else None

    def _years_apart(self, item: str, title: str) -> int:
        """Return the years between a title and an item: 0 without a year, 1 if only it has one."""
        named, known = year_of(title), year_of(self._titles[item])
        if named is None:
            return 0
        return abs(named - known) if known is not None else 1

    def _fuzzy(self, titles: Sequence[str]) -> Iterator[tuple[str, Match]]:
        forms: dict[str, list[str]] = defaultdict(list)
        for title in titles:
            forms[form_of(title)].append(title)
        alike: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for form in forms:
            alike[numbers(form)].append(form)
        for key, queries in alike.items():
            for form, best, score in _nearest(
                sorted(queries, key=len), self._alike.get(key, []), self.threshold
            ):
                for title in forms[form]:
                    sequel = best is not None and adds_sequel(form, best)
                    item = (
                        self._best(self._forms[best], title)
                        if best is not None and not sequel
                        else None
                    )
                    yield (
                        title,
                        Match(item, "none" if item is None else "fuzzy", score if item else 0.0),
                    )


def _kind(title: str, match: Match, prompt: Prompt, items: Container[str]) -> Kind:
    """Return what an entry of an answer is, after the items that came before it."""
    if match.item_id in prompt.known:
        return "in history"
    if match.how in {"none", "fuzzy"} and prompt.names(title):
        return "echo"
    if match.item_id is None:
        return "echo" if prompt.holds(title) else "not in the catalogue"
    return "duplicate" if match.item_id in items else "title"


def form_of(title: str) -> str:
    """Return the key of a title as the work it names, without its year."""
    return work_key(without_year(title))


def readings_of(entry: Recommended) -> tuple[str, ...]:
    """Return an entry's title and shorter readings, except those that lose a sequel's number."""
    return (
        entry.title,
        *(title for title in entry.shorter if not _leaves_out_sequel(entry.title, title)),
    )


def _leaves_out_sequel(title: str, shorter: str) -> bool:
    if not title.startswith(shorter) or not number_follows(title, len(shorter)):
        return False
    known, rest = unify_marks(shorter), unify_marks(title[len(shorter) :])
    return names_sequel(known + rest, len(known), shorter)


def _joined_title(entries: Sequence[Recommended]) -> str:
    """Return entries joined as one title, with their separators."""
    return entries[0].title + "".join(entry.parted_by + entry.title for entry in entries[1:])


def numbers(form: str) -> tuple[str, ...]:
    """Return the numbers a title's form holds, Roman ones included, in order."""
    return tuple(_NUMBER.findall(form))


def _nearest(
    queries: Sequence[str], choices: Sequence[str], threshold: float
) -> Iterator[tuple[str, str | None, float]]:
    """Yield queries (sorted by length) with their first best choice above the threshold.

    Titles too different in length cannot reach it: with m and n characters the score is at most 200
    min(m, n) / (m + n).
    """
    lengths = np.array([len(choice) for choice in choices])
    reach = threshold / (200 - threshold)
    for start in range(0, len(queries), _CHUNK):
        chunk = queries[start : start + _CHUNK]
        within = (
            np.flatnonzero((lengths >= len(chunk[0]) * reach) & (lengths <= len(chunk[-1]) / reach))
            if len(choices)
            else lengths
        )
        if not len(within):
            yield from ((query, None, 0.0) for query in chunk)
            continue
        near = [choices[place] for place in within.tolist()]
        scored = process.cdist(
            chunk,
            near,
            scorer=fuzz.ratio,
            score_cutoff=threshold,
            dtype=np.float64,
            workers=this_machine().threads,
        )
        for query, row in zip(chunk, scored, strict=True):
            place = int(row.argmax())
            yield (query, near[place], float(row[place])) if row[place] > 0 else (query, None, 0.0)


_NOTHING = Match(None, "none")
_NO_PROMPT = Prompt()

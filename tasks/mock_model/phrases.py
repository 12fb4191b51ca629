"""The phrase tables: YAML next to this file, compiled into a small grammar."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from tasks.fingerprint import shipped_yaml

TABLES = Path(__file__).parent / "tables"
KINDS = ("story", "thing")
_PLACE = re.compile(r"\{(\w+)\}")
_KIND = re.compile(r"^(story|thing)\| ")

Frame = tuple[str, ...]  # text and places in turn: odd positions name a table or a value


@dataclass(frozen=True)
class Lexicon:
    """Words the writer knows something about; see tables/lexicon.yaml."""

    adjectives: Mapping[str, int]
    direction: Mapping[str, int]
    aspects: Mapping[str, Mapping[str, bool]]
    weak: Mapping[str, frozenset[str]]
    heads: Mapping[str, frozenset[str]]
    no_nouns: frozenset[str]
    closers: frozenset[str]
    links: frozenset[str]
    prepositions: frozenset[str]
    modifiers: frozenset[str]
    negators: frozenset[str]
    hedges: frozenset[str]
    turns: frozenset[str]
    copulas: frozenset[str]
    degrees: frozenset[str]
    stories: frozenset[str]
    present: Mapping[str, tuple[str, str]]


def read_table(name: str) -> Any:
    """Return the content of one YAML file of the tables folder. Nobody may change it."""
    return shipped_yaml(TABLES / f"{name}.yaml")


@cache
def grammar(kind: str) -> Mapping[str, tuple[Frame, ...]]:
    """Return every phrase table for a kind of item, compiled.

    `story` is watched or read, `thing` is used.
    """
    tables: dict[str, tuple[Frame, ...]] = {}
    for file in sorted(TABLES.glob("speech*.yaml")):
        for name, rows in read_table(file.stem).items():
            tables[name] = _frames(row for row in rows if _of_kind(row, kind))
    for name, theme in read_table("themes").items():
        tables |= {f"theme_{whose}_{name}": _frames(theme[whose]) for whose in ("own", "others")}
    return tables


def _of_kind(row: str, kind: str) -> bool:
    found = _KIND.match(row)
    return not found or found[1] == kind


def _frames(rows: Iterable[str]) -> tuple[Frame, ...]:
    """Compile rows, short ones first: that is where `Voice.brief` looks."""
    return tuple(
        tuple(_PLACE.split(_KIND.sub("", row)))
        for row in sorted(rows, key=lambda row: (row.count(" "), row))
    )


@cache
def lexicon() -> Lexicon:
    """Return the word lists."""
    lists = read_table("lexicon")
    words = {name: frozenset(rows.split()) for name, rows in lists.items() if isinstance(rows, str)}
    adjectives = dict.fromkeys(words["good"], 1) | dict.fromkeys(words["bad"], -1)
    others = dict.fromkeys(words["praise"], 1) | dict.fromkeys(words["blame"], -1)
    aspects = {
        kind: dict.fromkeys(words[f"{kind}_aspects"], False)
        | dict.fromkeys(words[f"{kind}_plural"], True)
        for kind in KINDS
    }
    return Lexicon(
        adjectives=adjectives,
        direction=others | adjectives,
        aspects=aspects,
        weak={kind: words[f"weak_{kind}"] for kind in KINDS},
        heads={kind: words[f"weak_{kind}"] | aspects[kind].keys() for kind in KINDS},
        no_nouns=words["no_nouns"] | words["negators"],
        closers=words["closers"],
        links=words["links"],
        prepositions=words["prepositions"],
        modifiers=words["plain"] | words["modifiers"],
        negators=words["negators"],
        hedges=words["hedges"],
        turns=words["turns"] | set(".!?;:,()\n"),
        copulas=words["copulas"],
        degrees=words["degrees"],
        stories=words["stories"],
        present={past: (now, going) for past, (now, going) in lists["present"].items()},
    )


class Voice:
    """Expands phrase tables for one dialogue, seeded, no frame twice while another is left.

    `brief` keeps to the shortest third of a table, for utterances that would come out too long.
    """

    def __init__(self, rng: Random, kind: str, values: Mapping[str, str]) -> None:
        self.rng = rng
        self.tables = grammar(kind)
        self.values = values
        self.brief = False
        self.used: set[tuple[str, int]] = set()

    def chance(self, share: float) -> bool:
        """Return True in about this share of calls."""
        return self.rng.random() < share

    def pick(self, count: int) -> int:
        """Return a number below `count`."""
        return int(self.rng.random() * count)

    def say(self, table: str, values: Mapping[str, str]) -> str:
        """Return one phrase of a table, its slots filled from `values` or other tables.

        Raises:
            KeyError: a place that is neither a value nor a table.
        """
        frames = self.tables[table]
        count = (len(frames) + 2) // 3 if self.brief else len(frames)
        at = self.pick(count)
        for _ in range(count):
            if (table, at) not in self.used:
                break
            at = (at + 1) % count
        self.used.add((table, at))
        frame = frames[at]
        if len(frame) == 1:
            return frame[0]
        return "".join(
            [self._fill(part, values) if odd % 2 else part for odd, part in enumerate(frame)]
        )

    def _fill(self, name: str, values: Mapping[str, str]) -> str:
        if name in values:
            return values[name]
        if name in self.values:
            return self.values[name]
        return self.say(name, values)

"""Reads the hand-written material: films, sentence frames and the people who write."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

GENRES = {
    "drama": ("drama", "dramas"),
    "comedy": ("comedy", "comedies"),
    "crime": ("thriller", "thrillers"),
    "scifi": ("science fiction movie", "science fiction movies"),
    "horror": ("horror movie", "horror movies"),
    "western": ("western", "westerns"),
    "romance": ("love story", "love stories"),
    "family": ("family movie", "family movies"),
    "war": ("war movie", "war movies"),
    "music": ("music documentary", "music documentaries"),
}


@dataclass(frozen=True)
class Line:
    """One piece of text; `topic` is what it is about, `conditions` are tags that must (or with `!` must not) hold.
    """

    text: str
    topic: str = ""
    conditions: tuple[str, ...] = ()

    def fits(self, tags: frozenset[str]) -> bool:
        """Tell whether every condition holds."""
        return all((c[1:] not in tags) if c.startswith("!") else (c in tags) for c in self.conditions)


@dataclass(frozen=True)
class Actor:
    """One of a film's three named players."""

    name: str
    sex: str
    character: str


@dataclass
class Film:
    """One invented film with everything anybody may say about it."""

    key: str
    facts: dict[str, str] = field(default_factory=dict)
    cast: list[Actor] = field(default_factory=list)
    premises: list[Line] = field(default_factory=list)
    lines: dict[str, list[Line]] = field(default_factory=dict)

    @property
    def genre(self) -> str:
        """The genre that tastes are about."""
        return self.facts["genre"]

    @property
    def kind(self) -> tuple[str, str]:
        """What one calls such a film, singular and plural."""
        if "kind" in self.facts:
            one, many = self.facts["kind"].split("/")
            return one.strip(), many.strip()
        return GENRES[self.genre]

    @property
    def available(self) -> int:
        """First year in which the demo's shop sold it."""
        return max(1998, int(self.facts["year"]) + 1)


@dataclass(frozen=True)
class Person:
    """One reviewer: how they write, when, how much, and what they like."""

    name: str
    voice: str
    first_year: int
    years: int
    size: str
    tastes: dict[str, int]
    tags: frozenset[str]
    slots: dict[str, str]


# How a film's lines begin, longest mark first.
MARKS = (
    ("&+", "long+"),
    ("&-", "long-"),
    ("=+", "told+"),
    ("=-", "told-"),
    ("~+", "tie+"),
    ("~-", "tie-"),
    ("s+", "sum+"),
    ("s-", "sum-"),
    ("+", "pos"),
    ("-", "neg"),
    ("?", "quibble"),
    ("*", "moment"),
    ("!", "gripe"),
    ("~", "tie"),
)
UNTOPICAL = frozenset({"told+", "told-", "long+", "long-", "tie", "tie+", "tie-", "sum+", "sum-"})


def read_films(folder: Path) -> list[Film]:
    """Read every film of a folder, in file order; a film named again gets further lines."""
    known: dict[str, Film] = {}
    film = Film("")
    for path in sorted(folder.glob("*.txt")):
        for number, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            line = raw.strip()
            if line.startswith("== "):
                film = known.setdefault(line[3:], Film(line[3:]))
            elif line:
                try:
                    _add(film, line)
                except (ValueError, IndexError) as error:
                    raise SystemExit(f"{path}:{number}: {line!r} is not understood ({error})") from None
    return list(known.values())


def _add(film: Film, line: str) -> None:
    for mark, name in MARKS:
        if line.startswith(mark):
            rest = line[len(mark) :]
            topic, text = ("", rest.strip()) if name in UNTOPICAL else rest.split(" ", 1)
            conditions: tuple[str, ...] = ()
            if text.startswith("["):
                listed, text = text[1:].split("]", 1)
                conditions = tuple(listed.split(","))
            film.lines.setdefault(name, []).append(Line(text.strip(), topic, conditions))
            return
    name, value = line.split(": ", 1)
    if name == "cast":
        for entry in value.split(";"):
            sex, rest = entry.strip().split(" ", 1)
            actor, character = rest.split(" / ")
            film.cast.append(Actor(actor, sex, character))
    elif name == "premise":
        film.premises.append(Line(value, "premise"))
    else:
        film.facts[name] = value


def read_frames(folder: Path) -> dict[str, list[Line]]:
    """Read sentence frames by section; a line may begin with conditions and a bar."""
    frames: dict[str, list[Line]] = {}
    section = ""
    for path in sorted(folder.glob("*.txt")):
        for raw in path.read_text(encoding="utf-8").splitlines():
            line = raw.strip()
            if line.startswith("[") and line.endswith("]"):
                section = line[1:-1]
            elif line:
                head, bar, text = line.partition(" | ")
                conditions = tuple(head.split(",")) if bar else ()
                frames.setdefault(section, []).append(Line(text if bar else line, section, conditions))
    return frames


def read_people(path: Path) -> list[Person]:
    """Read the reviewers, one a line, in file order."""
    people = []
    for raw in path.read_text(encoding="utf-8").splitlines():
        if not raw.strip() or raw.startswith("#"):
            continue
        name, voice, first, years, size, tastes, rest = (part.strip() for part in raw.split("|"))
        words = [word for word in rest.split() if "=" not in word]
        slots = dict(word.split("=", 1) for word in rest.split() if "=" in word)
        tags = {voice, *words} | ({"partner", slots["partnerword"]} if "partner" in slots else set())
        likes = {taste[1:]: 1 if taste[0] == "+" else -1 for taste in tastes.split()}
        people.append(Person(name, voice, int(first), int(years), size, likes, frozenset(tags), slots))
    return people

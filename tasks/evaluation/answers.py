"""Reads the titles out of a model's answer: JSON first, then a numbered or plain list."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

MOST = 200  # titles taken from one answer; more are a model that went on and on
MOST_SKIPPED = 3  # how far a list's numbers may jump
_FENCE = re.compile(r"```[a-zA-Z]*")
_TRAILING_COMMA = re.compile(r",(\s*[\]}])")
# A number is numbering only with a mark and a space behind it, so that "12 Angry Men", "300" and "3:10 to Yuma" stay whole.
_NUMBERED = re.compile(r"^\s*[*_]{0,2}(?P<number>\d{1,3})(?:[.)\]:、]|\s+[-–—])[*_]{0,2}\s+(?P<title>\S.*)$")
_BULLET = re.compile(r"^\s*[-*•–]\s+(?P<title>\S.*)$")
_MARKED = re.compile(r"""^(?:\*\*|__|\*|_|["“«])(?P<title>.+?)(?:\*\*|__|\*|_|["”»])(?P<rest>\s*(?:[-–—:,(].*)?)$""")
_AFTER = re.compile(r"\s+(?:[-–—]\s|by\s|directed by\s)|:\s")
_FEWEST_COMMAS = 4


@dataclass(frozen=True)
class Recommended:
    """One entry of an answer: the title as read, and shorter readings to try if the catalogue does not know it."""

    title: str
    shorter: tuple[str, ...] = ()


@dataclass(frozen=True)
class Parsed:
    """The entries of an answer in order, and how they were found; `none` is a parse failure."""

    entries: tuple[Recommended, ...]
    how: Literal["json", "numbered", "lines", "commas", "none"]


def parse_answer(text: str) -> Parsed:
    """Return the titles a model recommends.

    A JSON list (or the first list in a JSON object, also inside a code fence or prose) is taken first; else the lines of a numbered list;
    else bulleted or plain lines; else one line parted at commas. Repeated titles are kept: matching counts them.
    """
    if (found := _json_titles(text)) is not None:
        return _parsed(found, "json")
    lines = [line for line in text.splitlines() if line.strip()]
    if numbered := list(_numbered(lines)):
        return _parsed(numbered, "numbered")
    if len(lines) == 1 and lines[0].count(",") >= _FEWEST_COMMAS:
        return _parsed(lines[0].split(","), "commas")
    bullets = [match["title"] for line in lines if (match := _BULLET.match(line))]
    return _parsed(bullets or [line for line in lines if not line.rstrip().endswith(":")], "lines")


def _parsed(titles: list[str], how: Literal["json", "numbered", "lines", "commas"]) -> Parsed:
    entries = tuple(entry for title in titles[:MOST] if (entry := _entry(title)).title)
    return Parsed(entries, how if entries else "none")


def _entry(text: str) -> Recommended:
    bare = " ".join(text.split())
    if marked := _MARKED.match(bare):
        return Recommended(marked["title"].strip(), ())
    cuts = [bare[: found.start()].strip() for found in _AFTER.finditer(bare)]
    return Recommended(bare, tuple(cut for cut in reversed(cuts) if cut))


def _numbered(lines: list[str]) -> Iterator[str]:
    """Walk the lines that go on counting; a line with a number out of turn is a title that starts with one."""
    last = 0
    for line in lines:
        match = _NUMBERED.match(line)
        if match and (last < int(match["number"]) <= last + MOST_SKIPPED or match["number"] == "1"):
            last = int(match["number"])
            yield match["title"]


def _json_titles(text: str) -> list[str] | None:
    bare = _TRAILING_COMMA.sub(r"\1", _FENCE.sub("", text))
    decoder = json.JSONDecoder()
    for start in (found.start() for found in re.finditer(r"[\[{]", bare)):
        try:
            value, _ = decoder.raw_decode(bare, start)
        except (ValueError, RecursionError):
            continue
        titles = _titles_in(value)
        if titles:
            return titles
    return None


def _titles_in(value: Any) -> list[str]:
    if isinstance(value, dict):
        value = next((inner for inner in value.values() if isinstance(inner, list)), [])
    if not isinstance(value, list):
        return []
    titles = (_title_of(entry) for entry in value)
    return [title for title in titles if title]


def _title_of(entry: Any) -> str:
    if isinstance(entry, dict):
        named = (entry.get(name) for name in ("title", "name", "item"))
        entry = next((value for value in named if value is not None), next(iter(entry.values()), ""))
    return str(entry) if isinstance(entry, str | int) and not isinstance(entry, bool) else ""

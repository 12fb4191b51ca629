"""Tells a name that Prefect made up for a run from one that a person gave it.

Prefect marks neither. The server makes up `agile-wombat`, from the package coolname. Both user interfaces fill their form with a
name, which comes back as if it was typed: `beta-orionis`, `zeta42-gondor-void` in the classic one, `Rustic-Ferret` in the newer.
Their words are read where they are, from the pages that come with Prefect; where they cannot be found a name counts as given.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import prefect
from coolname.data import config

_PAGES = Path(prefect.__file__).parent / "server"
_CLASSIC = ("ui", "index-*.js", "`(andromedae\\.[^`]*)`")  # files, and the list of words within
_NEWER = ("ui-v2", "deployment_._id.run-*.js", "`(Aardvark\\.[^`]*)`")
_GREEK = "alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|lambda|mu|nu|xi|omicron|pi|rho|sigma|tau|upsilon|phi|chi|psi|omega"
_OF_CLASSIC = re.compile(rf"(?:{_GREEK})\d{{0,3}}-([a-z-]+?)(?:-(?:[a-z]|[a-z]{{4,11}}))?")
_OF_NEWER = re.compile(
    r"(?:Awesome|Rustic|Small|Gorgeous|Fantastic|Sleek|Intelligent|Unbranded|Refined|Licensed|Generic|Practical|Ergonomic"
    r"|Handcrafted|Tasty|Handmade|Incredible)-(.{1,6})"
)


def is_generated(name: str) -> bool:
    """Return True if nobody gave a run this name."""
    return _is_of_server(name) or _is_of_pages(name, _OF_CLASSIC, _CLASSIC) or _is_of_pages(name, _OF_NEWER, _NEWER)


def _is_of_server(name: str) -> bool:
    adjective, _, noun = name.partition("-")
    return adjective in _coolname_words("adj_any") and noun in _coolname_words("subj")


@cache
def _coolname_words(kind: str) -> frozenset[str]:
    return frozenset(_words_of(kind))


def _words_of(kind: str) -> Iterator[str]:
    listed: Any = config[kind]
    yield from listed.get("words", ())
    for below in listed.get("lists", ()):
        yield from _words_of(below)


def _is_of_pages(name: str, form: re.Pattern[str], words: tuple[str, str, str]) -> bool:
    found = form.fullmatch(name)
    known = _page_words(*words) if found else frozenset()
    return found is not None and (found[1] in known or name.partition("-")[2] in known)


@cache
def _page_words(folder: str, files: str, pattern: str) -> frozenset[str]:
    """Return the words of a list in the pages of a user interface, none if it is not there."""
    for file in sorted((_PAGES / folder / "assets").glob(files)):
        found = re.search(pattern, file.read_text("utf-8", "replace"))
        if found:
            return frozenset(found[1].split("."))
    return frozenset()

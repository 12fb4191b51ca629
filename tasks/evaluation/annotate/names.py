"""Annotators' names: plain ones, as they stand in addresses and files, and one spelling for each person."""

from __future__ import annotations

import re
import unicodedata

from tasks.errors import UserError

_NAME = re.compile(r"[^\W_][\w -]{0,39}")


def check_annotator(name: str) -> str:
    """Return an annotator's name in its one form: composed characters, no space around it, single spaces in it.

    Raises:
        UserError: it is no plain name.
    """
    tidy = " ".join(unicodedata.normalize("NFC", name).split())
    if not _NAME.fullmatch(tidy):
        raise UserError(
            f"{name[:40]!r} is no name for an annotator: use up to 40 letters, digits, spaces and dashes"
        )
    return tidy


def same_annotator(name: str) -> str:
    """Return what two spellings of one person's name have in common: letter case and compatible characters do not count."""
    return unicodedata.normalize(
        "NFKC", " ".join(unicodedata.normalize("NFKC", name).casefold().split())
    )

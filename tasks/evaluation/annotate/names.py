"""Annotators' names: plain text for addresses and files, one spelling for each person."""

from __future__ import annotations

import re
import unicodedata

from tasks.errors import UserError

_NAME = re.compile(r"[^\W_][\w -]{0,39}")


def check_annotator(name: str) -> str:
    """Return a name in canonical form: composed characters, single spaces, none around it.

    Raises:
        UserError: it is no plain name.
    """
    tidy = " ".join(unicodedata.normalize("NFC", name).split())
    if not _NAME.fullmatch(tidy):
        raise UserError(
            f"{name[:40]!r} is no name for an annotator: use up to 40 letters, digits, spaces "
            f"and dashes"
        )
    return tidy


def same_annotator(name: str) -> str:
    """Return the key of a name, the same for every letter case and compatible character."""
    return unicodedata.normalize(
        "NFKC", " ".join(unicodedata.normalize("NFKC", name).casefold().split())
    )

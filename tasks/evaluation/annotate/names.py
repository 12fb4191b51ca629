"""Annotators' names: plain ones, as they stand in addresses and files."""

from __future__ import annotations

import re

from tasks.errors import UserError

_NAME = re.compile(r"[^\W_][\w -]{0,39}")


def check_annotator(name: str) -> str:
    """Return an annotator's name. Raises UserError when it is no plain name."""
    if not _NAME.fullmatch(name):
        raise UserError(f"{name[:40]!r} is no name for an annotator: use up to 40 letters, digits, spaces and dashes")
    return name

"""Item placeholders: `{{item:1}}` becomes the clean title of slot 1."""

from __future__ import annotations

import re
from collections.abc import Mapping

PLACEHOLDER = re.compile(r"\{{1,3}\s*item\s*[:#_-]?\s*(\d{1,3})\s*\}{1,3}", re.IGNORECASE)
CUT = "\x01"  # stands in the masked text where a title stood; a control character, so it is never part of a title
_UNSTORABLE = re.compile("[\x00\x01\ud800-\udfff]")  # NUL, our own mark and lone surrogates: no text column should hold them


def tidy(text: str) -> str:
    """Return one line of text: white space collapsed, what cannot be stored replaced by U+FFFD, which the gate rejects as garbled."""
    if text.isprintable() and "  " not in text:  # no white space but single spaces, nothing that cannot be stored
        return text.strip(" ")
    return _UNSTORABLE.sub("\ufffd", " ".join(text.split()))


def fill(text: str, titles: Mapping[int, str]) -> tuple[str, str, tuple[int, ...]]:
    """Put titles where placeholders stand.

    Args:
        text: one tidied utterance.
        titles: clean title by slot number.

    Returns:
        The text to publish, the same text with each filled placeholder cut out (for the title matcher), and the slots named, in order.
        A placeholder whose slot does not exist stays as it stands.
    """
    if "{" not in text:
        return text, text, ()
    pieces = PLACEHOLDER.split(text)
    filled, masked, slots = [pieces[0]], [pieces[0]], []
    marks = list(PLACEHOLDER.finditer(text))
    for mark, after in zip(marks, pieces[2::2], strict=True):
        slot = int(mark[1])
        known = slot in titles
        filled += [titles[slot] if known else mark[0], after]
        masked += [CUT if known else mark[0], after]
        if known and slot not in slots:
            slots.append(slot)
    return "".join(filled), "".join(masked), tuple(slots)

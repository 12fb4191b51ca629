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
    slots = [int(number) for number in pieces[1::2]]
    if any(slot not in titles for slot in slots):
        return _fill_known(text, titles)
    masked = CUT.join(pieces[::2])
    pieces[1::2] = [titles[slot] for slot in slots]
    return "".join(pieces), masked, tuple(dict.fromkeys(slots))


def _fill_known(text: str, titles: Mapping[int, str]) -> tuple[str, str, tuple[int, ...]]:
    """Do the same where a slot does not exist; such a placeholder stays as it stands."""
    slots = [slot for slot in map(int, PLACEHOLDER.findall(text)) if slot in titles]
    filled = PLACEHOLDER.sub(lambda mark: titles.get(int(mark[1]), mark[0]), text)
    masked = PLACEHOLDER.sub(lambda mark: CUT if int(mark[1]) in titles else mark[0], text)
    return filled, masked, tuple(dict.fromkeys(slots))

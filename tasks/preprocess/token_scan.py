"""Scans many texts at once: the number of words of each, and tokens that may be irregular.

Works on the bytes of an Arrow array, so that half a million reviews take less than a second. Only
what it reports is checked by `tasks.preprocess.irregular_tokens`: it may report too much, never
too little.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tasks.languages import count_words
from tasks.preprocess.irregular_tokens import LINKS, MAX_WORD

_WORDS = np.zeros(256, dtype=bool)
"""Bytes that a word may begin with.

ASCII letters and digits, and those of other scripts without 0xE2, which begins U+2000 to U+2FFF:
signs.
"""
_WORDS[[*b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"]] = True
_WORDS[0x80:] = True
_WORDS[0xE2] = False
_LINKS = np.zeros(256, dtype=bool)
_LINKS[[ord(mark) for mark in LINKS if len(mark) == 1 and mark.isascii()]] = True
_ALLOWED = tuple(f"{link} ".encode() for link in LINKS if len(link) > 1)
_STRANGE = re.compile(r"[^\w!-~ \t\n\r‘’“”–—…]")


@dataclass(frozen=True)
class Scan:
    """The result of a scan.

    Attributes:
        words: the number of tokens of each text.
        whole: rows of texts to be checked as a whole: with tags or entities, or with signs that
            are not ASCII.
        tokens: for each other row with tokens that may be irregular, where in the text they begin.
    """

    words: npt.NDArray[np.int64]
    whole: set[int]
    tokens: dict[int, list[int]]


def scan(texts: pa.StringArray) -> Scan:
    """Scan texts, which have no control characters but tab and line ends."""
    offsets = np.frombuffer(texts.buffers()[1], dtype=np.int32)[
        texts.offset : texts.offset + len(texts) + 1
    ]
    if len(texts) == 0 or offsets[0] == offsets[-1]:
        return Scan(np.zeros(len(texts), dtype=np.int64), set(), {})
    data = np.frombuffer(texts.buffers()[2], dtype=np.uint8)[offsets[0] : offsets[-1]]
    bounds = offsets.astype(np.int64) - offsets[0]
    content = data.tobytes()
    begins = _beginnings(data, bounds)
    at = np.flatnonzero(begins)
    words = np.diff(np.searchsorted(at, bounds))
    starts = _suspicious_starts(data, content, begins, at)
    rows = _rows_of(starts, bounds)
    markup = np.array(list(_markup(content)), dtype=np.int64)
    whole = set(_rows_of(markup, bounds).tolist())
    if not content.isascii():
        non_ascii = np.unique(_rows_of(np.flatnonzero(data >= 0x80), bounds))
        whole |= _count_non_ascii(texts, non_ascii, words, set(rows.tolist()))
    tokens: dict[int, list[int]] = {}
    for row, start in zip(rows.tolist(), (starts - bounds[rows]).tolist(), strict=True):
        if row not in whole:
            tokens.setdefault(row, []).append(start)
    return Scan(words, whole, tokens)


def _rows_of(offsets: npt.NDArray[np.int64], bounds: npt.NDArray[np.int64]) -> npt.NDArray[np.intp]:
    """Return the row of the text that each byte is in."""
    return np.searchsorted(bounds, offsets, side="right") - 1


def _suspicious_starts(
    data: npt.NDArray[np.uint8],
    content: bytes,
    begins: npt.NDArray[np.bool_],
    at: npt.NDArray[np.intp],
) -> npt.NDArray[np.intp]:
    """Return where tokens begin that may be irregular, in ascending order."""
    odd = _odd_tokens(data, begins, at).tolist()
    odd = [start for start in odd if not content.startswith(_ALLOWED, start)]
    long = at[np.diff(at, append=len(data)) > MAX_WORD]
    inside = np.array([*odd, *long.tolist(), *_addresses(content)], dtype=np.int64)
    return np.unique(at[np.searchsorted(at, inside, side="right") - 1])


def _count_non_ascii(
    texts: pa.StringArray,
    rows: npt.NDArray[np.intp],
    words: npt.NDArray[np.int64],
    odd: set[int],
) -> set[int]:
    """Count the words of texts that are not ASCII, whose whitespace is not only ASCII.

    Returns the rows to be checked as a whole.
    """
    whole = set()
    for row in rows.tolist():
        text = texts[row].as_py()
        words[row] = count_words(text)
        if row in odd or _STRANGE.search(text):
            whole.add(row)
    return whole


def _beginnings(
    data: npt.NDArray[np.uint8], bounds: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Mark the bytes that begin a token."""
    space = data <= ord(" ")
    begins = ~space
    begins[1:] &= space[:-1]
    starts = bounds[:-1][bounds[:-1] < bounds[1:]]
    begins[starts] = ~space[starts]
    return begins


def _odd_tokens(
    data: npt.NDArray[np.uint8], begins: npt.NDArray[np.bool_], at: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Return where tokens begin that may have neither letter nor digit, or begin with www.

    Those without a letter begin with two other signs, or with one alone that is no link.
    """
    lead = data[at]
    odd = at[~_WORDS[lead]]
    second = data[np.minimum(odd + 1, len(data) - 1)]
    alone = (
        (second <= ord(" ")) | begins[np.minimum(odd + 1, len(data) - 1)] | (odd + 1 == len(data))
    )
    wordless = odd[np.where(alone, ~_LINKS[data[odd]], ~_WORDS[second] | (second >= 0x80))]
    webs = np.concatenate([at[lead | 0x20 == ord("w")], odd[second | 0x20 == ord("w")] + 1])
    for step in (1, 2):
        webs = webs[data[np.minimum(webs + step, len(data) - 1)] | 0x20 == ord("w")]
    return np.concatenate([wordless, webs])


def _markup(content: bytes) -> Iterator[int]:
    """Yield where tags or entities may begin."""
    yield from _occurrences(content, b"<")
    for at in _occurrences(content, b"&"):
        if content[at + 1 : at + 2].isalpha() or content[at + 1 : at + 2] == b"#":
            yield at


def _addresses(content: bytes) -> Iterator[int]:
    """Yield a place in each token that may hold an address."""
    yield from _occurrences(content, b"@")
    for at in _occurrences(content, b"/"):
        if content[at - 1 : at + 2] == b"://":
            yield at


def _occurrences(content: bytes, sign: bytes) -> Iterator[int]:
    at = content.find(sign)
    while at >= 0:
        yield at
        at = content.find(sign, at + 1)

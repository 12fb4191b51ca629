"""Which encoding a text is written in where it is not UTF-8, and whether that is certain.

Two questions are asked of the bytes above 0x7F. Where they come one by one, between ASCII letters,
the text is in Latin script: an encoding fits when nearly all its accented letters belong to one
language written in it. Where they come in runs, the text is in
another script: an encoding fits when it gives the characters of that script, and where several do,
    charset-normalizer says which text is the least disorderly. An answer is certain when no other
    encoding that fits gives another text.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from charset_normalizer import from_bytes

from tasks.ingest.alphabets import (
    BORROWED_WORDS,
    EAST_ASIAN,
    ENOUGH_LETTERS,
    LATIN,
    MISFITS,
    OTHER_SCRIPTS,
    Alphabet,
    Script,
)

UTF_8 = "utf-8"
_LEGACY = frozenset({"mac_roman", "cp850"})
"""Encodings that are hardly written any more: they raise no doubt about cp1252 where that fits as well.
"""
_HIGH = re.compile(rb"[\x80-\xff]+")
_HIGH_WORD = re.compile(
    rb"[^\s\"',:]*[\x80-\xff][^\s\"]*"
)  # none of these is the second byte of a character
_LONGEST_LATIN_RUN = 1.6  # bytes above 0x7F in a row, on average; other scripts have 2 and more
# accented letters to a letter: English has fewer, the languages of Central Europe and the Baltic
# have more
_BORROWED = 0.02
_FEWEST_BYTES = 8  # bytes above 0x7F by which another script can be told from damage
_PLENTY = (
    60  # bytes of UTF-8, three a character, of an East Asian text that leave no doubt about it
)
_MOST_MESS = 0.1  # that a text may be, as charset-normalizer measures it
_CLEAR = (
    0.04  # how much messier, as charset-normalizer measures it, the second best encoding must be
)
_SAMPLE = 1 << 15
_MOST_EVIDENCE = 1 << 16  # bytes kept of lines that are not UTF-8
_LONGEST_LINE = 4096
_ANYWHERE = frozenset("‘’–—…´·\u00a0\u00ad")
_LETTER_LIKE = frozenset("¡¿²³¹ªºµ")
_NOT_INSIDE_WORDS = frozenset("“”¢£¥€©®™°±½¼¾§×÷†‡•‰‹›«»‚„") | _LETTER_LIKE
"""Signs that people write, by where they may stand. In other encodings some of them are letters."""
_LOW_QUOTES = frozenset("‚„")
_BYTE_ORDER_MARKS = (  # the longer ones first: UTF-32's begins as UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True)
class Guess:
    """What a text may be written in: `certain` if that is sure, and all encodings that are likely; none if the bytes are damage.

    `mixed`: other parts of the text are UTF-8.
    """

    certain: str | None = None
    likely: tuple[str, ...] = ()
    mixed: bool = False

    def advice(self) -> str:
        """Return the way out for a person: the setting, and what it may be set to."""
        if not self.likely:
            return "`sources.encoding` says what it is written in"
        return (
            f"set `sources.encoding` to what it is written in, probably {' or '.join(self.likely)}"
        )


def wide_encoding(head: bytes) -> str | None:
    """Return UTF-16 or UTF-32 where a file begins with their mark, or with ASCII characters of two bytes each; else None."""
    marked = next((name for mark, name in _BYTE_ORDER_MARKS if head.startswith(mark)), None)
    if marked or len(head) < 4 or 0 not in head[:2]:
        return marked
    even, odd = head[0:64:2], head[1:64:2]
    if not any(even) and all(odd):
        return "utf-16-be"
    return "utf-16-le" if all(even) and not any(odd) else None


def guess_encoding(sample: bytes) -> Guess:
    """Return what lines that are not UTF-8 may be written in."""
    runs = _HIGH.findall(sample)
    high = sum(map(len, runs))
    if not runs:
        return Guess()
    if high / len(runs) < _LONGEST_LATIN_RUN:
        return _latin(sample)
    return _other_script(sample) if high >= _FEWEST_BYTES else Guess()


def _latin(sample: bytes) -> Guess:
    alphabets = LATIN
    if _is_sparing(sample.decode("cp1252", "replace")):
        alphabets = {name: (BORROWED_WORDS, *LATIN[name]) for name in ("cp1252", *sorted(_LEGACY))}
    texts = {name: sample.decode(name, "replace") for name in alphabets}
    fitting = [name for name, text in texts.items() if _fits(text, alphabets[name])]
    if not fitting:
        return Guess()
    best = fitting[0]
    doubts = [
        name
        for name in fitting
        if texts[name] != texts[best] and not (best == "cp1252" and name in _LEGACY)
    ]
    return Guess(None if doubts or _is_thin(texts[best], best) else best, (best, *doubts))


def _is_thin(text: str, encoding: str) -> bool:
    """Return True if a text that fits has too few letters to go by."""
    letters = len(_accented(text))
    return (
        letters < ENOUGH_LETTERS
        if encoding in _LEGACY
        else not letters and not _LETTER_LIKE.isdisjoint(text)
    )


def _is_sparing(text: str) -> bool:
    """Return True if a text has as few accented letters as English has."""
    return len(_accented(text)) < _BORROWED * sum(map(str.isalpha, text))


def _accented(text: str) -> str:
    """Return the accented letters of a text, as small ones."""
    return "".join(
        char for char in text if char > "\x7f" and char.isalpha() and char not in _NOT_INSIDE_WORDS
    ).lower()


def _fits(text: str, alphabets: Iterable[Alphabet]) -> bool:
    """Return True if the accented letters of a text are those of a language, and signs stand where signs do."""
    found = [
        (text[at - 1 : at], char, text[at + 1 : at + 2])
        for at, char in enumerate(text)
        if char > "\x7f"
    ]
    if sum(_is_misplaced(*place) for place in found) > MISFITS * len(found):
        return False
    letters = _accented(text)
    return any(alphabet.fits(letters) for alphabet in alphabets)


def _is_misplaced(before: str, char: str, after: str) -> bool:
    """Return True for what people do not write, a sign inside of a word, and a capital behind a small letter."""
    if char in _LOW_QUOTES:
        return before.isalpha()
    if char in _NOT_INSIDE_WORDS:
        return before.isalpha() and after.isalpha()
    return char.isupper() and before.islower() if char.isalpha() else char not in _ANYWHERE


def _other_script(sample: bytes) -> Guess:
    words = b" ".join(_HIGH_WORD.findall(sample))
    if len(words) > _SAMPLE:
        words = words[: words.rfind(b" ", 0, _SAMPLE)]
    wide = _fitting(words, EAST_ASIAN)
    if len(wide) == 1 and len(next(iter(wide.values())).encode(UTF_8)) > _PLENTY:
        return Guess(next(iter(wide)), tuple(wide))
    texts = {**wide, **_fitting(words, OTHER_SCRIPTS)}
    return _least_messy(words, texts) if texts else Guess()


def _fitting(words: bytes, scripts: Mapping[str, Script]) -> dict[str, str]:
    """Return what the bytes read in each encoding in which they are plainly a text of its script."""
    texts = {name: words.decode(name, "replace") for name in scripts}
    return {name: text for name, text in texts.items() if scripts[name].fits(text)}


def _least_messy(words: bytes, texts: Mapping[str, str]) -> Guess:
    """Return which of several encodings, which all give a text of their script, gives one with the usual letters and capitals."""
    found = from_bytes(
        words, steps=10, chunk_size=1024, cp_isolation=list(texts), enable_fallback=False
    )
    matches = sorted(found, key=lambda match: (match.chaos, -match.coherence))
    if not matches or matches[0].chaos > _MOST_MESS:
        return Guess()
    best = matches[0]
    doubts = [
        each.encoding
        for each in matches[1:]
        if each.chaos < best.chaos + _CLEAR and texts[each.encoding] != texts[best.encoding]
    ]
    return Guess(None if doubts else best.encoding, (best.encoding, *doubts))


@dataclass
class Evidence:
    """What lines say about whether a text is UTF-8: characters that are only there if it is, and lines that it does not have.

    Attributes:
        proper: bytes beyond one a character, in lines that are UTF-8.
        bad: lines that are not UTF-8.
        first: number of the first of these.
    """

    proper: int = 0
    bad: int = 0
    first: int = 0
    _sample: bytearray = field(default_factory=bytearray)

    def see(self, data: bytes, first: int) -> bool:
        """Take in whole lines, numbered from `first`; return True if all of them are UTF-8."""
        if data.isascii():
            return True
        with suppress(UnicodeDecodeError):
            self.proper += len(data) - len(data.decode(UTF_8))
            return True
        for number, line in enumerate(data.split(b"\n"), first):
            self._see_line(line, number)
        return False

    def _see_line(self, line: bytes, number: int) -> None:
        try:
            self.proper += len(line) - len(line.decode(UTF_8))
        except UnicodeDecodeError:
            self.first = self.first or number
            self.bad += 1
            if len(self._sample) < _MOST_EVIDENCE:
                self._sample += line[:_LONGEST_LINE] + b"\n"

    def is_utf_8(self) -> bool:
        """Return False if lines that are not UTF-8 outweigh what only UTF-8 has; a few of them are damage to their rows."""
        return self.bad <= self.proper

    def guess(self) -> Guess:
        """Return what the lines that are not UTF-8 may be written in."""
        return guess_encoding(bytes(self._sample))


def _mark_undecodable(error: UnicodeError) -> tuple[str, int]:
    """Put a half surrogate, which no text has, in the place of bytes that the encoding does not have."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "\udcff", error.end


codecs.register_error("redial_mark", _mark_undecodable)


def transcoder(encoding: str) -> Callable[[bytes, bool], bytes]:
    """Return a function of (bytes, is it the last piece) that turns a text into UTF-8 piece by piece.

    Bytes that the encoding does not have become one that UTF-8 does not have, so that their lines
    are found like broken UTF-8.
    """
    decoder = codecs.getincrementaldecoder(encoding)("redial_mark")
    return lambda piece, last: decoder.decode(piece, last).encode(UTF_8, "surrogateescape")

"""The encoding of a text that is not UTF-8, and whether it is certain.

Bytes above 0x7F that come one by one, between ASCII letters, show Latin script: an encoding fits
if nearly all its accented letters belong to one language written in it. Bytes that come in runs
show another script: an encoding fits if it gives the characters of that script; where several do,
charset-normalizer says which text is the least disorderly. A guess is certain if no other
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
    LATIN,
    MAX_FOREIGN_SHARE,
    MIN_LETTERS,
    OTHER_SCRIPTS,
    Alphabet,
    Script,
)

UTF_8 = "utf-8"
_LEGACY = frozenset({"mac_roman", "cp850"})
"""Encodings hardly written any more: they raise no doubt about cp1252 where that fits too."""
_HIGH = re.compile(rb"[\x80-\xff]+")
# None of the excluded ASCII characters is the second byte of a character.
_HIGH_WORD = re.compile(rb"[^\s\"',:]*[\x80-\xff][^\s\"]*")
_MAX_LATIN_RUN = 1.6  # bytes above 0x7F in a row, on average; other scripts have 2 and more
# Accented letters to a letter: English has fewer, the languages of Central Europe and the Baltic
# have more.
_BORROWED = 0.02
_MIN_BYTES = 8  # bytes above 0x7F from which another script is distinguished from damage
# Bytes of UTF-8, three a character, of an East Asian text that leave no doubt about it.
_PLENTY = 60
# Both as charset-normalizer measures disorder: the most a text may have, and how much more the
# second best encoding must have.
_MAX_CHAOS = 0.1
_MIN_CHAOS_GAP = 0.04
_SAMPLE = 1 << 15
_MAX_EVIDENCE = 1 << 16  # bytes kept of lines that are not UTF-8
_MAX_LINE = 4096
_ANYWHERE = frozenset("‘’–—…´·\u00a0\u00ad")
_LETTER_LIKE = frozenset("¡¿²³¹ªºµ")
_NOT_INSIDE_WORDS = frozenset("“”¢£¥€©®™°±½¼¾§×÷†‡•‰‹›«»‚„") | _LETTER_LIKE
"""Signs that people write, by where they may stand. In other encodings some of them are letters."""
_LOW_QUOTES = frozenset("‚„")
# The longer marks first: UTF-32's begins like UTF-16's.
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True)
class Guess:
    """The encodings that a text may be written in.

    Attributes:
        certain: the encoding, if there is no doubt.
        likely: all encodings that fit; none if the bytes are damage.
        mixed: other parts of the text are UTF-8.
    """

    certain: str | None = None
    likely: tuple[str, ...] = ()
    mixed: bool = False

    def hint(self) -> str:
        """Return what to do about it: the setting, and its likely values."""
        if not self.likely:
            return "set `sources.encoding` to its encoding"
        return f"set `sources.encoding` to its encoding, probably {' or '.join(self.likely)}"


def wide_encoding(head: bytes) -> str | None:
    """Return UTF-16 or UTF-32 if a file begins like it, by mark or by zero bytes; else None."""
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
    if high / len(runs) < _MAX_LATIN_RUN:
        return _latin(sample)
    return _other_script(sample) if high >= _MIN_BYTES else Guess()


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
    """Return True if a text that fits has too few letters to be certain."""
    letters = len(_accented(text))
    if encoding in _LEGACY:
        return letters < MIN_LETTERS
    return letters == 0 and not _LETTER_LIKE.isdisjoint(text)


def _is_sparing(text: str) -> bool:
    """Return True if a text has as few accented letters as English has."""
    return len(_accented(text)) < _BORROWED * sum(map(str.isalpha, text))


def _accented(text: str) -> str:
    """Return the accented letters of a text in lower case."""
    return "".join(filter(_is_accented_letter, text)).lower()


def _is_accented_letter(char: str) -> bool:
    return char > "\x7f" and char.isalpha() and char not in _NOT_INSIDE_WORDS


def _fits(text: str, alphabets: Iterable[Alphabet]) -> bool:
    """Return True if accented letters are those of one language and signs are not inside words."""
    high = [at for at, char in enumerate(text) if char > "\x7f"]
    misplaced = sum(
        _is_misplaced(text[at - 1 : at], text[at], text[at + 1 : at + 2]) for at in high
    )
    if misplaced > MAX_FOREIGN_SHARE * len(high):
        return False
    letters = _accented(text)
    return any(alphabet.fits(letters) for alphabet in alphabets)


def _is_misplaced(before: str, char: str, after: str) -> bool:
    """Return True for a sign inside a word, an unknown sign, and a capital after a small letter."""
    if char in _LOW_QUOTES:
        return before.isalpha()
    if char in _NOT_INSIDE_WORDS:
        return before.isalpha() and after.isalpha()
    if char.isalpha():
        return char.isupper() and before.islower()
    return char not in _ANYWHERE


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
    """Return the decoded texts, by encoding, that are plainly in the encoding's script."""
    texts = {name: words.decode(name, "replace") for name in scripts}
    return {name: text for name, text in texts.items() if scripts[name].fits(text)}


def _least_messy(words: bytes, texts: Mapping[str, str]) -> Guess:
    """Return which of several encodings that fit gives the least disorderly text."""
    candidates = from_bytes(
        words, steps=10, chunk_size=1024, cp_isolation=list(texts), enable_fallback=False
    )
    matches = sorted(candidates, key=lambda match: (match.chaos, -match.coherence))
    if not matches or matches[0].chaos > _MAX_CHAOS:
        return Guess()
    best = matches[0]
    doubts = [
        each.encoding
        for each in matches[1:]
        if each.chaos < best.chaos + _MIN_CHAOS_GAP and texts[each.encoding] != texts[best.encoding]
    ]
    return Guess(None if doubts else best.encoding, (best.encoding, *doubts))


@dataclass
class Evidence:
    """Evidence for and against a text being UTF-8.

    Attributes:
        proper: bytes beyond one a character, in lines that are UTF-8.
        bad: lines that are not UTF-8.
        first: number of the first of these.
    """

    proper: int = 0
    bad: int = 0
    first: int = 0
    _sample: bytearray = field(default_factory=bytearray)

    def add(self, data: bytes, first: int) -> bool:
        """Add whole lines, numbered from `first`; return True if all of them are UTF-8."""
        if data.isascii():
            return True
        with suppress(UnicodeDecodeError):
            self.proper += len(data) - len(data.decode(UTF_8))
            return True
        for number, line in enumerate(data.split(b"\n"), first):
            self._add_line(line, number)
        return False

    def _add_line(self, line: bytes, number: int) -> None:
        try:
            self.proper += len(line) - len(line.decode(UTF_8))
        except UnicodeDecodeError:
            self.first = self.first or number
            self.bad += 1
            if len(self._sample) < _MAX_EVIDENCE:
                self._sample += line[:_MAX_LINE] + b"\n"

    def is_utf_8(self) -> bool:
        """Return False if bad lines outweigh characters that only UTF-8 has; a few are damage."""
        return self.bad <= self.proper

    def guess(self) -> Guess:
        """Return what the lines that are not UTF-8 may be written in."""
        return guess_encoding(bytes(self._sample))


def _mark_undecodable(error: UnicodeError) -> tuple[str, int]:
    """Replace bytes that the encoding does not have by a half surrogate, which no text has."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "\udcff", error.end


codecs.register_error("redial_mark", _mark_undecodable)


def transcoder(encoding: str) -> Callable[[bytes, bool], bytes]:
    """Return a function of (bytes, is it the last piece) that converts a text to UTF-8.

    Bytes that the encoding does not have become bytes that UTF-8 does not have, so that their
    lines are detected like broken UTF-8.
    """
    decoder = codecs.getincrementaldecoder(encoding)("redial_mark")
    return lambda piece, last: decoder.decode(piece, last).encode(UTF_8, "surrogateescape")

"""Reads one value of JSON as models write it, in one pass, and says whether its end is missing.

`json-repair` 0.64.6 was tried for this: of the 27 answers of `tests/dialogues/test_answers.py` that
are not strict JSON it read 8 wrongly, and it completes JSON that is cut without saying so.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from tasks.model_output.json_strings import MARKS, string_end, string_value

_DEEPEST = 100
_BETWEEN = re.compile(r"(?:[\s,\ufeff]++|//[^\n]*+|/\*(?:[^*]++|\*(?!/))*+\*/|\#[^\n]*+)*+")
_COLON = re.compile(r"\s*+:")
_WORD = re.compile(r"[\w.+-]++")
_NUMBER = re.compile(r"-?\d{1,18}(?P<fraction>\.\d{1,18})?(?:[eE][+-]?\d{1,3})?")
_DIGITS = re.compile(r"-?[\d.eE+-]+")
_LITERALS = {
    "true": True, "True": True, "false": False, "False": False,
    "null": None, "None": None, "NaN": None, "nan": None,
}  # fmt: skip
_CLOSERS = {"{": "}", "[": "]"}
_NO_VALUE = object()


class Scanned(NamedTuple):
    """A value, where it ends in the text, and whether its end is missing."""

    value: Any
    end: int
    cut: bool


class _Frame:
    """One object or list that is still open.

    Attributes:
        value: what it holds so far.
        key: the key that waits for its value; None in lists and between entries.
        mark: the quotation mark of its keys, "" for keys without marks.
        last: the value that was added last.
    """

    __slots__ = ("key", "last", "mark", "value")

    def __init__(self, opener: str) -> None:
        self.value: Any = {} if opener == "{" else []
        self.key: str | None = None
        self.mark = '"'
        self.last: Any = _NO_VALUE

    def add(self, value: Any) -> bool:
        """Add a value; return False where an object has no key for it."""
        if isinstance(self.value, list):
            self.value.append(value)
        elif self.key is None:
            return False
        else:
            self.value[self.key] = value
            self.key = None
        self.last = value
        return True

    def wants_key(self) -> bool:
        """Return True if the next thing must be a key."""
        return isinstance(self.value, dict) and self.key is None


def scan(text: str, start: int, keep_open_objects: bool = False) -> Scanned | int:
    """Read the object or list that begins at `start`, or return the place where it is none.

    A string ends at the first mark behind which JSON goes on, so marks inside texts need no escape.
    Takes time in proportion to the text.
    """
    return _Scanner(text, start).run(keep_open_objects)


class _Scanner:
    """A place in the text, and what is open there, outermost first."""

    def __init__(self, text: str, at: int) -> None:
        self.text = text
        self.at = at
        self.open: list[_Frame] = []

    def run(self, keep_open_objects: bool) -> Scanned | int:
        root: _Frame | None = None
        while True:
            between = _BETWEEN.match(self.text, self.at)
            self.at = between.end() if between else self.at
            if self.at >= len(self.text):
                return self._at_the_end(root, keep_open_objects)
            if not self._step():
                return self.at
            root = root or self.open[0]
            if not self.open:
                return Scanned(root.value, self.at, cut=False)

    def _step(self) -> bool:
        """Read one bracket, string, word or number; return False where none is."""
        char = self.text[self.at]
        if char in _CLOSERS:
            return self._opened(char)
        if char in "}]":
            return self._closed(char)
        return self._string(char) if char in MARKS else self._word()

    def _opened(self, char: str) -> bool:
        frame = _Frame(char)
        if len(self.open) >= _DEEPEST or (self.open and not self.open[-1].add(frame.value)):
            return False
        self.open.append(frame)
        self.at += 1
        return True

    def _closed(self, char: str) -> bool:
        frame = self.open.pop()
        self.at += 1
        return (char == "}") == isinstance(frame.value, dict) and frame.key is None

    def _string(self, mark: str) -> bool:
        frame = self.open[-1]
        is_key = frame.wants_key()
        end = string_end(self.text, self.at, len(self.open), frame.value, frame.mark, is_key=is_key)
        if end < 0:
            self.at = len(self.text)
            return True
        value = string_value(self.text[self.at + 1 : end], mark)
        self.at = end + 1
        if not is_key:
            return frame.add(value)
        frame.mark = mark
        return self._key(value)

    def _key(self, key: str) -> bool:
        """Take a key and the colon behind it; a text that ends there is cut."""
        colon = _COLON.match(self.text, self.at)
        if colon is None:
            self.at = len(self.text) if not self.text[self.at :].strip() else self.at
            return self.at == len(self.text)
        self.at = colon.end()
        self.open[-1].key = key
        return True

    def _word(self) -> bool:
        frame = self.open[-1]
        word = _WORD.match(self.text, self.at)
        if word is None:
            return False
        self.at = word.end()
        if frame.wants_key():
            frame.mark = ""
            return self._key(word[0])
        if self.at == len(self.text):
            return True  # it may have been longer
        value = _meaning(word[0])
        return value is not _NO_VALUE and frame.add(value)

    def _at_the_end(self, root: _Frame | None, keep_open_objects: bool) -> Scanned | int:
        """Return what a text that ends too early holds."""
        if root is None:
            return self.at
        last = self.open[-1].last
        only_braces = all(isinstance(frame.value, dict) for frame in self.open)
        ended = self.text.rstrip().endswith(("]", "}"))
        if only_braces and ended and self.open[-1].key is None and isinstance(last, dict | list):
            return Scanned(root.value, self.at, cut=False)
        if not keep_open_objects:
            self._drop_open_objects()
        return Scanned(root.value, self.at, cut=True)

    def _drop_open_objects(self) -> None:
        """Remove open objects from their lists, unless they hold a list or object."""
        while len(self.open) > 1:
            frame, outer = self.open[-1], self.open[-2]
            if not isinstance(frame.value, dict) or not isinstance(outer.value, list):
                return
            if any(isinstance(entry, dict | list) for entry in frame.value.values()):
                return
            outer.value.pop()
            self.open.pop()


def _meaning(word: str) -> Any:
    if word in _LITERALS:
        return _LITERALS[word]
    number = _NUMBER.fullmatch(word)
    if number is not None:
        return float(word) if number["fraction"] or "e" in word.lower() else int(word)
    # A number too long or malformed for Python stays text.
    return word if _DIGITS.fullmatch(word) else _NO_VALUE

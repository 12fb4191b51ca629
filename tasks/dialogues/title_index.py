"""Titles in Arrow and numpy: which of millions may be in a text, by their first words.

A title is found on word boundaries, so its words are words of the text, side by side. Its key is
made of the first three; a text has a key for each word, pair and triple. In texts that several
thousand dialogues hold, the keys leave a few thousand titles to look for.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from tasks.titles import unify_marks

ARTICLES = ("The ", "A ", "An ")
# Just as `str.isalnum`, by which the matcher tells the boundaries of words.
_WORD = re.compile(r"[^\W_]+")
_KEY_WORDS = 3
_MIX = np.uint64(0x9E3779B97F4A7C15)  # odd, so that no bit of a word's number is lost
_BATCH = 20_000
_LAST = "\U0010ffff"  # the greatest character
_SCHEMA = pa.schema([("title", pa.large_string()), ("id", pa.large_string()), ("key", pa.uint64())])
_Keys = npt.NDArray[np.uint64]


class TitleIndex:
    """The titles of a catalogue, their marks unified, with the items of each.

    About 100 bytes a title beside its text.
    """

    def __init__(self, items: Iterable[tuple[str, str]]) -> None:
        """Take (item id, clean title) pairs; those without a letter or digit are left out."""
        # "the Mummy" is a spelling of "The Mummy": both forms of an article have one number.
        self._numbers = {
            form: number
            for number, article in enumerate(ARTICLES, start=1)
            for form in (article.strip(), article.strip().lower())
        }
        batches = [self._batch(known) for known in _batches(items)]
        table = pa.Table.from_batches(batches, _SCHEMA)
        del batches
        order = [("title", "ascending"), ("id", "ascending")]
        table = table.take(pc.sort_indices(table, order))
        self._titles = _single(table["title"])
        self._ids = _single(table["id"])
        keys = table["key"].to_numpy()
        self._rows_by_key = np.argsort(keys, kind="stable").astype(np.uint32)
        self._keys = keys[self._rows_by_key]

    def _batch(self, known: Sequence[tuple[str, str]]) -> pa.RecordBatch:
        """Return titles, ids and keys of some items; numbers words that are new."""
        words = [_WORD.findall(title)[:_KEY_WORDS] for title, _ in known]
        numbers = self._numbers
        padded = np.zeros((len(known), _KEY_WORDS), dtype=np.uint64)
        for row, few in enumerate(words):
            for column, word in enumerate(few):
                padded[row, column] = numbers.setdefault(word, len(numbers) + 1)
        columns = [
            pa.array([title for title, _ in known], pa.large_string()),
            pa.array([item_id for _, item_id in known], pa.large_string()),
            pa.array(_key(padded[:, 0], padded[:, 1], padded[:, 2])),
        ]
        return pa.RecordBatch.from_arrays(columns, schema=_SCHEMA)

    def candidates(self, text: str) -> dict[str, tuple[str, ...]]:
        """Return the titles whose first words are in a text side by side, with their items."""
        if not len(self._keys):
            return {}
        words = np.array(
            [self._numbers.get(word, 0) for word in _WORD.findall(text)], dtype=np.uint64
        )
        rows = [
            self._rows_with(_key(*_side_by_side(words, count)))
            for count in range(1, min(_KEY_WORDS, len(words)) + 1)
        ]
        return self._titled(np.unique(np.concatenate(rows))) if rows else {}

    def _rows_with(self, keys: _Keys) -> npt.NDArray[np.uint32]:
        wanted = np.unique(keys)
        first = np.searchsorted(self._keys, wanted)
        last = np.searchsorted(self._keys, wanted, side="right")
        found = np.flatnonzero(first < last)
        ranges = [self._rows_by_key[first[at] : last[at]] for at in found.tolist()]
        return np.concatenate(ranges) if ranges else np.array([], dtype=np.uint32)

    def _titled(self, rows: npt.NDArray[np.uint32] | Sequence[int]) -> dict[str, tuple[str, ...]]:
        """Return the titles of rows in ascending order, with their items."""
        chosen = pa.array(rows, pa.uint32())
        ids: dict[str, list[str]] = {}
        for title, item_id in zip(
            self._titles.take(chosen).to_pylist(), self._ids.take(chosen).to_pylist(), strict=True
        ):
            ids.setdefault(title, []).append(item_id)
        return {title: tuple(known) for title, known in ids.items()}

    def items_called(self, title: str) -> tuple[str, ...]:
        """Return the items with exactly this title."""
        first = bisect_left(_View(self._titles), title)
        last = first
        while last < len(self._titles) and self._titles[last].as_py() == title:
            last += 1
        return self._titled(range(first, last)).get(title, ())

    def beginning_with(self, start: str) -> dict[str, tuple[str, ...]]:
        """Return the titles that begin with a text in lower case, in small letters or not."""
        lowered, rows = self._lowered
        first = bisect_left(_View(lowered), start)
        last = bisect_left(_View(lowered), start + _LAST)
        return self._titled(np.sort(rows[first:last]))

    @cached_property
    def _lowered(self) -> tuple[pa.LargeStringArray, npt.NDArray[np.uint32]]:
        """The titles in lower case in ascending order, with the row of each."""
        chunks = [
            pa.array([title.lower() for title in part.to_pylist()], pa.large_string())
            for part in (
                self._titles.slice(start, _BATCH) for start in range(0, len(self._titles), _BATCH)
            )
        ]
        lowered = pa.chunked_array(chunks, pa.large_string())
        rows = pc.sort_indices(lowered)
        return _single(lowered.take(rows)), rows.to_numpy().astype(np.uint32)


class _View(Sequence[str]):
    """An Arrow array that `bisect` can search."""

    def __init__(self, values: pa.LargeStringArray) -> None:
        self._values = values

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, at: int) -> str:  # type: ignore[override]
        return self._values[at].as_py()  # type: ignore[no-any-return]


def _batches(items: Iterable[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    """Yield titles with their marks unified and their ids, some thousand at a time."""
    remaining = iter(items)
    while some := list(islice(remaining, _BATCH)):
        joined = "\n".join(" ".join(title.split()) for _, title in some)
        folded = unify_marks(joined).split("\n")
        yield [
            (title, item_id)
            for (item_id, _), title in zip(some, folded, strict=True)
            if _WORD.search(title)
        ]


def _side_by_side(words: _Keys, count: int) -> list[_Keys]:
    """Return the first to last words of all runs of `count` words, zero for those beyond."""
    runs = len(words) - count + 1
    return [
        words[at : at + runs] if at < count else np.zeros(runs, dtype=np.uint64)
        for at in range(_KEY_WORDS)
    ]


def _key(first: _Keys, second: _Keys, third: _Keys) -> _Keys:
    """Return the key of each run of words, by their numbers."""
    return ((first * _MIX + second) * _MIX + third) * _MIX


def _single(values: pa.ChunkedArray) -> pa.LargeStringArray:
    return pa.concat_arrays([pa.array([], values.type), *values.chunks])

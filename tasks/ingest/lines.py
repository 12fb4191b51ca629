"""A source file as numbered lines, in groups of about a megabyte."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tasks.ingest.unpacking import prefetched, unpacked

MAX_LINE = 4 << 20
"""Longest line read, in bytes; a longer one is rejected without being held in memory."""
_GROUP = 1 << 20
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Lines:
    """Lines of a file without their line feeds; `first` is the number of the first one, counted from 1.

    `over_long` numbers the lines above MAX_LINE; they stand in `lines` as empty bytes.
    """

    first: int
    lines: list[bytes]
    over_long: tuple[int, ...] = ()


def numbered_lines(path: Path) -> Iterator[Lines]:
    """Yield all lines of a file. Raises UserError as `unpacked` does."""
    rest, first, dropping = b"", 1, False
    for block in _blocks(path):
        text = rest + block
        lines = text.split(b"\n")
        rest = lines.pop()
        over_long: list[int] = []
        if dropping and lines:
            lines[0], dropping = b"", False
            over_long.append(first)
        if len(rest) > MAX_LINE or dropping:
            rest, dropping = b"", True
        if len(text) > MAX_LINE:
            for at, line in enumerate(lines):
                if len(line) > MAX_LINE:
                    lines[at] = b""
                    over_long.append(first + at)
        if lines:
            yield Lines(first, lines, tuple(over_long))
            first += len(lines)
    if dropping:
        yield Lines(first, [b""], (first,))
    elif rest:
        yield Lines(first, [rest])


def _blocks(path: Path) -> Iterator[bytes]:
    """Yield the content in pieces of about a megabyte, without a byte order mark at its start."""
    gathered: list[bytes] = []
    size, start = 0, True
    for chunk in prefetched(unpacked(path)):
        gathered.append(chunk)
        size += len(chunk)
        if size >= _GROUP:
            block = b"".join(gathered)
            yield block.removeprefix(_BOM) if start else block
            gathered, size, start = [], 0, False
    if size:
        block = b"".join(gathered)
        yield block.removeprefix(_BOM) if start else block

"""A source file as numbered lines, in blocks of about a megabyte."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tasks.ingest.unpacking import prefetched, unpacked

MAX_LINE = 4 << 20
"""Longest line read, in bytes; a longer one is rejected without being held in memory."""
_BLOCK = 1 << 20
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Block:
    """Whole lines of a file, each with its line feed; `first` is the number of the first one, counted from 1.

    `over_long` numbers the lines above MAX_LINE; in `data` they are empty.
    """

    first: int
    data: bytes
    over_long: tuple[int, ...] = ()

    def lines(self) -> list[bytes]:
        """Return the lines without their line feeds."""
        return self.data.split(b"\n")[:-1]


def numbered_blocks(path: Path) -> Iterator[Block]:
    """Yield all lines of a file, without a byte order mark at its start. Raises UserError as `unpacked` does."""
    gathered: list[bytes] = []
    size, first, dropping = 0, 1, False
    for chunk in prefetched(unpacked(path)):
        gathered.append(chunk)
        size += len(chunk)
        cut = chunk.rfind(b"\n") + 1
        if size < _BLOCK or (not cut and size <= MAX_LINE):
            continue
        data, rest = _parted(gathered, cut)
        if data:
            block = _block(first, data, dropping)
            yield block
            first += data.count(b"\n")
        dropping = len(rest) > MAX_LINE or (dropping and not data)
        gathered = [b"" if dropping else rest]
        size = len(gathered[0])
    if size or dropping:
        data = b"".join(gathered)
        yield _block(first, data if data.endswith(b"\n") else data + b"\n", dropping)


def numbered_lines(path: Path) -> Iterator[tuple[int, str | None]]:
    """Yield lines with their line feeds, None for one that is too long.

    Bytes that are no UTF-8 become half surrogates, for the row to be found by them.
    """
    for block in numbered_blocks(path):
        over_long = set(block.over_long)
        for number, line in enumerate(block.lines(), block.first):
            yield number, None if number in over_long else line.decode("utf-8", "surrogateescape") + "\n"


def _parted(gathered: list[bytes], cut: int) -> tuple[bytes, bytes]:
    """Return the whole lines gathered and the beginning of the next; `cut` is where that begins in the last piece, or 0."""
    if not cut:
        whole, feed, rest = b"".join(gathered).rpartition(b"\n")
        return whole + feed, rest
    return b"".join((*gathered[:-1], gathered[-1][:cut])), gathered[-1][cut:]


def _block(first: int, data: bytes, dropping: bool) -> Block:
    data, over_long = _shortened(data.removeprefix(_BOM) if first == 1 else data, first, dropping)
    return Block(first, data, over_long)


def _shortened(data: bytes, first: int, dropping: bool) -> tuple[bytes, tuple[int, ...]]:
    """Empty the lines that are too long, and the first one if its beginning was dropped; return their numbers too."""
    if len(data) <= MAX_LINE and not dropping:
        return data, ()
    lines = data.split(b"\n")
    long = [at for at, line in enumerate(lines) if len(line) > MAX_LINE or (at == 0 and dropping)]
    for at in long:
        lines[at] = b""
    return b"\n".join(lines), tuple(first + at for at in long)

"""A source file as numbered lines, in blocks of about a megabyte."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from tasks.errors import UserError
from tasks.ingest.compression import prefetched
from tasks.ingest.defects import TRAILING, Defect, Tally
from tasks.ingest.encodings import UTF_8, Evidence
from tasks.ingest.source_file import SourceFile, text_chunks

MAX_LINE = 4 << 20
"""Longest line read, in bytes; a longer one is rejected without being held in memory."""
_BLOCK = 1 << 20
_BOM = b"\xef\xbb\xbf"
# Lines that are not UTF-8, after which a file in another encoding is not read further.
_ENOUGH = 2000
# Lines that are not UTF-8, of uncertain encoding: fewer count as damage to these lines.
_A_FEW = 3


@dataclass(frozen=True)
class Block:
    """Whole lines of a file, each with its line feed.

    Attributes:
        first: number of the first line, counted from 1.
        over_long: numbers of the lines above MAX_LINE; in `data` they are empty.
        valid: False if some line is not UTF-8.
    """

    first: int
    data: bytes
    over_long: tuple[int, ...] = ()
    valid: bool = True

    def lines(self) -> list[bytes]:
        """Return the lines without their line feeds."""
        return self.data.split(b"\n")[:-1]

    def last(self) -> int:
        """Return the number of the last line."""
        return self.first + self.data.count(b"\n") - 1


def text_blocks(file: SourceFile, tally: Tally) -> Iterator[Block]:
    """Yield all lines of a file, and record in `tally` what is wrong with it as a whole.

    A file that turns out to be in another encoding than UTF-8 may not be read to its end;
    `tally.reread_as` then is that encoding.

    Raises:
        UserError: as `decompressed` does; or the file is not UTF-8, and its encoding is uncertain.
    """
    evidence, trailing, last = Evidence(), list[int](), 0
    for block in numbered_blocks(file, trailing.append):
        last = block.last()
        yield block if evidence.add(block.data, block.first) else replace(block, valid=False)
        if _enough(file, evidence):
            break
    if trailing:
        tally.lines += 1
        detail = f"{trailing[0]} bytes after the end of the compressed data"
        tally.reject(last + 1, Defect(TRAILING, detail))
    if evidence.bad and file.encoding == UTF_8:
        _record_guess(file, evidence, tally)


def _enough(file: SourceFile, evidence: Evidence) -> bool:
    many = evidence.bad >= _ENOUGH and not file.declared and not evidence.is_utf_8()
    return many and evidence.guess().certain is not None


def _record_guess(file: SourceFile, evidence: Evidence, tally: Tally) -> None:
    """Record in which encoding lines that are not UTF-8 may be.

    Raises UserError if the whole file is in another encoding, and it is uncertain in which.
    """
    tally.guess = replace(evidence.guess(), mixed=evidence.is_utf_8())
    if file.declared or evidence.is_utf_8():
        return
    tally.reread_as = tally.guess.certain
    if tally.guess.likely and not tally.reread_as and evidence.bad >= _A_FEW:
        raise UserError(
            f"{file} is not UTF-8 "
            f"({evidence.bad} of its lines are not, the first is line {evidence.first}): "
            f"{tally.guess.hint()}; `encoding: {UTF_8}` skips these lines instead"
        )


def numbered_blocks(
    file: SourceFile, on_trailing: Callable[[int], None] = lambda _: None
) -> Iterator[Block]:
    """Yield all lines of a file, without a byte order mark at its start.

    Raises UserError as `decompressed` does.
    """
    gathered: list[bytes] = []
    size, first, dropping = 0, 1, False
    for chunk in prefetched(text_chunks(file, on_trailing)):
        gathered.append(chunk)
        size += len(chunk)
        cut = chunk.rfind(b"\n") + 1
        if size < _BLOCK or (not cut and size <= MAX_LINE):
            continue
        data, rest = _split_lines(gathered, cut)
        if data:
            block = _block(first, data, dropping)
            yield block
            first = block.last() + 1
        dropping = len(rest) > MAX_LINE or (dropping and not data)
        gathered = [b"" if dropping else rest]
        size = len(gathered[0])
    if size or dropping:
        data = b"".join(gathered)
        yield _block(first, data if data.endswith(b"\n") else data + b"\n", dropping)


def numbered_lines(file: SourceFile, tally: Tally) -> Iterator[tuple[int, str | None]]:
    """Yield lines with their line feeds, None for one that is too long.

    Bytes that are not UTF-8 become half surrogates, by which `is_unicode` rejects the row.
    Raises UserError as `text_blocks` does.
    """
    for block in text_blocks(file, tally):
        over_long = set(block.over_long)
        for number, line in enumerate(block.lines(), block.first):
            if number in over_long:
                yield number, None
            else:
                yield number, line.decode(UTF_8, "surrogateescape") + "\n"


def _split_lines(gathered: list[bytes], cut: int) -> tuple[bytes, bytes]:
    """Return the whole lines gathered and the start of the next, at `cut` of the last piece."""
    # No line feed in the last piece: the lines end in an earlier one.
    if not cut:
        whole, feed, rest = b"".join(gathered).rpartition(b"\n")
        return whole + feed, rest
    return b"".join((*gathered[:-1], gathered[-1][:cut])), gathered[-1][cut:]


def _block(first: int, data: bytes, dropping: bool) -> Block:
    data, over_long = _shortened(data.removeprefix(_BOM) if first == 1 else data, first, dropping)
    return Block(first, data, over_long)


def _shortened(data: bytes, first: int, dropping: bool) -> tuple[bytes, tuple[int, ...]]:
    """Empty the lines that are too long, or whose start was dropped; return their numbers too."""
    if len(data) <= MAX_LINE and not dropping:
        return data, ()
    lines = data.split(b"\n")
    long = [at for at, line in enumerate(lines) if len(line) > MAX_LINE or (at == 0 and dropping)]
    for at in long:
        lines[at] = b""
    return b"\n".join(lines), tuple(first + at for at in long)

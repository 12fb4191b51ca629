"""A source file as a stream of decompressed bytes; the compression is detected by content."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from queue import Full, Queue
from threading import Event, Thread
from typing import BinaryIO

import zstandard
from isal import isal_zlib
from isal.igzip_lib import IsalError

from tasks.errors import UserError
from tasks.ingest.encodings import wide_encoding

_CHUNK = 1 << 20  # bytes read at once from a plain file
_GZIP_CHUNK = 1 << 18
# Small, because a few bytes of zstd can decompress to a great many.
_ZSTD_CHUNK = 1 << 14
_MAX_PIECE = 4 << 20  # decompressed bytes yielded at once
# Bytes after the end of gzip data that may be ignored; more than that is lost data.
_MAX_TRAILING = 1 << 16
_GZIP_WINDOW = 31  # the largest window, with a gzip header
_TAR_MARK = slice(257, 262)
_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
# Frames without content; files of pzstd begin with one.
_SKIPPABLE = tuple(bytes([kind]) + b"\x2a\x4d\x18" for kind in range(0x50, 0x60))
_AS_TEXT = "convert it to UTF-8 text, plain or compressed with gzip or zstd"
_TAKE_OUT = "extract the file you want from it"
_EXPORT = "export it as CSV or Parquet"
_UNSUPPORTED = (
    (b"PK\x03\x04", f"a ZIP archive (as .xlsx files are too): {_TAKE_OUT}, or {_EXPORT}"),
    (b"7z\xbc\xaf", f"a 7z archive: {_TAKE_OUT}"),
    (b"Rar!", f"a RAR archive: {_TAKE_OUT}"),
    (b"BZh", f"compressed with bzip2: {_AS_TEXT}"),
    (b"\xfd7zXZ\x00", f"compressed with xz: {_AS_TEXT}"),
    (b"SQLite format 3", f"an SQLite database: {_EXPORT}"),
    (b"\xd0\xcf\x11\xe0", f"an Excel workbook: {_EXPORT}"),
    (b"ARROW1", "an Arrow (Feather) file: write it as Parquet"),
    (b"Obj\x01", "an Avro file: write it as Parquet"),
    (b"ORC", "an ORC file: write it as Parquet"),
    (b"\x80\x04\x95", "a Python pickle: write it as Parquet"),
    (b"version https://git-lfs", "a Git LFS pointer, not the file itself: run `git lfs pull`"),
)
_PAGE = (b"<!doctype html", b"<html")


def detect_compression(path: Path, claimed: str | None = None) -> str | None:
    """Return "gzip", "zstd" or None for a plain file.

    `claimed` is the name whose suffix must agree with the content, if not the path's own.

    Raises:
        UserError: the file is missing, empty, in an unsupported format, or not compressed as its
            name says.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_TAR_MARK.stop)
    except FileNotFoundError:
        raise UserError(
            f"there is no file {path}: put it there, "
            "or run `redial fetch` if its domain gives a `url` for it"
        ) from None
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from None
    if not head:
        raise UserError(f"{path} is empty")
    if unsupported := unsupported_kind(head):
        raise UserError(f"{path} is {unsupported}")
    actual = _compression_of(head)
    promised = {".gz": "gzip", ".zst": "zstd"}.get(Path(claimed or path.name).suffix.lower())
    if promised and promised != actual:
        raise UserError(
            f"{path} is not {promised}, though its name says so: "
            "fetch it again, or correct its name"
        )
    return actual


def _compression_of(head: bytes) -> str | None:
    if head.startswith(_GZIP):
        return "gzip"
    return "zstd" if head.startswith((_ZSTD, *_SKIPPABLE)) else None


def unsupported_kind(head: bytes) -> str | None:
    """Return what a file is and what to do about it, by its first bytes, or None if supported."""
    if head[_TAR_MARK] == b"ustar":
        return f"a tar archive: {_TAKE_OUT}"
    if head.lstrip()[:14].lower().startswith(_PAGE):
        return (
            "a web page, as servers send in place of a file: "
            "fetch it again, and open its address in a browser"
        )
    known = next((what for magic, what in _UNSUPPORTED if head.startswith(magic)), None)
    if known or 0 not in head[:2] or wide_encoding(head):
        return known
    return f"not text: {_EXPORT}"


def decompressed(
    path: Path, claimed: str | None = None, *, on_trailing: Callable[[int], None] = lambda _: None
) -> Iterator[bytes]:
    """Yield the decompressed content in pieces of a few megabytes at most.

    As gunzip does, a few bytes after the end of gzip data are ignored; `on_trailing` is called
    with their number.

    Raises:
        UserError: as `detect_compression`; or the file is truncated, damaged or compressed twice.
    """
    kind = detect_compression(path, claimed)
    with path.open("rb") as file:
        if kind is None:
            yield from iter(lambda: file.read(_CHUNK), b"")
            return
        pieces = (
            _gzip_pieces(file, path, on_trailing) if kind == "gzip" else _zstd_pieces(file, path)
        )
        first = next(pieces, b"")
        if first.startswith((_GZIP, _ZSTD, b"PAR1")) or first[_TAR_MARK] == b"ustar":
            raise UserError(
                f"{path} holds a compressed file or an archive: "
                "decompress it once, and give the file that was in it"
            )
        yield first
        yield from pieces


def _gzip_pieces(file: BinaryIO, path: Path, on_trailing: Callable[[int], None]) -> Iterator[bytes]:
    """Yield the content of all gzip members.

    Zero bytes after the last one are padding; other bytes there are ignored, and counted.
    """
    member = isal_zlib.decompressobj(_GZIP_WINDOW)
    try:
        while chunk := file.read(_GZIP_CHUNK):
            while chunk:
                if member.eof:
                    chunk = _next_member(chunk.lstrip(b"\0"), file)
                    if chunk and not chunk.startswith(_GZIP):
                        on_trailing(_trailing_bytes(chunk, file, path))
                        return
                    member = isal_zlib.decompressobj(_GZIP_WINDOW) if chunk else member
                if chunk:
                    yield member.decompress(chunk, _MAX_PIECE)
                    chunk = member.unused_data if member.eof else member.unconsumed_tail
        if not member.eof:
            yield member.flush()
    except IsalError as error:  # type: ignore[misc]  # its stub calls the class an instance
        raise UserError(f"{path} is damaged ({error}): fetch it again") from None
    if not member.eof:
        raise UserError(f"{path} is cut short, its gzip data has no end: fetch it again")


def _next_member(chunk: bytes, file: BinaryIO) -> bytes:
    """Return what follows a gzip member, with enough bytes to recognise another member."""
    return chunk + file.read(1) if len(chunk) == 1 else chunk


def _trailing_bytes(chunk: bytes, file: BinaryIO, path: Path) -> int:
    """Return how many bytes follow the end of gzip data.

    Raises UserError if they are too many to be ignored.
    """
    size = len(chunk) + len(file.read(_MAX_TRAILING))
    if size > _MAX_TRAILING:
        raise UserError(
            f"{path} is damaged, its gzip data ends long before the file does: fetch it again"
        )
    return size


def _zstd_pieces(file: BinaryIO, path: Path) -> Iterator[bytes]:
    """Yield the content of all zstd frames."""
    frame = zstandard.ZstdDecompressor().decompressobj()
    try:
        while chunk := file.read(_ZSTD_CHUNK):
            while chunk:
                if frame.eof:
                    frame = zstandard.ZstdDecompressor().decompressobj()
                content = frame.decompress(chunk)
                yield from (
                    content[at : at + _MAX_PIECE] for at in range(0, len(content), _MAX_PIECE)
                )
                chunk = frame.unused_data if frame.eof else b""
    except zstandard.ZstdError as error:
        raise UserError(f"{path} is damaged ({error}): fetch it again") from None
    if not frame.eof:
        raise UserError(f"{path} is cut short, its zstd data has no end: fetch it again")


def prefetched(chunks: Iterator[bytes], ahead: int = 16) -> Iterator[bytes]:
    """Yield the same pieces, read ahead in a thread: decompression releases the GIL.

    At most `ahead` pieces are kept. An error of the thread is raised here. The thread ends with
    the generator, and never keeps the process alive.
    """
    queue: Queue[bytes | Exception | None] = Queue(maxsize=ahead)
    stop = Event()
    Thread(target=_fill, args=(chunks, queue, stop), daemon=True).start()
    try:
        while (piece := queue.get()) is not None:
            if isinstance(piece, Exception):
                raise piece
            yield piece
    finally:
        stop.set()


def _fill(chunks: Iterator[bytes], queue: Queue[bytes | Exception | None], stop: Event) -> None:
    end: Exception | None = RuntimeError("decompression stopped early")
    try:
        for chunk in chunks:
            if not _put(queue, chunk, stop):
                return
        end = None
    except (OSError, MemoryError, UserError) as error:
        end = error
    finally:
        _put(queue, end, stop)


def _put(
    queue: Queue[bytes | Exception | None], piece: bytes | Exception | None, stop: Event
) -> bool:
    """Put a piece into the queue once there is room; return False if the reader has gone."""
    while not stop.is_set():
        with suppress(Full):
            queue.put(piece, timeout=0.1)
            return True
    return False

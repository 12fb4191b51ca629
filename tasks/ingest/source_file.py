"""A source file as the readers see it: UTF-8 text with line feeds, whatever its encoding."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tasks.errors import UserError
from tasks.ingest.compression import decompressed, unsupported_kind
from tasks.ingest.encodings import UTF_8, Evidence, transcoder, wide_encoding

_HEAD = 1 << 18  # bytes by which a file's encoding and line ends are recognised
_SURE = 50  # bytes above 0x7F in the head by which the rest of a longer file is known
# Bytes beyond one a character: text in another encoding has fewer that are UTF-8 by chance.
_PLAINLY_UTF_8 = 8
_HIGH_BYTES = bytes(range(0x80, 0x100))
_BOM = b"\xef\xbb\xbf"
_PARQUET = b"PAR1"


@dataclass(frozen=True)
class SourceFile:
    """One source file and how its text is read; in messages it is shown as its path.

    Attributes:
        declared: the domain names the encoding, or it is certain; bad bytes are damage.
        carriage_returns: its lines end with carriage returns alone.
        head: the first bytes of its text, in UTF-8.
    """

    path: Path
    encoding: str = UTF_8
    declared: bool = False
    carriage_returns: bool = False
    head: bytes = b""

    def __str__(self) -> str:
        return str(self.path)


def open_source(path: Path, encoding: str | None = None) -> SourceFile:
    """Inspect a file's beginning. `encoding` is the one that the domain names.

    Raises:
        UserError: as `decompressed`; or the file is plainly UTF-8, and the domain names another
            encoding.
    """
    raw, whole = _head(path)
    if raw.startswith(_PARQUET):
        return SourceFile(path, declared=True, head=raw)
    if unsupported := unsupported_kind(raw):
        raise UserError(f"{path} holds {unsupported}")
    evidence = Evidence()
    evidence.add(raw if whole else raw[: raw.rfind(b"\n") + 1], 1)
    is_utf_8 = not evidence.bad and evidence.proper >= _PLAINLY_UTF_8
    if encoding and encoding != UTF_8 and is_utf_8:
        raise UserError(
            f"{path} is UTF-8, not {encoding} as `encoding` says: "
            "set the encoding of the one file that has it (- path: FILE, encoding: NAME)"
        )
    known = encoding or wide_encoding(raw) or _certain(evidence, raw, whole=whole)
    return _read_as(path, raw, known or UTF_8, declared=known is not None)


def reopen_source(file: SourceFile, encoding: str) -> SourceFile:
    """Return a file that was opened as UTF-8, with another encoding.

    Raises UserError as `open_source`.
    """
    return _read_as(file.path, _head(file.path)[0], encoding, declared=True)


def _read_as(path: Path, raw: bytes, encoding: str, *, declared: bool) -> SourceFile:
    head = raw if encoding == UTF_8 else transcoder(encoding)(raw, False)
    old_line_ends = b"\r" in head and b"\n" not in head
    head = head.replace(b"\r", b"\n") if old_line_ends else head
    return SourceFile(path, encoding, declared, old_line_ends, head.removeprefix(_BOM))


def text_chunks(file: SourceFile, on_trailing: Callable[[int], None]) -> Iterator[bytes]:
    """Yield a file's text in UTF-8.

    `on_trailing` is called with the number of bytes that stand behind its packed data.
    """
    chunks = decompressed(file.path, on_trailing=on_trailing)
    if file.encoding != UTF_8:
        chunks = _transcoded(chunks, file.encoding)
    return (chunk.replace(b"\r", b"\n") for chunk in chunks) if file.carriage_returns else chunks


def _transcoded(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    decode = transcoder(encoding)
    for chunk in chunks:
        yield decode(chunk, False)
    yield decode(b"", True)


def _head(path: Path) -> tuple[bytes, bool]:
    """Return a file's first bytes, and True if they are the whole file."""
    chunks = decompressed(path)
    head = b""
    while len(head) < _HEAD:
        chunk = next(chunks, None)
        if chunk is None:
            return head, True
        head += chunk
    return head[:_HEAD], False


def _certain(evidence: Evidence, raw: bytes, *, whole: bool) -> str | None:
    """Return the encoding that a file's head shows for certain; None if it may be UTF-8.

    None too if the rest of the file may show more.
    """
    if evidence.is_utf_8():
        return None
    high_bytes = len(raw) - len(raw.translate(None, _HIGH_BYTES))
    if not whole and high_bytes < _SURE:
        return None
    return evidence.guess().certain

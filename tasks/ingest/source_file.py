"""A source file as the readers see it: UTF-8 text whose lines end with line feeds, whatever it is written in and packed with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tasks.errors import UserError
from tasks.ingest.compression import foreign_kind, unpacked
from tasks.ingest.encodings import UTF_8, Evidence, transcoder, wide_encoding

_HEAD = 1 << 18  # bytes by which a file's encoding and line ends are told
_SURE = 50  # bytes above 0x7F in the head by which the rest of a longer file is known
_PLAINLY_UTF_8 = (
    8  # bytes beyond one a character: another encoding has fewer that look like UTF-8 by chance
)
_HIGH_BYTES = bytes(range(0x80, 0x100))
_BOM = b"\xef\xbb\xbf"
_PARQUET = b"PAR1"


@dataclass(frozen=True)
class SourceFile:
    """One source file and how its text is read; reads as its path in messages.

    Attributes:
        encoding: what it is written in.
        declared: the domain names the encoding, or it is known for certain: nothing is looked for
            but damage.
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
    """Look at a file's beginning. `encoding` is the one that the domain names.

    Raises:
        UserError: as `unpacked`; or the file is plainly UTF-8, and the domain names something else.
    """
    raw, whole = _head(path)
    if raw.startswith(_PARQUET):
        return SourceFile(path, declared=True, head=raw)
    if foreign := foreign_kind(raw):
        raise UserError(f"{path} holds {foreign}")
    evidence = Evidence()
    evidence.see(raw if whole else raw[: raw.rfind(b"\n") + 1], 1)
    if encoding and encoding != UTF_8 and not evidence.bad and evidence.proper >= _PLAINLY_UTF_8:
        raise UserError(
            f"{path} is UTF-8, not {encoding} as `encoding` says: name the encoding beside the file that has it "
            "(- path: FILE, encoding: NAME)"
        )
    found = encoding or wide_encoding(raw) or _certain(evidence, raw, whole=whole)
    return _read_as(path, raw, found or UTF_8, declared=found is not None)


def reopen_source(file: SourceFile, encoding: str) -> SourceFile:
    """Return a file that was read as UTF-8 as one of another encoding.

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
    chunks = unpacked(file.path, on_trailing=on_trailing)
    if file.encoding != UTF_8:
        chunks = _transcoded(chunks, file.encoding)
    return (chunk.replace(b"\r", b"\n") for chunk in chunks) if file.carriage_returns else chunks


def _transcoded(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    decode = transcoder(encoding)
    for chunk in chunks:
        yield decode(chunk, False)
    yield decode(b"", True)


def _head(path: Path) -> tuple[bytes, bool]:
    """Return a file's first bytes, and whether they are all it has."""
    chunks = unpacked(path)
    head = b""
    while len(head) < _HEAD:
        chunk = next(chunks, None)
        if chunk is None:
            return head, True
        head += chunk
    return head[:_HEAD], False


def _certain(evidence: Evidence, raw: bytes, *, whole: bool) -> str | None:
    """Return the encoding that a file's head shows for certain; None where it may be UTF-8, or the rest is to be looked at too."""
    if evidence.is_utf_8() or (
        not whole and len(raw) - len(raw.translate(None, _HIGH_BYTES)) < _SURE
    ):
        return None
    return evidence.guess().certain

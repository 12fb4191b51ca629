"""The journal: the write-ahead log's file, as it is read.

JSON lines, one file a chunk. Each line begins with a checksum of the rest; lines of earlier
versions have none and are read as well. Every field is validated when a line is read, because a
disk may change it and a person may edit it. A line that holds no entry is kept in a quarantine
file with its reason, so that it blocks nothing and is not lost.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from tasks.errors import UserError
from tasks.files import write_atomically
from tasks.llm.provider_reply import LONGEST_NAME, amount, short_name, token_count
from tasks.llm.values import Answer
from tasks.storable_text import valid_text

SUFFIX = ".jsonl"
LAYOUT = 1
"""Version of a line's fields, raised when readers must tell them apart; earlier ones have none."""
MAX_LINE_BYTES = 64_000_000  # a longer line is not read into memory
QUARANTINE_FOLDER = "quarantine"  # beside the journals, where no run looks for answers
_REQUEST_KEY = re.compile(r"[0-9a-f]{64}")
_CHECKSUM = re.compile(rb"([0-9a-f]{8}) (?=\{)")


@dataclass(frozen=True)
class Entry:
    """One journal line: an answer and the attempt that it is for.

    Attributes:
        batch_id: empty for a live call.
        problem: why a billed answer cannot be used, such as `oversized`; empty for a good one. A
            line with a problem is kept for the bill and is never used as an answer.
    """

    answer: Answer
    dialogue_id: str
    attempt: int
    run_id: str
    batch_id: str = ""
    problem: str = ""


@dataclass(frozen=True)
class BadLine:
    """A line that holds no entry, and why.

    `torn` is True for the end of a file whose writer died while it wrote.
    """

    number: int
    reason: str
    content: bytes
    torn: bool = False


def to_line(entry: Entry) -> bytes:
    """Return an entry as one line: the JSON's CRC-32 in hexadecimal digits, a space, the JSON."""
    record = {"layout": LAYOUT, **vars(entry), "answer": vars(entry.answer)}
    content = json.dumps(record, ensure_ascii=True, separators=(",", ":")).encode()
    return b"%08x %s\n" % (zlib.crc32(content), content)


def from_line(line: bytes) -> Entry:
    """Return the entry of a line.

    Raises:
        ValueError: it holds none, with the reason.
        UserError: a newer version wrote it; it must not be set aside.
    """
    checksum = _CHECKSUM.match(line)
    content = line[checksum.end() :].rstrip(b"\n") if checksum else line
    if checksum and int(checksum[1], 16) != zlib.crc32(content):
        raise ValueError("its checksum does not match: it was changed after it was written")
    try:
        record: Any = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it is not valid JSON ({type(error).__name__})") from None
    layout = record.get("layout", 0) if isinstance(record, dict) else 0
    if isinstance(layout, int) and layout > LAYOUT:
        raise UserError(
            f"a journal has answers of layout {layout}, and this version reads up to {LAYOUT}: use "
            "the version that wrote them, or a newer one"
        )
    return _checked_entry(record)


def read_journal(path: Path) -> Iterator[Entry | BadLine]:
    """Yield a journal's entries in order, and a `BadLine` for each line that holds none.

    Raises OSError.
    """
    with path.open("rb") as file:
        number = 0
        while line := file.readline(MAX_LINE_BYTES):
            number += 1
            if not line.endswith(b"\n"):
                yield _unended(file, number, line)
            elif line.strip():
                try:
                    yield from_line(line)
                except ValueError as error:
                    yield BadLine(number, str(error), line)


def usable_entries(path: Path) -> Iterator[Entry]:
    """Yield the answers in a journal that can be used. Raises OSError."""
    for line in read_journal(path):
        if isinstance(line, Entry) and not line.problem:
            yield line


def _unended(file: BinaryIO, number: int, line: bytes) -> BadLine:
    """Return the bad line of a piece without a line's end.

    It is the file's torn end, or the beginning of a line too long to be read.
    """
    if len(line) < MAX_LINE_BYTES:
        return BadLine(number, "the process died while it wrote this line", line, torn=True)
    _skip_line(file)
    return BadLine(number, f"it is longer than {MAX_LINE_BYTES:,} bytes", line[:1000])


def _skip_line(file: BinaryIO) -> None:
    while True:
        piece = file.readline(MAX_LINE_BYTES)
        if not piece or piece.endswith(b"\n"):
            return


def _checked_entry(content: Any) -> Entry:
    """Return the entry of a line's JSON.

    A provider's fields are made storable as those of a new reply are, so that answers of earlier
    versions are not lost. Raises ValueError on a field that cannot be what its name says.
    """
    match content:
        case {"answer": dict() as answer}:
            return Entry(
                answer=_checked_answer(answer),
                dialogue_id=_text(content, "dialogue_id"),
                attempt=_count(content, "attempt"),
                run_id=_text(content, "run_id"),
                batch_id=_text(content, "batch_id", ""),
                problem=_text(content, "problem", ""),
            )
    raise ValueError("it is not a record of an answer")


def _checked_answer(content: dict[str, Any]) -> Answer:
    key = content.get("request_key")
    if not isinstance(key, str) or not _REQUEST_KEY.fullmatch(key):
        raise ValueError("request_key is not 64 hexadecimal digits")
    text = _text(content, "text")
    prompt = token_count(content.get("prompt_tokens"))
    completion = token_count(content.get("completion_tokens"))
    storable = prompt is not None and completion is not None
    return Answer(
        request_key=key,
        text=text,
        finish_reason=short_name(content.get("finish_reason"), LONGEST_NAME),
        prompt_tokens=(prompt or 0) if storable else 0,
        completion_tokens=(completion or 0) if storable else 0,
        cost_usd=amount(content.get("cost_usd")),
        latency_s=amount(content.get("latency_s")) or 0.0,
        model=_text(content, "model"),
        api_base=None if content.get("api_base") is None else _text(content, "api_base"),
        model_returned=short_name(content.get("model_returned"), LONGEST_NAME),
        provider_id=short_name(content.get("provider_id"), LONGEST_NAME),
        retries=_count(content, "retries"),
        asked_at=_time(content),
        usage_estimated=bool(content.get("usage_estimated")) or not storable,
        cached_tokens=token_count(content.get("cached_tokens")) or 0,
        cache_write_tokens=token_count(content.get("cache_write_tokens")) or 0,
        reasoning_tokens=token_count(content.get("reasoning_tokens")) or 0,
        cost_is_upper_bound=content.get("cost_is_upper_bound") is True,
    )


def _text(content: dict[str, Any], name: str, missing: str | None = None) -> str:
    value = content.get(name, missing)
    if isinstance(value, str):
        return valid_text(value)
    raise ValueError(f"{name} is missing or not text")


def _count(content: dict[str, Any], name: str) -> int:
    value = content.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**31:
        raise ValueError(f"{name} is missing or not a count")
    return value


def _time(content: dict[str, Any]) -> str:
    value = _text(content, "asked_at")
    try:
        datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("asked_at is not a time that can be stored") from None
    return value


def quarantine(journal: Path, lines: Sequence[BadLine]) -> Path | None:
    """Write a journal's bad lines to a file and return it; None where there are none.

    Each line of the file is a JSON object: `line` (number in the journal), `reason`, `content`
    (bytes as Latin-1 text). Doing it again changes nothing.

    Raises:
        UserError: the disk does not take it; the journal stays as it is.
    """
    if not lines:
        return None
    path = journal.parent / QUARANTINE_FOLDER / journal.name
    try:
        write_atomically(path, "".join(map(_record, lines)))
    except OSError as error:
        raise UserError(f"the quarantine file {path} cannot be written: {error.strerror}") from None
    return path


def journal_problems(quarantined: int, torn: int) -> list[str]:
    """Return messages about journal lines that hold no answer; none where all do."""
    messages = []
    if quarantined:
        messages.append(
            f"{quarantined:,} journal lines hold no answer "
            "and are kept in the journals' quarantine folder"
        )
    if torn:
        messages.append(
            f"{torn:,} journals of killed processes end within a line; "
            "what it was for is asked again"
        )
    return messages


def _record(line: BadLine) -> str:
    record = {"line": line.number, "reason": line.reason, "content": line.content.decode("latin-1")}
    return json.dumps(record) + "\n"

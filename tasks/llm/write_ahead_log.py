"""The write-ahead log of answers: an answer is on the disk before it counts.

JSON lines, one file a chunk, written by one process. Each line begins with a checksum of the rest;
lines of earlier versions have none and are read as well. Every field is validated when a line is
read: a disk may change it, and a person may edit it.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import lock_descriptor

from tasks.errors import UserError
from tasks.llm.provider_reply import LONGEST_NAME, amount, short_name, token_count
from tasks.llm.values import Answer
from tasks.storable_text import valid_text

SUFFIX = ".jsonl"
LONGEST_LINE = 64_000_000  # bytes; a longer one is not read into memory
_REQUEST_KEY = re.compile(r"[0-9a-f]{64}")
_CHECKED = re.compile(rb"([0-9a-f]{8}) (?=\{)")


@dataclass(frozen=True)
class Entry:
    """One journal line: an answer and whose it is.

    Attributes:
        batch_id: empty for a live call.
        problem: why a billed answer cannot be used, such as `oversized`; empty for a good one. Such
            a line is kept for the
            bill and is never taken for an answer.
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
    """Return an entry as one line: the CRC-32 of the JSON in hexadecimal digits, a space, the JSON."""
    whole = {**vars(entry), "answer": vars(entry.answer)}
    content = json.dumps(whole, ensure_ascii=True, separators=(",", ":")).encode()
    return b"%08x %s\n" % (zlib.crc32(content), content)


def from_line(line: bytes) -> Entry:
    """Return the entry of a line. Raises ValueError with the reason when it holds none."""
    checked = _CHECKED.match(line)
    content = line[checked.end() :].rstrip(b"\n") if checked else line
    if checked and int(checked[1], 16) != zlib.crc32(content):
        raise ValueError("its checksum does not match: it was changed after it was written")
    try:
        read: Any = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it is not valid JSON ({type(error).__name__})") from None
    return _checked_entry(read)


def read_journal(path: Path) -> Iterator[Entry | BadLine]:
    """Yield a journal's entries in order, and a `BadLine` for each line that holds none.

    Raises OSError.
    """
    with path.open("rb") as file:
        number = 0
        while line := file.readline(LONGEST_LINE):
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


def _unended(file: Any, number: int, line: bytes) -> BadLine:
    """Return the bad line of a piece without its end: the file's torn end, or a line too long to be read."""
    if len(line) < LONGEST_LINE:
        return BadLine(number, "the process died while it wrote this line", line, torn=True)
    while (more := file.readline(LONGEST_LINE)) and not more.endswith(b"\n"):
        pass  # passes over the rest
    return BadLine(number, f"it is longer than {LONGEST_LINE:,} bytes", line[:1000])


def _checked_entry(content: Any) -> Entry:
    """Return the entry of a line's JSON.

    Raises ValueError on a field that cannot be what its name says.

    What a provider said is made storable as a new reply's fields are, so that answers of earlier
    versions are not lost.
    """
    if not isinstance(content, dict) or not isinstance(content.get("answer"), dict):
        raise ValueError("it is no record of an answer")
    return Entry(
        answer=_checked_answer(content["answer"]),
        dialogue_id=_text(content, "dialogue_id"),
        attempt=_count(content, "attempt"),
        run_id=_text(content, "run_id"),
        batch_id=_text(content, "batch_id", ""),
        problem=_text(content, "problem", ""),
    )


def _checked_answer(content: dict[str, Any]) -> Answer:
    key = content.get("request_key")
    if not isinstance(key, str) or not _REQUEST_KEY.fullmatch(key):
        raise ValueError("request_key is not 64 hexadecimal digits")
    if not isinstance(content.get("text"), str):
        raise ValueError("text is missing or no text")
    prompt, completion = (
        token_count(content.get("prompt_tokens")),
        token_count(content.get("completion_tokens")),
    )
    storable = prompt is not None and completion is not None
    return Answer(
        request_key=key,
        text=valid_text(content["text"]),
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
    )


def _text(content: dict[str, Any], name: str, missing: str | None = None) -> str:
    value = content.get(name, missing)
    if not isinstance(value, str):
        raise ValueError(f"{name} is missing or no text")
    return valid_text(value)


def _count(content: dict[str, Any], name: str) -> int:
    value = content.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**31:
        raise ValueError(f"{name} is missing or no count")
    return value


def _time(content: dict[str, Any]) -> str:
    value = _text(content, "asked_at")
    try:
        datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("asked_at is no time that can be stored") from None
    return value


class WriteAheadLog:
    """Writes one journal file. `append` returns when the answer is on the disk.

    The file is locked while it is open, so that nobody takes a living process's journal for a
    leftover.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries = 0
        self._torn = False
        self._waiting: list[tuple[bytes, asyncio.Future[None]]] = []
        self._writing: asyncio.Future[None] | None = None  # done when nothing waits any more
        self._thread = ThreadPoolExecutor(
            1, "journal"
        )  # of its own: the common ones are busy preparing litellm's requests
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
            lock_descriptor(self._file, blocking=False)
            _sync_folder(path.parent)
        except OSError as error:
            raise UserError(f"the journal {path} cannot be written: {error.strerror}") from None

    async def append(self, entry: Entry) -> None:
        """Write an entry and return once it is durable.

        Raises UserError when the disk does not take it.
        """
        done = asyncio.get_running_loop().create_future()
        self._waiting.append((to_line(entry), done))
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_future()
            self._begin()
        await done

    async def close(self) -> None:
        """Finish what waits and close the file; an empty journal is removed."""
        if self._writing is not None:
            await self._writing
        self._thread.shutdown()
        os.close(self._file)
        if not self.entries:
            self.path.unlink()

    def _begin(self) -> None:
        """Write what waits now in one go; what comes in meanwhile shares the next fsync."""
        batch, self._waiting = self._waiting, []
        loop = asyncio.get_running_loop()
        writing = self._thread.submit(self._write, b"".join(line for line, _ in batch))
        writing.add_done_callback(
            lambda ended: loop.call_soon_threadsafe(self._end, batch, ended.exception())
        )

    def _end(
        self, batch: list[tuple[bytes, asyncio.Future[None]]], problem: BaseException | None
    ) -> None:
        if problem is None:
            self.entries += len(batch)
        elif isinstance(problem, OSError):
            self._torn = True
            problem = UserError(f"the journal {self.path} cannot be written: {problem.strerror}")
        _tell(batch, problem)
        if self._waiting:
            return self._begin()
        if self._writing is not None:
            self._writing.set_result(None)
            self._writing = None
        return None

    def _write(self, lines: bytes) -> None:
        view = memoryview(b"\n" + lines if self._torn else lines)
        while view:
            view = view[os.write(self._file, view) :]
        os.fsync(self._file)


def _tell(batch: list[tuple[bytes, asyncio.Future[None]]], problem: BaseException | None) -> None:
    for _, done in batch:
        if not done.done():
            if problem is None:
                done.set_result(None)
            else:
                done.set_exception(problem)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

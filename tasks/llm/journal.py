"""The journal: an answer is on the disk before it counts. JSON lines, one file a chunk, written by one process."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import lock_descriptor

from tasks.errors import UserError
from tasks.llm.values import Answer

SUFFIX = ".jsonl"


@dataclass(frozen=True)
class Entry:
    """One journal line: an answer and whose it is. `batch_id` is empty for a live call."""

    answer: Answer
    dialogue_id: str
    attempt: int
    run_id: str
    batch_id: str = ""


def to_line(entry: Entry) -> bytes:
    """Return an entry as one line."""
    whole = {**vars(entry), "answer": vars(entry.answer)}
    return json.dumps(whole, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"


def from_line(line: bytes) -> Entry | None:
    """Return the entry of a line, or None for a line that was torn."""
    try:
        content: Any = json.loads(line)
        return Entry(**{**content, "answer": Answer(**content["answer"])})
    except (ValueError, TypeError, KeyError):
        return None


def read_journal(path: Path) -> Iterator[Entry | None]:
    """Yield a journal's entries in order, None for each line that was torn. Raises OSError."""
    with path.open("rb") as file:
        for line in file:
            yield from_line(line) if line.endswith(b"\n") else None


class Journal:
    """Writes one journal file. `append` returns when the answer is on the disk.

    The file is locked while it is open, so that nobody takes a living process's journal for a leftover.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries = 0
        self._torn = False
        self._waiting: list[tuple[bytes, asyncio.Future[None]]] = []
        self._writing: asyncio.Future[None] | None = None  # done when nothing waits any more
        self._thread = ThreadPoolExecutor(1, "journal")  # of its own: the common ones are busy preparing litellm's requests
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
            lock_descriptor(self._file, blocking=False)
            _sync_folder(path.parent)
        except OSError as error:
            raise UserError(f"the journal {path} cannot be written: {error.strerror}") from None

    async def append(self, entry: Entry) -> None:
        """Write an entry and return once it is durable. Raises UserError when the disk does not take it."""
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
        writing.add_done_callback(lambda ended: loop.call_soon_threadsafe(self._end, batch, ended.exception()))

    def _end(self, batch: list[tuple[bytes, asyncio.Future[None]]], problem: BaseException | None) -> None:
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

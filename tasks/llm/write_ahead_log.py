"""The write-ahead log of answers: an answer is kept for good before it counts."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from filelock import lock_descriptor

from tasks.errors import UserError
from tasks.llm.journal import Entry, to_line
from tasks.llm.journal_store import JournalStore, StoredJournal
from tasks.redaction import one_line, redact


class WriteAheadLog:
    """Writes one journal. `append` returns when the answer is in it for good."""

    def __init__(self, path: Path, store: JournalStore | None = None) -> None:
        """Create the file, or the journal of the file's name in a store.

        Raises UserError when it cannot be written.
        """
        self.path = path
        self.entries = 0
        self._waiting: list[tuple[bytes, asyncio.Future[None]]] = []
        self._idle: asyncio.Future[None] | None = None  # set while something waits or is written
        # Of its own: asyncio's default threads are busy preparing litellm's requests.
        self._thread = ThreadPoolExecutor(1, "journal")
        self._journal: JournalFile | StoredJournal
        try:
            self._journal = JournalFile(path) if store is None else store.open(path.stem)
        except OSError as error:
            raise _cannot_write(str(path), error) from None

    async def append(self, entry: Entry) -> None:
        """Write an entry and return once it is durable.

        Raises UserError when it cannot be written.
        """
        done = asyncio.get_running_loop().create_future()
        self._waiting.append((to_line(entry), done))
        if self._idle is None:
            self._idle = asyncio.get_running_loop().create_future()
            self._begin_write()
        await done

    async def close(self) -> None:
        """Write what waits and close the file; an empty journal is removed."""
        if self._idle is not None:
            await self._idle
        self._thread.shutdown()
        self._journal.close(empty=not self.entries)

    def _begin_write(self) -> None:
        """Write all that waits at once; what comes in meanwhile shares the next fsync."""
        batch, self._waiting = self._waiting, []
        loop = asyncio.get_running_loop()
        writing = self._thread.submit(self._journal.write, b"".join(line for line, _ in batch))
        writing.add_done_callback(
            lambda ended: loop.call_soon_threadsafe(self._end_write, batch, ended.exception())
        )

    def _end_write(
        self, batch: list[tuple[bytes, asyncio.Future[None]]], problem: BaseException | None
    ) -> None:
        if problem is None:
            self.entries += len(batch)
        elif isinstance(problem, OSError):
            problem = _cannot_write(self._journal.name, problem)
        _resolve([done for _, done in batch], problem)
        if self._waiting:
            self._begin_write()
        elif self._idle is not None:
            self._idle.set_result(None)
            self._idle = None


class JournalFile:
    """A journal's file that is written to.

    It is locked while it is open, so that no other process mistakes it for one that was left
    behind.
    """

    def __init__(self, path: Path) -> None:
        """Create the file. Raises OSError."""
        self.name = str(path)
        self._path, self._torn = path, False
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
        lock_descriptor(self._file, blocking=False)
        _sync_folder(path.parent)

    def write(self, lines: bytes) -> None:
        """Write lines; they are on the disk when this returns. Raises OSError."""
        # After a failed write the file may end within a line, which a line's end closes.
        view = memoryview(b"\n" + lines if self._torn else lines)
        self._torn = True
        while view:
            view = view[os.write(self._file, view) :]
        os.fsync(self._file)
        self._torn = False

    def close(self, *, empty: bool) -> None:
        """Close the file; an empty one is removed."""
        os.close(self._file)
        if empty:
            self._path.unlink()


def _cannot_write(name: str, error: BaseException) -> UserError:
    reason = getattr(error, "strerror", None) or one_line(redact(str(error)))
    return UserError(f"the journal {name} cannot be written: {reason}")


def _resolve(futures: list[asyncio.Future[None]], problem: BaseException | None) -> None:
    for future in futures:
        if future.done():
            continue
        if problem is None:
            future.set_result(None)
        else:
            future.set_exception(problem)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

"""Journals at an address, such as s3://BUCKET/FOLDER, for writers that share no file system.

A store cannot append to an object, so each write is an object of its own, whole or not there. A
journal is the objects below its name, in the order of their numbers.
"""

from __future__ import annotations

import re
import time
import uuid
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tasks.addresses import explained_errors, open_store
from tasks.errors import UserError
from tasks.files import write_atomically
from tasks.llm.journal import SUFFIX

PAUSES_S: Final = (1.0, 2.0, 4.0, 8.0, 16.0)  # between tries to write an object, in seconds
ID_FILE: Final = "store-id"
_ID = re.compile("[0-9a-f]{32}")
_OBJECT = re.compile(rf"/(?P<journal>[A-Za-z0-9-]+)/\d{{8}}{re.escape(SUFFIX)}")


class JournalStore:
    """The journals of a domain, in one data folder, at an address."""

    def __init__(self, address: str) -> None:
        """Open the place of a domain's journals. Raises UserError when that cannot be done."""
        self.address = address
        self._store, place = open_store(address)
        self._place = place.rstrip("/")

    def open(self, name: str) -> StoredJournal:
        """Return a new journal to write to."""
        return StoredJournal(f"{self.address}/{name}", self._write, f"{self._place}/{name}")

    def fetch(self, folder: Path, begins: str = "", *, remove: bool = True) -> list[Path]:
        """Copy the journals whose names begin so to files in a folder, and return these.

        A file that is there already, of a run that was killed before it was loaded, is left as it
        is: what the store has of that journal since then goes to another file.

        Args:
            folder: where the files go.
            begins: how the names of the journals begin.
            remove: whether their objects are removed once the files are on the disk.

        Raises:
            UserError: the store or the disk fails.
        """
        with explained_errors(self.address):
            return [
                self._fetch_one(folder, name, objects, remove)
                for name, objects in self._objects(begins).items()
            ]

    def _objects(self, begins: str) -> dict[str, list[str]]:
        """Return the objects of each journal in order; what is no journal's is left alone."""
        found: dict[str, list[str]] = defaultdict(list)
        for path in sorted(self._store.find(self._place)):
            part = _OBJECT.fullmatch(path.removeprefix(self._place))
            if part and part["journal"].startswith(begins):
                found[part["journal"]].append(path)
        return found

    def _fetch_one(self, folder: Path, name: str, objects: list[str], remove: bool) -> Path:
        path = folder / f"{name}{SUFFIX}"
        if path.exists():
            path = path.with_stem(f"{name}-{uuid.uuid4().hex[:8]}")
        write_atomically(path, b"".join(map(self._store.cat_file, objects)))
        if remove:
            for one in objects:
                self._store.rm_file(one)
        return path

    def _write(self, path: str, lines: bytes) -> None:
        """Write an object; a store that fails is tried again. Raises OSError."""
        for pause_s in PAUSES_S:
            try:
                self._store.pipe_file(path, lines)
                return
            except OSError:
                time.sleep(pause_s)
        self._store.pipe_file(path, lines)


class StoredJournal:
    """A journal in a store that is written to."""

    def __init__(self, name: str, write: Callable[[str, bytes], None], place: str) -> None:
        """Take its name in messages, what writes an object, and the place of its objects."""
        self.name = name
        self._write, self._place = write, place
        self._number = 0

    def write(self, lines: bytes) -> None:
        """Write lines; they are in the store when this returns. Raises OSError."""
        self._number += 1
        self._write(f"{self._place}/{self._number:08}{SUFFIX}", lines)

    def close(self, *, empty: bool) -> None:
        """End it; there is nothing to be closed."""


def store_of(address: str | None, journals: Path) -> str:
    """Return the address of a domain's journals in a store; empty where there is no store.

    Two data folders may have a domain of one name, and neither may take the other's journals. So
    a folder of journals has an id, made at its first use, which is part of the address.

    Args:
        address: where journals are kept, if not in folders.
        journals: the domain's journal folder, whose name is the domain's.

    Raises:
        OSError: the folder cannot be written.
        UserError: its id was changed.
    """
    if not address:
        return ""
    place = journals / ID_FILE
    if not place.exists():
        write_atomically(place, uuid.uuid4().hex)
    name = place.read_text("utf-8", "replace")
    if not _ID.fullmatch(name):
        raise UserError(f"{place} holds no id: remove it, and what the store has is not fetched")
    return f"{address.rstrip('/')}/{journals.name}/{name}"


def fetch_journals(store: str, folder: Path, begins: str = "") -> None:
    """Move a domain's journals from a store to its folder; nothing is done without a store.

    Raises UserError when the store or the disk fails.
    """
    if store:
        JournalStore(store).fetch(folder, begins)

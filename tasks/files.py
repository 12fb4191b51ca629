"""Files written whole or not at all: to a temporary file first, which is then moved."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path to write to, and move it to `path` if the block does not raise.

    The file is synced to the disk before it is moved. Folders are created; nothing is left behind
    if the block raises.

    Raises:
        OSError: the folder cannot be written, or the disk is full.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".aside-", dir=path.parent) as folder:
        temporary = Path(folder) / path.name
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)


def write_atomically(path: Path, content: str | bytes) -> Path:
    """Write a file whole, text as UTF-8 with plain line ends; return its path. Raises OSError."""
    with replacing(path) as temporary:
        temporary.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return path


@contextmanager
def moved_into_place(place: Path) -> Iterator[Path]:
    """Yield the path of a folder to make, and move it to `place` if the block does not raise.

    Raises:
        OSError: the folder cannot be written, or there is something at its place.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".aside-", dir=place.parent) as aside:
        folder = Path(aside) / "folder"
        yield folder
        folder.replace(place)

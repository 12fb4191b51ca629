"""Downloads from stores other than web servers, through fsspec; a cut one goes on where it ended."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from tasks.addresses import open_store, store_errors, told_by

_PIECE = 4 << 20  # bytes


class Cut(Exception):
    """The transfer ended early; what came is kept and the next try goes on from there."""


def read_store(address: str, part: Path, progress: Callable[[int, int | None], None]) -> None:
    """Write what is missing of a file at a URL to the end of `part`, and sync it to the disk.

    Args:
        address: the file's URL.
        part: what an earlier try has kept, if there is any.
        progress: called with the bytes there so far, and the bytes there will be, if known.

    Raises:
        Cut: the store failed on the way, or `part` is longer than the file.
        UserError: nothing is at the address, or it cannot be read at all.
    """
    store, place = open_store(address)
    have = part.stat().st_size if part.exists() else 0
    with told_by(address):
        total = store.size(place)
    if total is not None and have > total:
        part.unlink()
        raise Cut("the part kept does not belong to the file published now")
    with told_by(address):
        remote = store.open(place, "rb")
    with remote, part.open("ab") as file:
        for piece in _pieces(remote, have):
            file.write(piece)
            have += len(piece)
            progress(have, total)
        file.flush()
        os.fsync(file.fileno())
    if total is not None and have < total:
        raise Cut(f"{have} of {total} bytes came")


def _pieces(remote: BinaryIO, start: int) -> Iterator[bytes]:
    """Yield a remote file from a byte on. Raises Cut when the store fails."""
    try:
        remote.seek(start)
        while piece := remote.read(_PIECE):
            yield piece
    except store_errors() as error:
        raise Cut(str(error)) from None

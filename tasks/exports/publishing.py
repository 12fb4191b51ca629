"""Copies a finished export to any address fsspec writes. What was published whole is never replaced."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tasks.addresses import check_target, open_store, told_by
from tasks.errors import UserError
from tasks.exports.values import Source
from tasks.exports.writing import export_release
from tasks.redaction import redact_address
from tasks.release import SUMS


def publish_export(source: Source, format: str, address: str, aside: Path) -> Mapping[str, int]:  # noqa: A002
    """Write an export aside, copy it to an address, and return what was counted while writing.

    Args:
        source: as `find_source` gives it.
        format: one of `FORMATS`.
        address: a URL; the files go below it.
        aside: folder of this machine to write in first; made if missing, and left as it was.

    Raises:
        UserError: as `export_release` and `publish`.
    """
    if address.startswith(("http://", "https://")):
        raise UserError(f"{address} cannot be written to: a web server is only read; give a store's address, as s3://BUCKET/FOLDER")
    try:
        check_target(address)
    except ValueError as error:
        raise UserError(f"--out {redact_address(address)[:200]} {error}") from None
    open_store(address)  # before the work
    aside.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".aside-", dir=aside) as folder:
        written = export_release(source, format, Path(folder) / "export")
        publish(written.path, address)
    return written.counts


def publish(folder: Path, address: str) -> bool:
    """Copy a folder with checksums to an address, the checksums last; tell whether anything was left to copy.

    A copy that was cut has no whole SHA256SUMS and is done again. Raises UserError when another export or anything else lies at the
    address, or when the store fails.
    """
    store, place = open_store(address)
    place = place.rstrip("/")
    sums = (folder / SUMS).read_bytes()
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    with told_by(address):
        there = {path.removeprefix(place).lstrip("/") for path in store.find(place)}
        if strange := sorted(there - set(names)):
            raise UserError(
                f"{address} holds {strange[0] or 'a file'!r}, which is not of this export: choose an address with nothing there"
            )
        found = store.cat_file(f"{place}/{SUMS}") if SUMS in there else b""
        if found == sums:
            return False
        if not sums.startswith(found):
            raise UserError(f"{address} holds another export; what was published is not replaced: choose another address")
        for name in (*(name for name in names if name != SUMS), SUMS):
            _copy(store, folder / name, f"{place}/{name}")
    return True


def _copy(store: Any, file: Path, to: str) -> None:
    """Copy a file and see that all of it arrived. Raises OSError."""
    store.makedirs(to.rpartition("/")[0], exist_ok=True)
    store.put_file(str(file), to)
    if store.size(to) != file.stat().st_size:
        raise OSError(f"{to} did not arrive whole")

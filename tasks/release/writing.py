"""Writes one release whole: beside its place first, moved there when every file stands."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from tasks.errors import UserError
from tasks.files import write_atomically
from tasks.release.card import CARD, card
from tasks.release.files import write_layout, write_parquet
from tasks.release.published import publish, unpublish
from tasks.release.sums import SUMS, broken_sums, sums_of
from tasks.settings import Home

VERSION_LENGTH = 12  # hex digits of the content's hash
LATEST = "latest"
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class ReleaseInfo:
    """A release that stands: its folder, its version, rows per published table, and whether it stood before."""

    path: Path
    version: str
    counts: Mapping[str, int]
    reused: bool = False


def write_release(
    con: duckdb.DuckDBPyConnection,
    home: Home,
    domain: str,
    *,
    version: str | None = None,
    run: Mapping[str, Any],
    pseudonymise_key: bytes | None = None,
) -> ReleaseInfo:
    """Write the accepted dialogues as a release (section 3, Fig. 1).

    Args:
        con: the domain's warehouse; temporary tables are made and dropped in it.
        home: whose `releases` folder the release goes to.
        domain: the domain's name.
        version: the version's name; by default the first 12 hex digits of the hash of what is released.
        run: facts for the card; those named in `CARD_FACTS` are told, the others are not.
        pseudonymise_key: if given, user and dialogue ids become keyed hashes.

    Raises:
        UserError: nothing was accepted, the version's name is no plain name, the folder cannot be written, or that version
            stands already with another content.
    """
    if version is not None and (not _VERSION.fullmatch(version) or version == LATEST):
        raise UserError(f"{version[:80]!r} is no version name: use letters, digits, dots, dashes and underscores")
    releases = home.releases(domain)
    try:
        releases.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".aside-", dir=releases) as aside:
            folder = Path(aside) / "release"
            counts = _write_aside(con, folder, domain, run, pseudonymise_key)
            name = version or _content_version(folder)
            reused = _put_in_place(folder, releases / name)
            _write_latest(releases, name)
    except OSError as error:
        raise UserError(f"the release cannot be written to {releases}: {error.strerror or error}") from None
    return ReleaseInfo(releases / name, name, counts, reused)


def latest_release(home: Home, domain: str) -> Path:
    """Return the folder of the release last written or confirmed. Raises UserError if there is none."""
    releases = home.releases(domain)
    try:
        name = (releases / LATEST).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        name = ""
    if not _VERSION.fullmatch(name) or not (releases / name / SUMS).is_file():
        raise UserError(f"there is no release of {domain!r} yet: run `redial build {domain}` first")
    return releases / name


def _write_aside(con: duckdb.DuckDBPyConnection, folder: Path, domain: str, run: Mapping[str, Any], key: bytes | None) -> dict[str, int]:
    counts = publish(con, key)
    try:
        if not counts["dialogues"]:
            raise UserError(f"no dialogue of {domain!r} was accepted, so there is nothing to release: see `redial funnel {domain}`")
        folder.mkdir()
        write_layout(con, folder)
        write_parquet(con, folder / "parquet")
    finally:
        unpublish(con)
    (folder / CARD).write_text(card(domain, counts, run, pseudonyms=key is not None), encoding="utf-8", newline="\n")
    (folder / SUMS).write_text(sums_of(folder), encoding="utf-8", newline="\n")
    return counts


def _content_version(folder: Path) -> str:
    return hashlib.sha256((folder / SUMS).read_bytes()).hexdigest()[:VERSION_LENGTH]


def _put_in_place(folder: Path, place: Path) -> bool:
    """Move a finished release to its place; tell whether one of the same content stood there whole and was kept."""
    if not place.exists():
        os.replace(folder, place)
        return False
    standing = place / SUMS
    if not standing.is_file() or standing.read_bytes() != (folder / SUMS).read_bytes():
        raise UserError(f"{place} stands already with another content: choose another version name, or remove it")
    if not broken_sums(place):
        return True
    os.replace(place, folder.parent / "damaged")
    os.replace(folder, place)
    return False


def _write_latest(releases: Path, name: str) -> None:
    write_atomically(releases / LATEST, name + "\n")

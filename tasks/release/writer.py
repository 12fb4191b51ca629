"""Writes one release whole: beside its place first, moved there when every file stands."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from tasks.errors import UserError
from tasks.files import write_atomically
from tasks.funnel import causes, causes_text
from tasks.release.changes import what_is_new, write_changes
from tasks.release.checks import check_release, released_texts
from tasks.release.describing import describe
from tasks.release.files import TABLES, write_layout, write_parquet
from tasks.release.integrity import (
    LATEST,
    PENDING,
    SUMS,
    broken_sums,
    content_version,
    links_in,
)
from tasks.release.locate import VERSION_NAME, newest_version
from tasks.release.made_by import MadeBy, write_made_by
from tasks.release.pseudonyms import PseudonymKey
from tasks.release.published import publish, unpublish
from tasks.settings import Home
from tasks.warehouse import transaction

_ASIDE = ".aside-"

Validate = Callable[[pl.DataFrame], object]
"""Judges the utterances as released (dialogue_id, turn, role, text).

It raises UserError if they must not be released.
"""


@dataclass(frozen=True)
class ReleaseInfo:
    """A release that is in place.

    Attributes:
        path: its folder.
        counts: rows of each published table.
        reused: True if it was there before, with the same content.
        key_file: where the generated key of its pseudonyms is, if it has one.
    """

    path: Path
    version: str
    counts: Mapping[str, int]
    reused: bool = False
    key_file: Path | None = None


def write_release(
    con: duckdb.DuckDBPyConnection,
    home: Home,
    domain: str,
    *,
    version: str | None = None,
    run: Mapping[str, Any],
    pseudonymise_key: PseudonymKey | None = None,
    validate: Validate | None = None,
    revalidate: bool = False,
    note: Callable[[str], None] | None = None,
    grown: bool = False,
    made_by: MadeBy | None = None,
) -> ReleaseInfo:
    """Write the accepted dialogues as a release (section 3, Fig.

    1), in one transaction with what the warehouse notes of it.

    The release is written aside, checked and judged; then it is noted, moved to its place and
    committed together. Killed at any moment, it leaves either all of it or nothing that can be
    read, and the next call tidies up.

    Args:
        con: the domain's warehouse, no transaction begun; temporary tables are made and dropped in
            it.
        home: where the `releases` folder is.
        domain: the domain's name.
        version: the version's name; by default the first 12 hex digits of the hash of what is
            released.
        run: facts for the card, which has those in `CARD_FACTS`, and `license` and `language` for
            the Croissant description.
        pseudonymise_key: with one, user and dialogue ids become keyed hashes, and times are left
            out.
        validate: judges what is about to be released; not called for a release that is there
            already and is noted in the warehouse.
        revalidate: have it judged nevertheless.
        note: writes down in the warehouse that the version it is given was released.
        made_by: what made it, which goes out with it.
        grown: have the release say what is new in it since the latest one before.

    Raises:
        UserError: nothing was accepted, the version's name is no plain name, the folder cannot be
            written, that version
            is there already with another content, or what would be released fails its checks.
    """
    if version is not None and (not VERSION_NAME.fullmatch(version) or version == LATEST):
        raise UserError(
            f"{version[:80]!r} is no version name: use letters, digits, dots, dashes and "
            "underscores"
        )
    releases = home.releases(domain)
    try:
        releases.mkdir(parents=True, exist_ok=True)
        _tidy(con, releases)
        with (
            tempfile.TemporaryDirectory(prefix=_ASIDE, dir=releases) as aside,
            _Placing(releases, Path(aside)) as placing,
        ):
            folder = Path(aside) / "release"
            with transaction(con):
                before = newest_version(releases) if grown else None
                counts = _write_aside(con, folder, domain, run, pseudonymise_key, before, made_by)
                name = version or content_version(folder)
                reused = _stands(folder, releases / name, named=version is not None)
                if revalidate or not (reused and _is_noted(con, name)):
                    _check(con, folder, validate)
                unpublish(con)
                if note:
                    note(name)
                if not reused:
                    placing.put(folder, name)
            placing.commit(name)
    except OSError as error:
        raise UserError(
            f"the release cannot be written to {releases}: {error.strerror or error}"
        ) from None
    return ReleaseInfo(
        releases / name, name, counts, reused, pseudonymise_key.file if pseudonymise_key else None
    )


class _Placing:
    """Moves a release to its place so that it counts only once the warehouse has noted it.

    A file `.pending` names it from before the move until `latest` is written; readers refuse a
    release that is named there. If the transaction fails the release is taken away again; if the
    process is killed, `_tidy` does so the next time.
    """

    def __init__(self, releases: Path, aside: Path) -> None:
        self._releases = releases
        self._aside = aside
        # The place of a release that is moved and not yet committed.
        self._open: Path | None = None

    def __enter__(self) -> _Placing:
        return self

    def put(self, folder: Path, name: str) -> None:
        """Move a finished release to its place; a damaged one of the same name makes way."""
        self._open = self._releases / name
        write_atomically(self._releases / PENDING, name + "\n")
        if self._open.exists():
            self._open.replace(self._aside / "damaged")
        folder.replace(self._open)

    def commit(self, name: str) -> None:
        """Make the release the latest one, now that the warehouse has it."""
        self._open = None
        write_atomically(self._releases / LATEST, name + "\n")
        (self._releases / PENDING).unlink(missing_ok=True)

    def __exit__(self, *_: object) -> None:
        if self._open is None:
            return
        if self._open.exists():
            self._open.replace(self._aside / "withdrawn")
        damaged = self._aside / "damaged"
        if damaged.exists():
            damaged.replace(self._open)
        (self._releases / PENDING).unlink(missing_ok=True)


def _tidy(con: duckdb.DuckDBPyConnection, releases: Path) -> None:
    """Clean up after a killed process.

    A release that the warehouse does not have is removed, one that it has becomes the latest.
    """
    for left in releases.glob(f"{_ASIDE}*"):
        shutil.rmtree(left)
    try:
        name = (releases / PENDING).read_text(encoding="utf-8").strip()
    except (FileNotFoundError, UnicodeDecodeError):
        name = ""
    if VERSION_NAME.fullmatch(name) and (releases / name).is_dir():
        if _is_noted(con, name):
            write_atomically(releases / LATEST, name + "\n")
        else:
            shutil.rmtree(releases / name)
    (releases / PENDING).unlink(missing_ok=True)


def _is_noted(con: duckdb.DuckDBPyConnection, version: str) -> bool:
    noted = con.execute("SELECT 1 FROM releases WHERE version = ?", [version]).fetchone()
    return noted is not None


def _check(con: duckdb.DuckDBPyConnection, folder: Path, validate: Validate | None) -> None:
    """Check a written release and have it judged. Raises UserError."""
    faults = check_release(folder)
    if faults:
        raise UserError(
            f"the release fails its own checks, so nothing is released: {'; '.join(faults[:3])}"
        )
    if validate:
        validate(released_texts(con, folder))


def _write_aside(
    con: duckdb.DuckDBPyConnection,
    folder: Path,
    domain: str,
    run: Mapping[str, Any],
    key: PseudonymKey | None,
    before: Path | None,
    made_by: MadeBy | None,
) -> dict[str, int]:
    """Write every file of a release into a new folder; return the rows of each published table.

    With a release `before` it says what is new since then. The `release_*` tables stay.
    """
    counts = publish(con, key.secret if key else None)
    if not counts["dialogues"]:
        why = causes_text(causes(con), domain) or f"see `redial funnel {domain}`"
        raise UserError(
            f"no dialogue of {domain!r} was accepted, so there is nothing to release: {why}"
        )
    folder.mkdir()
    write_layout(con, folder)
    write_parquet(con, folder / TABLES)
    if made_by:
        write_made_by(folder, made_by)
    changes = write_changes(folder, before) if before else None
    describe(
        folder,
        counts,
        {**run, "pseudonyms": key is not None},
        domain=domain,
        more=what_is_new(changes) if changes else "",
    )
    return counts


def _stands(folder: Path, place: Path, *, named: bool) -> bool:
    """Return True if a release of the same content is whole at its place.

    One that is damaged is to be written again.

    Raises:
        UserError: a version that was given a name has another content.
    """
    if not place.exists():
        return False
    sums = place / SUMS
    same = sums.is_file() and sums.read_bytes() == (folder / SUMS).read_bytes()
    if named and not same:
        raise UserError(
            f"{place} already exists with different content: "
            "choose another version name, or remove it"
        )
    return same and not broken_sums(place) and not links_in(place)

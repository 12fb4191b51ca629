"""Writes one export whole: to a temporary folder first, moved when every file is written."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.addresses import check_target, explained_errors, open_store
from tasks.errors import UserError
from tasks.exports.chat import write_chat
from tasks.exports.contexts import write_contexts
from tasks.exports.crslab import write_crslab
from tasks.exports.files import write_json
from tasks.exports.huggingface import write_huggingface
from tasks.exports.plain import write_llm_redial, write_tables
from tasks.exports.recbole import write_recbole
from tasks.exports.source import Source
from tasks.redaction import redact_address
from tasks.release import (
    SUMS,
    broken_sums,
    corpus_path,
    find_release,
    read_facts,
    sums_of,
    unknown_corpus,
)
from tasks.settings import Home, load_domain

MARK = "export.json"

FORMATS: dict[str, Callable[[Source, Path], dict[str, int]]] = {
    "llm-redial": write_llm_redial,
    "parquet": write_tables,
    "huggingface": write_huggingface,
    "chat": write_chat,
    "crslab": write_crslab,
    "recbole": write_recbole,
    "contexts": write_contexts,
}


@dataclass(frozen=True)
class ExportInfo:
    """A finished export: its format, its folder, and what was counted while writing."""

    format: str
    path: Path
    counts: Mapping[str, int]


def find_source(home: Home, of: str) -> Source:
    """Return the release to export, by any name it has, or the folder of published data.

    Raises:
        UserError: there is none, a domain without a release, or a release that is not what its
            checksums say.
    """
    release = find_release(home, of)
    if not release:
        folder = corpus_path(home, of).resolve()
        if not folder.is_dir():
            raise unknown_corpus(home, of)
        return Source(folder.name, folder)
    # A release of an earlier version does not say which language was found.
    language = read_facts(release.path).get("language") or None
    if language is None and release.domain in home.domain_files():
        language = load_domain(home, str(release.domain)).language
    return Source(release.named, release.path, language)


def export_release(source: Source, format: str, out: Path) -> ExportInfo:  # noqa: A002
    """Write a release in another tool's format.

    Args:
        source: as `find_source` gives it.
        format: one of `FORMATS`.
        out: the folder to make. One that holds an earlier, untouched export is replaced; any other
            must be missing or empty.

    Raises:
        UserError: an unknown format, a folder that holds something else or cannot be written, a
            release that cannot be read.
    """
    if format not in FORMATS:
        raise UserError(f"unknown export {format[:80]!r}: known are {', '.join(FORMATS)}")
    place = out.expanduser().resolve()
    _check_place(place, source)
    if not source.corpus.dialogues:
        raise UserError(f"{source.folder} holds no dialogue, so there is nothing to export")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".aside-", dir=place.parent) as aside:
            folder = Path(aside) / "export"
            folder.mkdir()
            counts = FORMATS[format](source, folder)
            write_json(folder / MARK, {"format": format, "of": source.name, "rows": counts})
            (folder / SUMS).write_text(sums_of(folder), encoding="utf-8", newline="\n")
            if place.exists():
                place.replace(Path(aside) / "before")
            folder.replace(place)
    except UnicodeEncodeError:
        raise UserError(
            f"{source.folder} holds half a character (a lone surrogate), which no file in UTF-8 "
            f"can hold"
        ) from None
    except OSError as error:
        raise UserError(
            f"the export cannot be written to {place}: {error.strerror or error}"
        ) from None
    return ExportInfo(format, place, counts)


def _check_place(place: Path, source: Source) -> None:
    """Refuse a folder whose content is not an export of ours as it was written."""
    if place == source.folder or place in source.folder.parents or source.folder in place.parents:
        raise UserError(f"{place} holds the release itself, or is in it: choose another folder")
    if not place.exists() or (place.is_dir() and not any(place.iterdir())):
        return
    if not place.is_dir() or not _is_export(place):
        raise UserError(
            f"{place} holds something that is no untouched export: choose another folder, or "
            f"empty this one"
        )


def _is_export(place: Path) -> bool:
    try:
        mark = json.loads((place / MARK).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(mark, dict) and mark.get("format") in FORMATS and not broken_sums(place)


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
        raise UserError(
            f"{address} cannot be written to: a web server is only read; give a store's address, "
            f"as s3://BUCKET/FOLDER"
        )
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
    """Copy a folder with checksums to an address, checksums last; return True if it was new.

    A copy that was cut has no whole SHA256SUMS and is done again. Raises UserError when another
    export or anything else is at the address, or when the store fails.
    """
    store, place = open_store(address)
    place = place.rstrip("/")
    sums = (folder / SUMS).read_bytes()
    names = sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )
    with explained_errors(address):
        there = {path.removeprefix(place).lstrip("/") for path in store.find(place)}
        other = sorted(there - set(names))
        if other:
            raise UserError(
                f"{address} holds {other[0] or 'a file'!r}, which is not of this export: choose "
                f"an address with nothing there"
            )
        published = store.cat_file(f"{place}/{SUMS}") if SUMS in there else b""
        if published == sums:
            return False
        if not sums.startswith(published):
            raise UserError(
                f"{address} holds another export; what was published is not replaced: choose "
                f"another address"
            )
        for name in (*(name for name in names if name != SUMS), SUMS):
            _copy(store, folder / name, f"{place}/{name}")
    return True


def _copy(store: Any, file: Path, to: str) -> None:
    """Copy a file and see that all of it arrived. Raises OSError."""
    store.makedirs(to.rpartition("/")[0], exist_ok=True)
    store.put_file(str(file), to)
    if store.size(to) != file.stat().st_size:
        raise OSError(f"{to} did not arrive whole")

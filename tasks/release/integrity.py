"""Whether a release still holds what was released: its files, its checksums and its version."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from tasks.errors import UserError
from tasks.fingerprint import file_hash

SUMS = "SHA256SUMS"
_LINE = re.compile(r"([0-9a-f]{64})  (\S.*)")


def sums_of(folder: Path) -> str:
    """Return the text of SHA256SUMS for every other file below a folder. Raises OSError."""
    return "".join(f"{digest}  {name}\n" for name, digest in file_sums(folder).items())


def files_and_links(folder: Path) -> list[Path]:
    """Return every file and every link below a folder; links to folders are not followed."""
    return sorted(path for path in folder.rglob("*") if path.is_symlink() or path.is_file())


def links_in(folder: Path) -> list[str]:
    """Return one line for each link below a folder. What is written here holds none."""
    links = (path for path in files_and_links(folder) if path.is_symlink())
    return [f"{path.relative_to(folder).as_posix()} is a symbolic link" for path in links]


def listed_sums(folder: Path) -> dict[str, str]:
    """Return what SHA256SUMS says of each file, by path. Raises OSError."""
    return dict(_entries((folder / SUMS).read_text(encoding="utf-8")))


def broken_sums(folder: Path) -> list[str]:
    """Return one line for each file that is missing, unlisted or not what SHA256SUMS says."""
    try:
        text = (folder / SUMS).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return [f"{SUMS} is missing or cannot be read"]
    listed = dict(_entries(text))
    findings = []
    if len(listed) != len(text.splitlines()):
        findings.append(f"{SUMS} holds a line that is no sum or names a file twice")
    return [*findings, *_differences(listed, file_sums(folder))]


def _differences(listed: Mapping[str, str], present: Mapping[str, str]) -> Iterator[str]:
    for name in sorted(listed.keys() - present.keys()):
        yield f"{name} is listed in {SUMS} and not there"
    for name in sorted(present.keys() - listed.keys()):
        yield f"{name} is not listed in {SUMS}"
    for name in sorted(listed.keys() & present.keys()):
        if listed[name] != present[name]:
            yield f"{name} is not what {SUMS} says"


def file_sums(folder: Path) -> dict[str, str]:
    """Return the hash of each file below a folder except SHA256SUMS itself, by path.

    A link to no file has an empty hash.
    """
    paths = {path.relative_to(folder).as_posix(): path for path in files_and_links(folder)}
    paths.pop(SUMS, None)
    return {name: file_hash(path) if path.is_file() else "" for name, path in sorted(paths.items())}


def _entries(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        if match := _LINE.fullmatch(line):
            yield match[2], match[1]


RELEASES = "releases"  # the folder of the data folder that holds every domain's releases
LATEST = "latest"  # in a domain's releases: the version last written or confirmed
PENDING = ".pending"  # in a domain's releases: the version that is being put in place
VERSION_LENGTH = 12  # hex digits of the hash of SHA256SUMS
_CONTENT_VERSION = re.compile(rf"[0-9a-f]{{{VERSION_LENGTH}}}")
_Stamp = tuple[str, int, int, int]


def content_version(folder: Path) -> str:
    """Return the version that a release's content gives it: the start of its SHA256SUMS' hash.

    Raises OSError.
    """
    return hashlib.sha256((folder / SUMS).read_bytes()).hexdigest()[:VERSION_LENGTH]


def is_kept_release(folder: Path) -> bool:
    """Return True if a folder is a release that we wrote, at `releases/DOMAIN/VERSION`.

    A published folder of others that was put beside ours is none.
    """
    place = folder.resolve()
    ours = (
        _CONTENT_VERSION.fullmatch(place.name)
        or (place / SUMS).exists()
        or (place.parent / LATEST).exists()
    )
    return place.parent.parent.name == RELEASES and bool(ours)


def verify_release(folder: Path) -> None:
    """Compare a release with its SHA256SUMS, and one in a releases folder with its version as well.

    SHA256SUMS could be edited together with a file, and a version's name is the hash of it. A
    folder elsewhere without SHA256SUMS is one that others published; it passes. Files are hashed
    once in a process, and again only when one of them has changed.

    Raises:
        UserError: a file is missing, was added, changed, or is a link; or the release was not put
            in place whole.
    """
    place = folder.resolve()
    if not place.is_dir():
        return  # whatever reads it says which file is missing
    if is_kept_release(place):
        _check_not_pending(place)
    elif not (place / SUMS).is_file():
        return
    faults = _faults(place, _stamps(place))
    if faults:
        more = f" and {len(faults) - 1} more" if len(faults) > 1 else ""
        raise UserError(
            f"the release {folder} is damaged: {faults[0]}{more}; take a good copy, or "
            "`redial build` it again"
        )


def _check_not_pending(place: Path) -> None:
    try:
        pending = (place.parent / PENDING).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return
    if pending == place.name:
        raise UserError(
            f"the release {place} was not finished: wait for the build that writes it, or run "
            f"`redial build {place.parent.name}` again"
        )


@lru_cache(maxsize=64)
def _faults(place: Path, _: tuple[_Stamp, ...]) -> tuple[str, ...]:
    """Return what is wrong with a release's files.

    The stamps are part of the cache's key: a file that has changed is read again.
    """
    faults = broken_sums(place)
    if not is_kept_release(place):
        return tuple(faults)
    faults += links_in(place)
    has_content_version = _CONTENT_VERSION.fullmatch(place.name) is not None
    if not faults and has_content_version and content_version(place) != place.name:
        return (f"{SUMS} is not that of version {place.name}",)
    return tuple(faults)


def _stamps(place: Path) -> tuple[_Stamp, ...]:
    """Return path, size in bytes and times in nanoseconds of each file below a folder."""
    stamps = []
    for path in files_and_links(place):
        stat = path.lstat()
        stamps.append((str(path), stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns))
    return tuple(stamps)

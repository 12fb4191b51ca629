"""SHA256SUMS: what a release's files must hash to, in the format `sha256sum -c` reads."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from tasks.fingerprint import file_hash

SUMS = "SHA256SUMS"
_LINE = re.compile(r"([0-9a-f]{64})  (\S.*)")


def sums_of(folder: Path) -> str:
    """Return the text of SHA256SUMS for every other file below a folder, by path. Raises OSError."""
    return "".join(f"{digest}  {name}\n" for name, digest in _hashes(folder).items())


def files_and_links(folder: Path) -> list[Path]:
    """Return every file below a folder, and every link wherever it leads; links to folders are not followed."""
    return sorted(path for path in folder.rglob("*") if path.is_symlink() or path.is_file())


def links_in(folder: Path) -> list[str]:
    """Return one line for each link below a folder. What is written here holds none."""
    links = (path for path in files_and_links(folder) if path.is_symlink())
    return [f"{path.relative_to(folder).as_posix()} is a symbolic link" for path in links]


def broken_sums(folder: Path) -> list[str]:
    """Return one line for each file that is missing, unlisted or not what SHA256SUMS says."""
    try:
        text = (folder / SUMS).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return [f"{SUMS} is missing or cannot be read"]
    listed = dict(_entries(text))
    findings = [] if len(listed) == len(text.splitlines()) else [f"{SUMS} holds a line that is no sum or names a file twice"]
    return [*findings, *_differences(listed, _hashes(folder))]


def _differences(listed: Mapping[str, str], found: Mapping[str, str]) -> Iterator[str]:
    for name in sorted(listed.keys() - found.keys()):
        yield f"{name} is listed in {SUMS} and not there"
    for name in sorted(found.keys() - listed.keys()):
        yield f"{name} is not listed in {SUMS}"
    for name in sorted(listed.keys() & found.keys()):
        if listed[name] != found[name]:
            yield f"{name} is not what {SUMS} says"


def _hashes(folder: Path) -> dict[str, str]:
    """Return the hash of each file below a folder but SHA256SUMS itself, by path; nothing for a link to no file."""
    paths = {path.relative_to(folder).as_posix(): path for path in files_and_links(folder)}
    paths.pop(SUMS, None)
    return {name: file_hash(path) if path.is_file() else "" for name, path in sorted(paths.items())}


def _entries(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        if match := _LINE.fullmatch(line):
            yield match[2], match[1]

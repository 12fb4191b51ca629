"""SHA256SUMS: what a release's files must hash to, in the format `sha256sum -c` reads."""

from __future__ import annotations

import re
from pathlib import Path

from tasks.fingerprint import file_hash

SUMS = "SHA256SUMS"
_LINE = re.compile(r"([0-9a-f]{64})  (\S.*)")


def sums_of(folder: Path) -> str:
    """Return the text of SHA256SUMS for every other file below a folder, by path."""
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file() and path.name != SUMS)
    return "".join(f"{file_hash(folder / name)}  {name}\n" for name in files)


def broken_sums(folder: Path) -> list[str]:
    """Return one line for each file that is missing, unlisted or not what SHA256SUMS says."""
    try:
        text = (folder / SUMS).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return [f"{SUMS} is missing or cannot be read"]
    listed = dict(_entries(text))
    found = dict(_entries(sums_of(folder)))
    findings = [] if len(listed) == len(text.splitlines()) else [f"{SUMS} holds a line that is no sum or names a file twice"]
    findings += [f"{name} is listed in {SUMS} and not there" for name in sorted(listed.keys() - found.keys())]
    findings += [f"{name} is not listed in {SUMS}" for name in sorted(found.keys() - listed.keys())]
    findings += [f"{name} is not what {SUMS} says" for name in sorted(listed.keys() & found.keys()) if listed[name] != found[name]]
    return findings


def _entries(text: str) -> list[tuple[str, str]]:
    matches = (_LINE.fullmatch(line) for line in text.splitlines())
    return [(match[2], match[1]) for match in matches if match]

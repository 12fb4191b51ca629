"""Takes users out of what lies beside the warehouse: pages, exports, evaluations, logs."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import duckdb

from tasks.erasure.traces import Traces, files_below
from tasks.files import write_atomically
from tasks.machine import this_machine
from tasks.settings import Home

_RUN = re.compile(r"(run-[^/.]+|index|runs|history)")
_CHUNK: Final = 1 << 20  # bytes
_TABLES: Final = (".parquet",)


def remove_pages(home: Home, domain: str, traces: Traces) -> int:
    """Remove the pages of each run whose pages hold anything of the users; return how many files.

    Reports and Data Docs of one run go together; the next build writes those of the newest again.
    """
    folders = (home.data / "reports" / domain, home.data_docs(domain))
    touched = {
        _run_of(path, folder)
        for folder in folders
        for path in files_below(folder)
        if holds(path, traces)
    }
    removed = 0
    for folder in folders:
        for path in files_below(folder):
            if _run_of(path, folder) in touched:
                path.unlink()
                removed += 1
    return removed


def _run_of(path: Path, folder: Path) -> str:
    """Return the run that a page is of, or its own path for another file."""
    name = path.relative_to(folder).as_posix()
    match = _RUN.match(name)
    return match[0] if match else name


def remove_exports(home: Home, names: Iterable[str], traces: Traces) -> int:
    """Remove the exports of releases of these names, and others that hold anything of the users.

    Returns how many.
    """
    known = set(names)
    marks = sorted((home.data / "exports").rglob("export.json"))
    gone = [mark.parent for mark in marks if _export_of(mark) in known or _any(mark.parent, traces)]
    for folder in gone:
        shutil.rmtree(folder)
    return len(gone)


def _export_of(mark: Path) -> str:
    try:
        return str(json.loads(mark.read_text(encoding="utf-8")).get("of", ""))
    except (OSError, ValueError, AttributeError):
        return ""


def _any(folder: Path, traces: Traces) -> bool:
    return any(holds(path, traces) for path in files_below(folder))


def remove_evaluations(home: Home, traces: Traces) -> int:
    """Remove files of evaluations that hold anything of the users; return how many."""
    folders = (home.data / "reports" / "evaluation", home.data / "finetune")
    gone = [path for folder in folders for path in files_below(folder) if holds(path, traces)]
    for path in gone:
        path.unlink()
    return len(gone)


def clean_lines(path: Path, traces: Traces) -> int:
    """Take the lines that hold anything of the users out of a file; return how many."""
    if not path.is_file():
        return 0
    lines = path.read_bytes().splitlines(keepends=True)
    kept = [line for line in lines if not traces.in_text(line.decode("utf-8", "replace"))]
    if len(kept) < len(lines):
        write_atomically(path, b"".join(kept))
    return len(lines) - len(kept)


def clean_logs(home: Home, domain: str, traces: Traces) -> int:
    """Take lines of the users out of the marks and of quarantined journals; return how many."""
    paths = [home.data / "marks" / f"{domain}.jsonl", *files_below(home.journals(domain))]
    return sum(clean_lines(path, traces) for path in paths)


def holds(path: Path, traces: Traces) -> bool:
    """Return True if a file names a user or a dialogue that goes, or has words of their reviews."""
    if path.suffix in _TABLES:
        return any(traces.in_text(text) for text in _table_texts(path))
    content = path.read_bytes()
    return traces.in_bytes(content) or traces.in_text(content.decode("utf-8", "replace"))


def _table_texts(path: Path) -> Iterator[str]:
    with duckdb.connect(config=this_machine().duckdb_settings) as con:
        con.execute("SELECT t::VARCHAR FROM read_parquet(?) t", [str(path)])
        while found := con.fetchmany(10_000):
            yield from (text for (text,) in found)


def names_user(path: Path, traces: Traces) -> bool:
    """Return True if the bytes of a file hold a user's id; the file is read in pieces."""
    names = [name.encode() for name in traces.users]
    overlap = max(map(len, names), default=1) - 1
    before = b""
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            content = before + piece
            if any(name in content for name in names):
                return True
            before = content[-overlap:] if overlap else b""
    return False

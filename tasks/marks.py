"""Marks: what people think of dialogues they read, kept also if the warehouse is lost.

A mark is appended to a log in `data/marks/` at once, also while a build holds the warehouse; the
next build, or `redial marks`, loads the log into the table `marks`. Neither is ever rewritten, and
marks are read from both, so that each has what the other may have lost.
"""

from __future__ import annotations

import csv
import fcntl
import io
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import duckdb

from tasks.briefs import id_since_earlier
from tasks.errors import UserError
from tasks.fingerprint import content_id
from tasks.settings import Home
from tasks.storable_text import valid_text
from tasks.warehouse import rows

MARKS: Final = ("good", "bad", "unsure")
LAYOUT: Final = 1
"""Version of a log's lines, raised when a reader must tell them apart; earlier lines have none."""
LONGEST_COMMENT = 4_000  # characters
LONGEST_NAME = 100
# A spreadsheet takes a cell that begins with one of these for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_INSERT = "INSERT INTO marks BY NAME SELECT * FROM logged ANTI JOIN marks USING (mark_id)"


@dataclass(frozen=True)
class Mark:
    """One judgement of a dialogue by a person.

    Attributes:
        mark_id: a hash of all the rest.
        dialogue_id: the dialogue that they read.
        attempt: the attempt that they read.
        text_hash: the hash of its words, which finds it under another id.
        mark: good, bad or unsure; empty if there is only a comment.
        comment: what they wrote; may be empty.
        who: their name; may be empty.
        marked_at: UTC, ISO 8601.
    """

    mark_id: str
    dialogue_id: str
    attempt: int
    text_hash: str
    mark: str
    comment: str
    who: str
    marked_at: str


@dataclass(frozen=True)
class MarkLog:
    """The marks of a log, and how many of its lines have none."""

    marks: tuple[Mark, ...]
    unreadable: int = 0


def speech_hash(utterances: Iterable[tuple[str, str]]) -> str:
    """Return a short hash of the role and text of each utterance; empty if there are none.

    Any white space counts as one space.
    """
    turns = [[role, " ".join(text.split())] for role, text in utterances]
    return content_id(turns) if turns else ""


def new_mark(
    dialogue_id: str, attempt: int, text_hash: str, *, mark: str, comment: str, who: str
) -> Mark:
    """Return a mark made now.

    Raises UserError on an unknown mark, on a comment or name that is too long, and if neither a
    mark nor a comment is given.
    """
    said, by = valid_text(comment.strip()), " ".join(valid_text(who).split())
    if mark not in ("", *MARKS):
        raise UserError(
            f"{mark[:40]!r} is no mark: "
            f"choose one of {', '.join(MARKS)}, or leave it open and comment"
        )
    if not mark and not said:
        raise UserError("there is nothing to keep: choose a mark or write a comment")
    if len(said) > LONGEST_COMMENT or len(by) > LONGEST_NAME:
        raise UserError(f"a comment may have {LONGEST_COMMENT:,} characters, a name {LONGEST_NAME}")
    now = datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
    return _with_id(dialogue_id, attempt, text_hash, mark, said, by, now)


def _with_id(*values: Any) -> Mark:
    return Mark(content_id(list(values)), *values)


def log_path(home: Home, domain: str) -> Path:
    """Return the file that a domain's marks are appended to."""
    return home.data / "marks" / f"{domain}.jsonl"


def append_mark(home: Home, domain: str, mark: Mark) -> None:
    """Append a mark to the log; it is on the disk when this returns.

    Raises UserError when it cannot be written.
    """
    path = log_path(home, domain)
    record = {"layout": LAYOUT, **asdict(mark)}
    line = json.dumps(record, ensure_ascii=False).encode() + b"\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as log:
            fcntl.flock(log, fcntl.LOCK_EX)
            log.write(line if _ends_with_line(path) else b"\n" + line)
            log.flush()
            os.fsync(log.fileno())
    except OSError as error:
        raise UserError(
            f"the mark was not kept: {path} cannot be written ({error.strerror})"
        ) from None


def _ends_with_line(path: Path) -> bool:
    """Return True if a log is empty or ends with a complete line.

    It does not if a process died while it wrote one.
    """
    with path.open("rb") as log:
        if not log.seek(0, os.SEEK_END):
            return True
        log.seek(-1, os.SEEK_END)
        return log.read(1) == b"\n"


def read_log(home: Home, domain: str) -> MarkLog:
    """Read a domain's log; lines without a mark are only counted. Raises UserError."""
    try:
        lines = log_path(home, domain).read_bytes().splitlines()
    except FileNotFoundError:
        return MarkLog(())
    except OSError as error:
        raise UserError(
            f"the marks in {log_path(home, domain)} cannot be read: {error.strerror}"
        ) from None
    found = [_from_line(line) for line in lines if line.strip()]
    marks = {mark.mark_id: mark for mark in found if mark is not None}
    return MarkLog(tuple(marks.values()), sum(mark is None for mark in found))


def _from_line(line: bytes) -> Mark | None:
    """Return the mark in a line, or None.

    It is one if every field has its type and the id is the hash of the others. Raises UserError if
    a newer version wrote it.
    """
    try:
        content = json.loads(line)
        layout = content.get("layout", 0)
        values = [content[field.name] for field in fields(Mark)]
        datetime.fromisoformat(content["marked_at"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    if isinstance(layout, int) and layout > LAYOUT:
        raise UserError(
            f"a mark has layout {layout}, and this version reads up to {LAYOUT}: use the version "
            "that wrote it, or a newer one"
        )
    types = [int if field.name == "attempt" else str for field in fields(Mark)]
    has_types = all(map(isinstance, values, types))
    return Mark(*values) if has_types and values[0] == content_id(values[1:]) else None


def load_marks(con: duckdb.DuckDBPyConnection, log: MarkLog) -> int:
    """Add the marks of a log that the warehouse lacks to its table; return their number."""
    import pyarrow as pa

    if not log.marks:
        return 0
    logged = [
        {**asdict(mark), "marked_at": datetime.fromisoformat(mark.marked_at)} for mark in log.marks
    ]
    con.register("logged", pa.Table.from_pylist(logged))
    try:
        return int(con.execute(_INSERT).fetchall()[0][0])
    finally:
        con.unregister("logged")


def read_marks(con: duckdb.DuckDBPyConnection, log: MarkLog) -> list[Mark]:
    """Return the marks of a warehouse and of a log, each once, from the oldest.

    A warehouse of an earlier version has none.
    """
    query = "SELECT * REPLACE (strftime(marked_at, '%Y-%m-%dT%H:%M:%S.%f') AS marked_at) FROM marks"
    stored = [Mark(**row) for row in rows(con, query)] if _has_table(con) else []
    marks = {mark.mark_id: mark for mark in (*stored, *log.marks)}
    return sorted(marks.values(), key=_time_order)


def _time_order(mark: Mark) -> tuple[str, str]:
    return mark.marked_at, mark.mark_id


def _has_table(con: duckdb.DuckDBPyConnection) -> bool:
    return bool(con.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'marks'").fetchall())


def marks_of(
    marks: Iterable[Mark], domain: str, dialogue_id: str, text_hashes: Mapping[int, str]
) -> list[dict[str, Any]]:
    """Return the marks of one dialogue, one row each.

    They are those under its id and its earlier id, and those of the same words under any id.
    `same_text` is True if one of the dialogue's attempts says now what was read then.

    Args:
        marks: the marks to choose from.
        domain: the dialogue's domain.
        dialogue_id: its id of today.
        text_hashes: `speech_hash` of each of its attempts.
    """
    known_texts = {value for value in text_hashes.values() if value}
    found = []
    for mark in marks:
        same_text = mark.text_hash in known_texts
        ids = (mark.dialogue_id, id_since_earlier(domain, mark.dialogue_id))
        if same_text or dialogue_id in ids:
            found.append({**asdict(mark), "same_text": same_text})
    return found


def marks_by_dialogue(marks: Sequence[Mark], domain: str) -> dict[str, set[str]]:
    """Return what each dialogue is marked as, by its id of today.

    Of several marks by one person the last counts.
    """
    last: dict[tuple[str, str], str] = {}
    for mark in sorted(marks, key=_time_order):
        if mark.mark:
            last[mark.dialogue_id, mark.who] = mark.mark
    found: dict[str, set[str]] = {}
    for (dialogue_id, _), mark_name in last.items():
        for name in (dialogue_id, id_since_earlier(domain, dialogue_id)):
            found.setdefault(name, set()).add(mark_name)
    return found


def marks_csv(marks: Iterable[Mark]) -> str:
    """Return marks as CSV with a header.

    A cell that a spreadsheet would take for a formula has an apostrophe before it.
    """
    lines = [_csv_line(field.name for field in fields(Mark))]
    for mark in marks:
        lines.append(_csv_line(_cell(value) for value in asdict(mark).values()))
    return "".join(lines)


def _cell(value: Any) -> Any:
    return f"'{value}" if str(value).startswith(_FORMULA) else value


def _csv_line(cells: Iterable[Any]) -> str:
    # Only the characters of the writer's own line end are quoted, and readers end a line at a lone
    # carriage return too.
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(cells)
    return out.getvalue().removesuffix("\r\n") + "\n"

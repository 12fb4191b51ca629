"""One gate: facts are computed, Great Expectations judges them, failing keys become rejections with their evidence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, Final

import duckdb
import pyarrow as pa

from tasks.quality.evidence import Case, Said, evidence
from tasks.quality.facts import compute_facts
from tasks.quality.judging import Failing, judge_frame, with_rows
from tasks.quality.suites import load_suites
from tasks.quality.values import FactTable, JudgeCounts, Suite
from tasks.settings import Domain, Home
from tasks.warehouse import create_table

TABLES: Final[tuple[FactTable, ...]] = ("dialogue_facts", "utterance_facts")
CASES: Final = 5_000  # failing dialogues looked up at once
_REJECTIONS = pa.schema(
    [("dialogue_id", pa.string()), ("attempt", pa.int32()), ("rule", pa.string()), ("severity", pa.string())]
    + [("turn", pa.int32()), ("evidence", pa.string())]
)
_SAID = """
SELECT dialogue_id, u.turn, u.role, u.text, f.* EXCLUDE (dialogue_id, attempt, turn)
FROM utterances u
JOIN utterance_facts f USING (dialogue_id, attempt, turn)
WHERE attempt = $attempt AND dialogue_id IN (SELECT unnest($ids))
ORDER BY dialogue_id, u.turn
"""
_CASES = """
SELECT dialogue_id, d.parse_error, d.finish_reason, f.* EXCLUDE (dialogue_id, attempt)
FROM dialogues d
JOIN dialogue_facts f USING (dialogue_id, attempt)
WHERE attempt = $attempt AND dialogue_id IN (SELECT unnest($ids))
"""


def judge(con: duckdb.DuckDBPyConnection, home: Home, domain: Domain, attempt: int) -> JudgeCounts:
    """Judge the dialogues of one attempt (2.5.2) by the domain's suites; fills the fact tables and `rejections` for that attempt.

    Raises:
        UserError: a suite that would not judge all it says; nothing has been judged or written then.
        GateError: Great Expectations' result does not add up.
    """
    suites = load_suites(home, domain.quality.suites, domain.quality.severities)
    judged = compute_facts(con, domain, attempt)
    create_table(con, "rejections")
    con.execute("DELETE FROM rejections WHERE attempt = ?", [attempt])
    broken = {suite.name: _judge_suite(con, suite, attempt) for suite in suites} if judged else {}
    rejected: set[str] = set()
    written = 0
    for found, ids in (entry for entries in broken.values() for entry in entries):
        rejected |= set(ids) if found.rule.severity == "reject" else set()
    for rows in _rejections(con, attempt, [entry for entries in broken.values() for entry in entries]):
        written += _store(con, rows)
    return JudgeCounts(judged, len(rejected), written, None)


def _judge_suite(con: duckdb.DuckDBPyConnection, suite: Suite, attempt: int) -> list[tuple[Failing, list[str]]]:
    """Return each rule of a suite with the dialogues that broke it."""
    found = []
    for table in TABLES:
        rules = [rule for rule in suite.rules if rule.table == table]
        if not rules:
            continue
        columns = sorted({column for rule in rules for column in rule.columns})
        order = "dialogue_id" if table == "dialogue_facts" else "dialogue_id, turn"
        facts = con.execute(f"SELECT {', '.join(columns)} FROM {table} WHERE attempt = ? ORDER BY {order}", [attempt]).df()
        keys = con.execute(f"SELECT dialogue_id FROM {table} WHERE attempt = ? ORDER BY {order}", [attempt]).df()["dialogue_id"]
        failing, _ = judge_frame(suite, table, with_rows(facts))
        found += [(entry, list(dict.fromkeys(keys.iloc[list(entry.rows)]))) for entry in failing if entry.rows]
    return found


def _rejections(
    con: duckdb.DuckDBPyConnection, attempt: int, broken: Sequence[tuple[Failing, list[str]]]
) -> Iterator[list[tuple[Any, ...]]]:
    """Yield rows of `rejections`, a few thousand dialogues at a time."""
    by_dialogue: dict[str, list[Failing]] = {}
    for entry, ids in broken:
        for dialogue_id in ids:
            by_dialogue.setdefault(dialogue_id, []).append(entry)
    ordered = sorted(by_dialogue)
    for begin in range(0, len(ordered), CASES):
        ids = ordered[begin : begin + CASES]
        cases = _cases(con, attempt, ids)
        yield [
            (dialogue_id, attempt, entry.rule.rule, entry.rule.severity, turn, piece)
            for dialogue_id in ids
            for entry in by_dialogue[dialogue_id]
            for turn, piece in evidence(entry.rule.evidence, entry.rule.columns, cases[dialogue_id])
        ]


def _cases(con: duckdb.DuckDBPyConnection, attempt: int, ids: list[str]) -> dict[str, Case]:
    said: dict[str, tuple[Said, ...]] = {}
    rows = con.execute(_SAID, {"attempt": attempt, "ids": ids})
    names = [column[0] for column in rows.description][4:]
    for dialogue_id, group in groupby(rows.fetchall(), key=lambda row: row[0]):
        said[dialogue_id] = tuple(Said(row[1], row[2], row[3], dict(zip(names, row[4:], strict=True))) for row in group)
    rows = con.execute(_CASES, {"attempt": attempt, "ids": ids})
    names = [column[0] for column in rows.description][3:]
    return {
        row[0]: Case(dict(zip(names, row[3:], strict=True)), row[1] or "", row[2] or "", said.get(row[0], ())) for row in rows.fetchall()
    }


def _store(con: duckdb.DuckDBPyConnection, rows: list[tuple[Any, ...]]) -> int:
    con.register("rejection_rows", pa.table([list(column) for column in zip(*rows, strict=True)], schema=_REJECTIONS))
    con.execute("INSERT INTO rejections SELECT * FROM rejection_rows")
    con.unregister("rejection_rows")
    return len(rows)

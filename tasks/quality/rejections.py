"""What each failing dialogue broke, with its evidence and its cause, as rows of `rejections`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import duckdb
import pyarrow as pa

from tasks.quality.causes import Cause, Finding, root_causes
from tasks.quality.evidence import Case, Evidence
from tasks.quality.failing_dialogues import CASES, fetch_cases
from tasks.quality.great_expectations import Failing

Broken = list[tuple[Failing, list[str]]]
"""Rules, each with the dialogues that broke it."""
_REJECTIONS = pa.schema(
    [
        ("dialogue_id", pa.string()),
        ("attempt", pa.int32()),
        ("rule", pa.string()),
        ("severity", pa.string()),
        ("turn", pa.int32()),
        ("evidence", pa.string()),
        ("because", pa.string()),
    ]
)


def store_rejections(
    con: duckdb.DuckDBPyConnection,
    attempt: int,
    broken: Broken,
    evidence: Evidence,
    causes: Sequence[Cause],
) -> int:
    """Add to `rejections` what the dialogues of one attempt broke.

    Returns:
        The number of rows.
    """
    return sum(_store(con, rows) for rows in _rejections(con, attempt, broken, evidence, causes))


def _rejections(
    con: duckdb.DuckDBPyConnection,
    attempt: int,
    broken: Broken,
    evidence: Evidence,
    causes: Sequence[Cause],
) -> Iterator[list[tuple[Any, ...]]]:
    """Yield rows of `rejections`, a few thousand dialogues at a time."""
    by_dialogue: dict[str, list[Failing]] = {}
    for entry, ids in broken:
        for dialogue_id in ids:
            by_dialogue.setdefault(dialogue_id, []).append(entry)
    rules = [entry.rule for entry, _ in broken]
    ordered = sorted(by_dialogue)
    for begin in range(0, len(ordered), CASES):
        ids = ordered[begin : begin + CASES]
        cases = fetch_cases(con, attempt, ids, rules)
        rows: list[tuple[Any, ...]] = []
        for dialogue_id in ids:
            rows += _rows_of(
                dialogue_id, attempt, by_dialogue[dialogue_id], cases[dialogue_id], evidence, causes
            )
        yield rows


def _rows_of(
    dialogue_id: str,
    attempt: int,
    failing: Sequence[Failing],
    case: Case,
    evidence: Evidence,
    causes: Sequence[Cause],
) -> list[tuple[Any, ...]]:
    findings: list[Finding] = []
    pieces: list[str] = []
    for entry in failing:
        for turn, piece in evidence.of(entry.rule, case):
            findings.append(Finding(entry.rule.rule, entry.rule.severity, turn))
            pieces.append(piece)
    turns, difference = case.facts["utterances"], case.facts["length_difference"]
    because = root_causes(findings, causes, turns, difference)
    return [
        (dialogue_id, attempt, finding.rule, finding.severity, finding.turn, piece, cause)
        for finding, piece, cause in zip(findings, pieces, because, strict=True)
    ]


def _store(con: duckdb.DuckDBPyConnection, rows: list[tuple[Any, ...]]) -> int:
    columns = [list(column) for column in zip(*rows, strict=True)]
    con.register("rejection_rows", pa.table(columns, schema=_REJECTIONS))
    con.execute("INSERT INTO rejections SELECT * FROM rejection_rows")
    con.unregister("rejection_rows")
    return len(rows)

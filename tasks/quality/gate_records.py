"""What each gate found, kept in the warehouse so that the Data Docs can be made at any time.

A gate is written in the transaction that writes its rejections. The pages are made from these
records and the tables beside them, so a report and the Data Docs of one moment cannot say different
things.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

import duckdb

from tasks.verdicts import ACCEPTED
from tasks.warehouse import rows

PUBLISHED: Final = "published"
PUBLISHED_PLACE: Final = 1_000  # after every attempt
OFF: Final = "off"  # severity of a rule that does not judge in the domain's language
IN_PART: Final = "in part"  # and of the note on one that judges some of what it says
EXAMPLES: Final = 3  # pieces of evidence kept for a rule


@dataclass(frozen=True)
class Example:
    """One piece of evidence: a dialogue, the turn (0: the whole dialogue), the offending words."""

    dialogue_id: str
    turn: int
    evidence: str


@dataclass(frozen=True)
class RuleRecord:
    """One rule at one gate: how many dialogues broke it, and some of the evidence."""

    rule: str
    severity: str
    says: str
    source: str
    dialogues: int
    examples: tuple[Example, ...]


@dataclass(frozen=True)
class SuiteRecord:
    """One suite at one gate.

    Attributes:
        suite: its name.
        about: what it is for.
        rules: its rules.
        results: each table of facts with Great Expectations' result as HTML.
    """

    suite: str
    about: str
    rules: tuple[RuleRecord, ...]
    results: tuple[tuple[str, str], ...]

    @property
    def broken(self) -> int:
        """Return how many rules were broken."""
        return sum(rule.dialogues > 0 for rule in self.rules)


@dataclass(frozen=True)
class GateRecord:
    """One gate.

    Attributes:
        gate: its name, which may be a file's.
        title: what a person calls it.
        place: its place among the gates; an attempt's is the number of the attempt.
        judged: dialogues that were judged.
        rejected: those that broke a rule that rejects.
        judged_at: when, in UTC.
        suites: what each suite found.
    """

    gate: str
    title: str
    place: int
    judged: int
    rejected: int
    judged_at: datetime
    suites: tuple[SuiteRecord, ...]


def attempt_gate(
    attempt: int, judged: int, rejected: int, suites: Sequence[SuiteRecord]
) -> GateRecord:
    """Return the record of an attempt's gate that has just judged."""
    return GateRecord(
        f"attempt-{attempt}", f"Attempt {attempt}", attempt, judged, rejected, _now(), tuple(suites)
    )


def published_gate(judged: int, rejected: int, suites: Sequence[SuiteRecord]) -> GateRecord:
    """Return the record of the last gate, that of what is published."""
    return GateRecord(
        PUBLISHED, "Published", PUBLISHED_PLACE, judged, rejected, _now(), tuple(suites)
    )


def store_gate(con: duckdb.DuckDBPyConnection, gate: GateRecord) -> None:
    """Store a gate in place of what it found before."""
    forget_gate(con, gate.place)
    suites = json.dumps([asdict(suite) for suite in gate.suites], ensure_ascii=False)
    values = [gate.gate, gate.title, gate.place, gate.judged, gate.rejected, gate.judged_at, suites]
    con.execute("INSERT INTO gates VALUES (?, ?, ?, ?, ?, ?, ?)", values)


def forget_gate(con: duckdb.DuckDBPyConnection, place: int) -> None:
    """Delete a gate, and that of what is published, which depends on it."""
    con.execute("DELETE FROM gates WHERE place IN (?, ?)", [place, PUBLISHED_PLACE])


def read_gates(con: duckdb.DuckDBPyConnection) -> list[GateRecord]:
    """Return the gates in order, without those of dialogues that are no longer in the warehouse.

    A run that was killed between two stages may leave a gate of dialogues that are no longer
    planned. A warehouse that an earlier version wrote has no gate until its next build.
    """
    if not rows(con, "SELECT 1 FROM duckdb_tables() WHERE table_name = 'gates'"):
        return []
    return [_gate(row) for row in rows(con, _GATES)]


def has_passed_published_gate(con: duckdb.DuckDBPyConnection) -> bool:
    """Return True if the last gate is on record and let everything through.

    Judging an attempt again deletes it.
    """
    query = "SELECT 1 FROM gates WHERE gate = $published AND rejected = 0"
    return bool(rows(con, query, {"published": PUBLISHED}))


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)


def _gate(row: dict[str, Any]) -> GateRecord:
    suites = tuple(map(_suite, json.loads(row["suites"])))
    return GateRecord(**{**row, "suites": suites})


def _suite(stored: dict[str, Any]) -> SuiteRecord:
    rules = tuple(_rule(rule) for rule in stored["rules"])
    results = tuple((table, html) for table, html in stored["results"])
    return SuiteRecord(stored["suite"], stored["about"], rules, results)


def _rule(stored: dict[str, Any]) -> RuleRecord:
    examples = tuple(Example(**example) for example in stored["examples"])
    return RuleRecord(**{**stored, "examples": examples})


_GATES = f"""
WITH {ACCEPTED},
judged_now AS (
    SELECT attempt AS place, count(*) AS dialogues
    FROM dialogue_facts
    SEMI JOIN briefs USING (dialogue_id)
    GROUP BY attempt
    UNION ALL
    SELECT {PUBLISHED_PLACE}, count(*)
    FROM accepted
)
SELECT gates.*
FROM gates
JOIN judged_now USING (place)
WHERE gates.judged = judged_now.dialogues
ORDER BY place
"""

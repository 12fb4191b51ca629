"""One gate: facts are computed, Great Expectations judges them, failing keys become rejections with their evidence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import duckdb
import pyarrow as pa

from tasks.errors import UserError
from tasks.quality.causes import Cause, Finding, root_causes
from tasks.quality.evidence import Case, Evidence
from tasks.quality.facts import compute_facts
from tasks.quality.failing_dialogues import CASES, fetch_cases
from tasks.quality.gate_records import (
    EXAMPLES,
    Example,
    RuleRecord,
    SuiteRecord,
    attempt_gate,
    forget_gate,
    store_gate,
)
from tasks.quality.great_expectations import Failing, check_suites, judge_frame, with_rows
from tasks.quality.lexicon import Lexicon
from tasks.quality.result_html import render_result
from tasks.quality.values import FactTable, JudgeCounts, Rule, Suite
from tasks.settings import Domain

TABLES: Final[tuple[FactTable, ...]] = ("dialogue_facts", "utterance_facts")
LANGUAGE_FACTS: Final = {
    "sentiment_errors",
    "decision_errors",
    "foreign_turns",
    "sentiment_error",
    "decision_error",
    "foreign_language",
}
_REJECTIONS = pa.schema(
    [
        ("dialogue_id", pa.string()),
        ("attempt", pa.int32()),
        ("rule", pa.string()),
        ("severity", pa.string()),
    ]
    + [("turn", pa.int32()), ("evidence", pa.string()), ("because", pa.string())]
)
_EXAMPLES = """
WITH ranked AS (
    SELECT rule, dialogue_id, turn, evidence, row_number() OVER (PARTITION BY rule ORDER BY brief_order, turn) AS place
    FROM rejections
    JOIN briefs USING (dialogue_id)
    WHERE attempt = $attempt
)
SELECT rule, dialogue_id, turn, evidence FROM ranked WHERE place <= $examples ORDER BY rule, place
"""
Broken = list[tuple[Failing, list[str]]]
"""Rules, each with the dialogues that broke it."""


@dataclass(frozen=True)
class Judged:
    """What one suite found: for each of its rules the dialogues that broke it, and Great Expectations' result per fact table."""

    suite: Suite
    broken: Broken
    results: list[tuple[str, Any]]


@dataclass(frozen=True)
class Rules:
    """What dialogues are judged by: suites, the lexicon they rest on, which findings explain which."""

    suites: tuple[Suite, ...]
    lexicon: Lexicon
    causes: tuple[Cause, ...] = ()


def judge(
    con: duckdb.DuckDBPyConnection, rules: Rules, domain: Domain, attempt: int
) -> JudgeCounts:
    """Judge the dialogues of one attempt (2.5.2); fills the fact tables and `rejections` for it.

    Writes down in `gates` what the Data Docs show of it as well. Without a dialogue to judge there
    is no gate.

    Raises:
        UserError: a suite that would not judge all it says; nothing has been judged or written
            then.
        GateError: Great Expectations' result does not add up.
    """
    if con.execute("SELECT count(*) FROM dialogues WHERE attempt = ?", [attempt]).fetchall()[0][0]:
        check_suites(rules.suites)
    count = compute_facts(con, rules.lexicon, domain.language, attempt)
    judged, rejected, written = judge_facts(con, rules, attempt) if count else ([], 0, 0)
    con.execute("DROP TABLE near_duplicates")
    forget_gate(con, attempt)
    if judged:
        store_gate(con, attempt_gate(attempt, count, rejected, suite_records(con, attempt, judged)))
    return JudgeCounts(count, rejected, written)


def judge_facts(
    con: duckdb.DuckDBPyConnection, rules: Rules, attempt: int
) -> tuple[list[Judged], int, int]:
    """Judge the facts of one attempt and fill `rejections` for it.

    `rules.causes` says which findings follow from another one; it decides about no dialogue.

    Returns:
        What each suite found, the dialogues rejected, and the rows of `rejections` written.
    """
    con.execute("DELETE FROM rejections WHERE attempt = ?", [attempt])
    judged = [_judge_suite(con, suite, attempt) for suite in rules.suites]
    broken = [entry for found in judged for entry in found.broken if entry[1]]
    evidence = Evidence(rules.lexicon.wording_pattern)
    found = _rejections(con, attempt, broken, evidence, rules.causes)
    written = sum(_store(con, rows) for rows in found)
    rejected = {
        dialogue_id
        for failing, ids in broken
        if failing.rule.severity == "reject"
        for dialogue_id in ids
    }
    return judged, len(rejected), written


def suite_records(
    con: duckdb.DuckDBPyConnection, attempt: int, judged: Sequence[Judged]
) -> list[SuiteRecord]:
    """Return what the Data Docs show of each suite, with a few pieces of evidence for each rule that was broken."""
    examples: dict[str, list[Example]] = {}
    for rule, *example in con.execute(
        _EXAMPLES, {"attempt": attempt, "examples": EXAMPLES}
    ).fetchall():
        examples.setdefault(rule, []).append(Example(*example))
    return [_suite_record(found, examples) for found in judged]


def _suite_record(found: Judged, examples: Mapping[str, Sequence[Example]]) -> SuiteRecord:
    rules = [
        _rule_record(entry.rule, len(ids), examples.get(entry.rule.rule, ()))
        for entry, ids in found.broken
    ]
    results = [(table, render_result(result)) for table, result in found.results]
    return SuiteRecord(found.suite.name, found.suite.about, tuple(rules), tuple(results))


def _rule_record(rule: Rule, dialogues: int, examples: Sequence[Example]) -> RuleRecord:
    return RuleRecord(rule.rule, rule.severity, rule.says, rule.source, dialogues, tuple(examples))


def check_language(suites: Sequence[Suite], lexicon: Lexicon, language: str) -> None:
    """Refuse rules that would pass everything because the lexicon lacks the domain's language.

    Raises UserError.
    """
    known = lexicon.languages.get(language)
    if known is not None and known.judges_opinions and known.function_words:
        return
    blind = [
        rule.rule
        for suite in suites
        for rule in suite.rules
        if not LANGUAGE_FACTS.isdisjoint(rule.columns)
    ]
    if blind:
        raise UserError(
            f"expectations/lexicon.yaml has too few words for the language {language!r} to judge {', '.join(blind)}: "
            f"add them, or set these rules to `off` in quality.severities"
        )


def _judge_suite(con: duckdb.DuckDBPyConnection, suite: Suite, attempt: int) -> Judged:
    broken: Broken = []
    results: list[tuple[str, Any]] = []
    for table in TABLES:
        rules = [rule for rule in suite.rules if rule.table == table]
        if not rules:
            continue
        columns = sorted({column for rule in rules for column in rule.columns})
        order = "dialogue_id" if table == "dialogue_facts" else "dialogue_id, turn"
        keyed = con.execute(
            f"SELECT dialogue_id, {', '.join(columns)} FROM {table} WHERE attempt = ? ORDER BY {order}",
            [attempt],
        ).df()
        keys = keyed.pop("dialogue_id")
        failing, result = judge_frame(suite, table, with_rows(keyed))
        broken += [(entry, list(dict.fromkeys(keys.iloc[list(entry.rows)]))) for entry in failing]
        results.append((table, result))
    return Judged(suite, broken, results)


def _rejections(
    con: duckdb.DuckDBPyConnection,
    attempt: int,
    broken: Broken,
    evidence: Evidence,
    causes: Sequence[Cause],
) -> Iterator[list[tuple[Any, ...]]]:
    """Yield rows of `rejections`, some thousands of dialogues at a time."""
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
    con.register(
        "rejection_rows",
        pa.table([list(column) for column in zip(*rows, strict=True)], schema=_REJECTIONS),
    )
    con.execute("INSERT INTO rejections SELECT * FROM rejection_rows")
    con.unregister("rejection_rows")
    return len(rows)

"""One gate: facts are computed, Great Expectations judges them.

Failing keys become rejections with their evidence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

import duckdb

from tasks.errors import UserError
from tasks.quality.causes import Cause
from tasks.quality.evidence import Evidence
from tasks.quality.facts import compute_facts
from tasks.quality.gate_records import (
    EXAMPLES,
    IN_PART,
    OFF,
    Example,
    RuleRecord,
    SuiteRecord,
    attempt_gate,
    forget_gate,
    store_gate,
)
from tasks.quality.great_expectations import check_suites, judge_frame, with_rows
from tasks.quality.lexicon import Lexicon
from tasks.quality.rejections import Broken, store_rejections
from tasks.quality.result_html import render_result
from tasks.quality.values import FactTable, JudgeCounts, Rule, Suite
from tasks.semantic import check_semantic
from tasks.settings import Domain

TABLES: Final[tuple[FactTable, ...]] = ("dialogue_facts", "utterance_facts")
SEMANTIC_FACTS: Final = {"target_nearness", "far_claims"}
_EXAMPLES = """
WITH ranked AS (
    SELECT
        rule,
        dialogue_id,
        turn,
        evidence,
        row_number() OVER (PARTITION BY rule ORDER BY brief_order, turn) AS place
    FROM rejections
    JOIN briefs USING (dialogue_id)
    WHERE attempt = $attempt
)
SELECT rule, dialogue_id, turn, evidence FROM ranked WHERE place <= $examples ORDER BY rule, place
"""


@dataclass(frozen=True)
class Judged:
    """What one suite found.

    Attributes:
        suite: the suite.
        broken: each of its rules with the dialogues that broke it, also where there are none.
        results: each table of facts with Great Expectations' result.
    """

    suite: Suite
    broken: Broken
    results: list[tuple[str, Any]]


@dataclass(frozen=True)
class Rules:
    """What dialogues are judged by.

    Attributes:
        suites: the suites and their rules.
        lexicon: the words that the facts use.
        causes: which findings follow from another one; they change no verdict.
    """

    suites: tuple[Suite, ...]
    lexicon: Lexicon
    causes: tuple[Cause, ...] = ()


def judge(
    con: duckdb.DuckDBPyConnection, rules: Rules, domain: Domain, attempt: int
) -> JudgeCounts:
    """Judge the dialogues of one attempt (2.5.2) by the domain's rules.

    Fills the fact tables and `rejections` for that attempt, and stores in `gates` what the Data
    Docs show of it. Without a dialogue to judge there is no gate.

    Raises:
        UserError: a suite that would not judge all it says; then nothing is judged or written.
        GateError: Great Expectations' result does not add up.
    """
    if con.execute("SELECT count(*) FROM dialogues WHERE attempt = ?", [attempt]).fetchall()[0][0]:
        check_suites(rules.suites)
    threads = semantic_threads(rules.suites, domain)
    count = compute_facts(con, rules.lexicon, domain.language, attempt, threads)
    judged, rejected, written = (
        judge_facts(con, rules, domain.language, attempt) if count else ([], 0, 0)
    )
    for table in ("near_duplicates", "judge_pieces"):
        con.execute(f"DROP TABLE {table}")
    forget_gate(con, attempt)
    if judged:
        store_gate(con, attempt_gate(attempt, count, rejected, suite_records(con, attempt, judged)))
    return JudgeCounts(count, rejected, written)


def judge_facts(
    con: duckdb.DuckDBPyConnection, rules: Rules, language: str, attempt: int
) -> tuple[list[Judged], int, int]:
    """Judge the facts of one attempt, in a language, and fill `rejections` for it.

    `rules.causes` lists which findings follow from another one; it changes no verdict.

    Returns:
        What each suite found, the dialogues rejected, and the rows of `rejections` written.
    """
    con.execute("DELETE FROM rejections WHERE attempt = ?", [attempt])
    judged = [_judge_suite(con, suite, attempt) for suite in rules.suites]
    found = chain.from_iterable(suite.broken for suite in judged)
    broken = [(failing, ids) for failing, ids in found if ids]
    evidence = Evidence(rules.lexicon, language)
    written = store_rejections(con, attempt, broken, evidence, rules.causes)
    rejected: set[str] = set()
    for failing, ids in broken:
        if failing.rule.severity == "reject":
            rejected.update(ids)
    return judged, len(rejected), written


def suite_records(
    con: duckdb.DuckDBPyConnection, attempt: int, judged: Sequence[Judged]
) -> list[SuiteRecord]:
    """Return what the Data Docs show of each suite, with some evidence for each broken rule."""
    selected = con.execute(_EXAMPLES, {"attempt": attempt, "examples": EXAMPLES}).fetchall()
    examples: dict[str, list[Example]] = {}
    for rule, *example in selected:
        examples.setdefault(rule, []).append(Example(*example))
    return [_suite_record(found, examples) for found in judged]


def _suite_record(found: Judged, examples: Mapping[str, Sequence[Example]]) -> SuiteRecord:
    rules = [
        _rule_record(entry.rule, len(ids), examples.get(entry.rule.rule, ()))
        for entry, ids in found.broken
    ]
    rules += [
        RuleRecord(note.rule, OFF if note.is_off else IN_PART, note.says, note.why, 0, ())
        for note in found.suite.unjudged
    ]
    results = [(table, render_result(result)) for table, result in found.results]
    return SuiteRecord(found.suite.name, found.suite.about, tuple(rules), tuple(results))


def _rule_record(rule: Rule, dialogues: int, examples: Sequence[Example]) -> RuleRecord:
    return RuleRecord(rule.rule, rule.severity, rule.says, rule.source, dialogues, tuple(examples))


def check_language(suites: Sequence[Suite], language: str) -> None:
    """Refuse rules that compare texts by sense where they cannot.

    That is in any language but English, and without the extra `[semantic]`.

    Raises UserError.
    """
    by_sense = compare_by_sense(suites)
    if not by_sense:
        return
    check_semantic()
    if language != "en":
        raise UserError(
            f"sentence embeddings know English only, and the language is {language!r}: set "
            f"{', '.join(by_sense)} to `off` in quality.severities"
        )


def semantic_threads(suites: Sequence[Suite], domain: Domain) -> int:
    """Return the threads for sentence embeddings; 0 if no rule needs them. Raises UserError."""
    return domain.machine.machine().threads if compare_by_sense(suites) else 0


def compare_by_sense(suites: Sequence[Suite]) -> list[str]:
    """Return the rules that compare texts by sense."""
    rules = chain.from_iterable(suite.rules for suite in suites)
    return [rule.rule for rule in rules if not SEMANTIC_FACTS.isdisjoint(rule.columns)]


def _judge_suite(con: duckdb.DuckDBPyConnection, suite: Suite, attempt: int) -> Judged:
    broken: Broken = []
    results: list[tuple[str, Any]] = []
    for table in TABLES:
        rules = [rule for rule in suite.rules if rule.table == table]
        if not rules:
            continue
        columns = sorted(set().union(*(rule.columns for rule in rules)))
        order = "dialogue_id" if table == "dialogue_facts" else "dialogue_id, turn"
        query = f"""
            SELECT dialogue_id, {", ".join(columns)}
            FROM {table}
            WHERE attempt = ?
            ORDER BY {order}
        """
        facts = con.execute(query, [attempt]).df()
        ids = facts.pop("dialogue_id")
        failing, result = judge_frame(suite, table, with_rows(facts))
        # A dialogue may break a rule in several turns; it is named once.
        broken += [(entry, list(dict.fromkeys(ids.iloc[list(entry.rows)]))) for entry in failing]
        results.append((table, result))
    return Judged(suite, broken, results)

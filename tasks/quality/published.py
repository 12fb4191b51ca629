"""What is published is judged once more, from its text on, and every dialogue must pass."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

import duckdb
import polars as pl

from tasks.errors import UserError
from tasks.quality.facts import compute_facts
from tasks.quality.gate import Rules, judge_facts, suite_records
from tasks.quality.gate_records import GateRecord, published_gate, store_gate
from tasks.quality.values import PublishedCounts
from tasks.settings import Domain, Home
from tasks.warehouse import open_warehouse

# What the facts are made from, of the accepted dialogues only; every attempt becomes the first.
_COPIED: Final = {
    "briefs": "SELECT * FROM briefs SEMI JOIN accepted USING (dialogue_id)",
    "brief_items": "SELECT * FROM brief_items SEMI JOIN accepted USING (dialogue_id)",
    "template_turns": "SELECT * FROM template_turns",
    "items": "SELECT * FROM items",
    "reviews": """
        WITH drawn AS (
            SELECT unnest([user_review_id, other_review_id]) AS review_id
            FROM brief_items
            SEMI JOIN accepted USING (dialogue_id)
        )
        SELECT *
        FROM reviews
        SEMI JOIN drawn USING (review_id)
    """,
    "dialogues": """
        SELECT d.* REPLACE (1 AS attempt)
        FROM dialogues d
        SEMI JOIN accepted USING (dialogue_id, attempt)
    """,
    "judge_answers": """
        SELECT j.* REPLACE (1 AS attempt)
        FROM judge_answers j
        SEMI JOIN accepted USING (dialogue_id, attempt)
    """,
    "utterances": """
        SELECT u.* REPLACE (1 AS attempt)
        FROM utterances u
        SEMI JOIN accepted USING (dialogue_id, attempt)
    """,
}
_ACCEPTED: Final = """
CREATE OR REPLACE TEMP TABLE accepted AS
SELECT dialogue_id, attempt
FROM verdicts
WHERE verdict = 'accepted'
"""
_REPLACE_TEXT: Final = """
UPDATE utterances
SET
    text = published.text,
    role = published.role,
    words = len(string_split(published.text, ' '))
FROM published
WHERE utterances.dialogue_id = published.dialogue_id
  AND utterances.turn = published.turn
"""
_UNMATCHED: Final = """
SELECT count(*)
FROM utterances
FULL JOIN published USING (dialogue_id, turn)
WHERE utterances.text IS NULL OR published.text IS NULL
"""
_SETTLED: Final = """
SELECT dialogue_id, near_duplicates
FROM dialogue_facts
SEMI JOIN accepted USING (dialogue_id, attempt)
"""
_TAKE_OVER: Final = """
UPDATE dialogue_facts
SET near_duplicates = settled.near_duplicates
FROM settled
WHERE settled.dialogue_id = dialogue_facts.dialogue_id
"""
_NO_NEAR_DUPLICATES: Final = """
CREATE TEMP TABLE near_duplicates (place BIGINT, dialogue_id VARCHAR, other_id VARCHAR)
"""
_FIRST_REJECTION: Final = """
SELECT rule, dialogue_id, turn, evidence
FROM rejections
WHERE severity = 'reject'
ORDER BY rule, dialogue_id, turn
LIMIT 1
"""


class PublishedRefused(UserError):
    """What would be released breaks a rule.

    `gate` is to be stored after the transaction has been rolled back.
    """

    def __init__(self, message: str, gate: GateRecord) -> None:
        super().__init__(message)
        self.gate = gate


def validate_published(
    con: duckdb.DuckDBPyConnection,
    home: Home,
    rules: Rules,
    domain: Domain,
    published: pl.DataFrame | None = None,
) -> PublishedCounts:
    """Judge the accepted dialogues again, with facts made again from their text.

    Only one fact of the first judgement is used: whether a dialogue repeats another was decided
    when it arrived, by comparison with those accepted before it.

    Args:
        con: the domain's warehouse, after the verdicts; only the gate is written to it.
        home: where the Data Docs are.
        rules: what the accepted dialogues were judged by.
        domain: its language and name count.
        published: the utterances as released (columns dialogue_id, turn, role, text, in the
            warehouse's ids); they replace the warehouse's texts. None judges the warehouse's own.

    Raises:
        PublishedRefused: a released utterance breaks a rule that rejects.
        UserError: a suite that would not judge all it says, or released utterances that are not
            those accepted.
        GateError: Great Expectations' result does not add up.
    """
    with (
        tempfile.TemporaryDirectory(prefix="published-") as folder,
        open_warehouse(Path(folder) / "published.duckdb") as copy,
    ):
        _copy(con, copy)
        if published is not None:
            _replace_texts(copy, published)
        count = compute_facts(copy, rules.lexicon, domain.language, 1)
        _take_over_near_duplicates(con, copy)
        judged, rejected, _ = judge_facts(copy, rules, domain.language, 1) if count else ([], 0, 0)
        gate = published_gate(count, rejected, suite_records(copy, 1, judged))
        if rejected:
            raise PublishedRefused(_refusal(copy, rejected, home.data_docs(domain.name)), gate)
    if judged:
        store_gate(con, gate)
    con.execute("DROP TABLE accepted")
    return PublishedCounts(count, sum(len(suite.rules) for suite in rules.suites))


def copy_accepted(con: duckdb.DuckDBPyConnection, copy: duckdb.DuckDBPyConnection) -> None:
    """Copy into an empty warehouse what facts are made from, of the accepted dialogues alone.

    Every attempt becomes the first.
    """
    _copy(con, copy)
    con.execute("DROP TABLE accepted")


def _copy(con: duckdb.DuckDBPyConnection, copy: duckdb.DuckDBPyConnection) -> None:
    con.execute(_ACCEPTED)
    for table, query in _COPIED.items():
        copy.register("copied_rows", con.sql(query).to_arrow_reader(10_000))
        copy.execute(f"INSERT INTO {table} SELECT * FROM copied_rows")
        copy.unregister("copied_rows")


def _replace_texts(copy: duckdb.DuckDBPyConnection, published: pl.DataFrame) -> None:
    """Put the released utterances in the place of the warehouse's. Raises UserError."""
    copy.register("published", published)
    if copy.execute(_UNMATCHED).fetchall()[0][0]:
        raise UserError(
            "the utterances to be released are not those of the accepted dialogues, "
            "so nothing is released: build again"
        )
    copy.execute(_REPLACE_TEXT)
    copy.unregister("published")


def _take_over_near_duplicates(
    con: duckdb.DuckDBPyConnection, copy: duckdb.DuckDBPyConnection
) -> None:
    copy.execute("DROP TABLE near_duplicates")
    copy.register("settled", con.sql(_SETTLED).to_arrow_table())
    copy.execute(_TAKE_OVER)
    # The evidence reads this table; empty, because the other dialogue may not be in the copy.
    copy.execute(_NO_NEAR_DUPLICATES)


def _refusal(copy: duckdb.DuckDBPyConnection, rejected: int, data_docs: Path) -> str:
    """Return how many dialogues are rejected, the first of them and where to see the others."""
    rule, dialogue_id, turn, evidence = copy.execute(_FIRST_REJECTION).fetchall()[0]
    return (
        f"{rejected} dialogues break a rule as they would be published, so nothing is released: "
        f"{rule} in dialogue {dialogue_id}, turn {turn} ({evidence}); "
        f"see {data_docs / 'index.html'}"
    )

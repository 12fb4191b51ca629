"""Computes the facts a suite judges: what the plan says in SQL, what the text says in polars, a few thousand dialogues at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import duckdb
import polars as pl

from tasks.quality import plan
from tasks.quality.surface import PATTERNS
from tasks.settings import Domain
from tasks.warehouse import create_table

CHUNK: Final = 20_000  # dialogues: about 30 MB of text
_TABLES = ("dialogue_facts", "utterance_facts")


def compute_facts(con: duckdb.DuckDBPyConnection, domain: Domain, attempt: int) -> int:
    """Fill `dialogue_facts` and `utterance_facts` for one attempt, replacing what stood there for it.

    Reads dialogues, utterances, briefs, brief_items, template_turns and reviews; every column is documented in expectations/facts.yaml.

    Returns:
        The number of dialogues.
    """
    for table in _TABLES:
        create_table(con, table)
        con.execute(f"DELETE FROM {table} WHERE attempt = ?", [attempt])
    con.execute(plan.QUEUE, {"attempt": attempt})
    for chunk in _chunks(con):
        facts = chunk.with_columns(**surface_facts())
        _insert(con, facts)
    con.execute("CREATE OR REPLACE TEMP TABLE near_duplicates (place BIGINT, near_duplicates INTEGER)")
    con.execute(plan.DIALOGUES, {"attempt": attempt})
    (judged,) = con.execute("SELECT count(*) FROM fact_queue").fetchall()[0]
    for table in ("fact_queue", "near_duplicates"):
        con.execute(f"DROP TABLE {table}")
    return int(judged)


def surface_facts() -> dict[str, pl.Expr]:
    """Return the facts that need nothing but the text, by name."""
    text = pl.col("text")
    return {"empty": pl.col("words") == 0, **{fact: text.str.contains(pattern) for fact, pattern in PATTERNS.items()}}


def _chunks(con: duckdb.DuckDBPyConnection) -> Iterator[pl.DataFrame]:
    (total,) = con.execute("SELECT count(*) FROM fact_queue").fetchall()[0]
    for begin in range(0, total, CHUNK):
        yield con.sql(plan.UTTERANCES, params={"from": begin, "until": begin + CHUNK}).pl()


def _insert(con: duckdb.DuckDBPyConnection, facts: pl.DataFrame) -> None:
    wanted = [column[0] for column in con.execute("DESCRIBE utterance_facts").fetchall()]
    defaults = {name: pl.lit(0) if name == "copied_words" else pl.lit(False) for name in wanted if name not in facts.columns}
    con.register("fact_rows", facts.with_columns(**defaults).select(wanted))
    con.execute("INSERT INTO utterance_facts BY NAME SELECT * FROM fact_rows")
    con.unregister("fact_rows")

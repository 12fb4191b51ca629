"""Why briefs failed or were rejected: one cause each, in words that do not change from call to call."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from tasks.funnel import causes, causes_text
from tasks.warehouse import create_tables

FAILURES = {
    "truncated: cut at max_tokens while reasoning: raise generate.max_tokens": (
        "cut at max_tokens while reasoning"
    ),
    "empty: empty answer: the reply holds reasoning only (after 2 tries)": "empty answer",
    "empty: reasoning never ended: the reply holds reasoning only (after 2 tries)": (
        "reasoning never ended"
    ),
    "refused: the model refused: I cannot do that.": "the model refused",
    "overload 503: x-request-id 8f2e (after 7 tries)": "server overloaded or broken, status 503",
    "timeout: no answer within 125 s (after 7 tries)": "no answer in time",
    "of no kind at all": "of no kind at all",
    "": "no cause on record",
}


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        create_tables(connection)
        yield connection


def brief(con: duckdb.DuckDBPyConnection, name: str, verdict: str, attempt: int = 1) -> None:
    con.execute(
        "INSERT INTO briefs (dialogue_id, brief_order) SELECT ?, count(*) FROM briefs", [name]
    )
    con.execute("INSERT INTO verdicts VALUES (?, ?, ?)", [name, verdict, attempt])


def transcript(
    con: duckdb.DuckDBPyConnection, name: str, status: str, error: str = "", attempt: int = 1
) -> None:
    con.execute(
        "INSERT INTO transcripts (dialogue_id, attempt, status, error) VALUES (?, ?, ?, ?)",
        [name, attempt, status, error],
    )


def breaks(con: duckdb.DuckDBPyConnection, name: str, *broken: tuple[str, int, str | None]) -> None:
    for rule, turn, because in broken:
        con.execute(
            "INSERT INTO rejections VALUES (?, 1, ?, 'reject', ?, '', ?)",
            [name, rule, turn, because],
        )


@pytest.mark.parametrize("error", FAILURES)
def test_a_failure_is_named_by_its_cause(con: duckdb.DuckDBPyConnection, error: str) -> None:
    brief(con, "d1", "failed", attempt=2)
    transcript(con, "d1", "failed", "connection: an earlier try")
    transcript(con, "d1", "failed", error, attempt=2)
    assert causes(con) == [
        {"verdict": "failed", "cause": FAILURES[error], "briefs": 1, "example": "d1"}
    ]


def test_causes_add_up_to_the_briefs_and_name_the_root(con: duckdb.DuckDBPyConnection) -> None:
    for name in ("b", "a", "c", "e"):
        brief(con, name, "rejected")
    brief(con, "f", "accepted")
    for name in ("a", "b"):
        breaks(con, name, ("role", 1, "length"), ("length", 2, None), ("words", 3, None))
    breaks(con, "c", ("length", 0, None))
    con.execute(
        "INSERT INTO dialogues (dialogue_id, attempt, parse_error) "
        "VALUES ('c', 1, 'cut at max_tokens: the JSON breaks off'), ('a', 1, '')"
    )
    assert causes(con) == [
        {"verdict": "rejected", "cause": "rule length", "briefs": 2, "example": "b"},
        {
            "verdict": "rejected",
            "cause": "cut at max_tokens: the JSON breaks off",
            "briefs": 1,
            "example": "c",
        },
        {"verdict": "rejected", "cause": "no rule on record", "briefs": 1, "example": "e"},
    ]


def test_the_line_names_three_causes_and_the_command_that_shows_one() -> None:
    found = [
        {"verdict": "failed", "cause": f"cause {n}", "briefs": 9 - n, "example": f"id{n}"}
        for n in range(4)
    ]
    found += [{"verdict": "rejected", "cause": "rule length", "briefs": 1, "example": "x"}]
    assert causes_text(found, "demo") == (
        "30 failed (9 cause 0, 8 cause 1, 7 cause 2, 6 others; see `redial why demo/id0`); "
        "1 rejected (1 rule length; see `redial why demo/x`)"
    )
    assert causes_text([], "demo") == ""

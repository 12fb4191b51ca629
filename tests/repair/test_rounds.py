from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tasks.quality import set_verdicts
from tasks.repair import (
    accepted_of,
    escalates,
    forget_attempts,
    next_briefs,
    rejected_before,
    unanswered,
)
from tasks.settings import Generate
from tasks.warehouse import open_warehouse


@pytest.fixture
def con(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_warehouse(tmp_path / "w.duckdb") as opened:
        yield opened


def brief(con: duckdb.DuckDBPyConnection, number: int, template: str = "t") -> str:
    name = f"d{number:03}"
    con.execute(
        "INSERT INTO briefs BY NAME SELECT ? AS dialogue_id, 'u' AS user_id, ? AS template_id, ? "
        "AS brief_order",
        [name, template, number],
    )
    return name


def attempt(con: duckdb.DuckDBPyConnection, name: str, number: int, outcome: str) -> None:
    if outcome == "unasked":
        return
    status = "failed" if outcome == "failed" else "answered"
    con.execute(
        "INSERT INTO transcripts BY NAME SELECT ? AS dialogue_id, ? AS attempt, ? AS status, [] "
        "AS request_keys",
        [name, number, status],
    )
    if status == "answered":
        con.execute(
            "INSERT INTO dialogue_facts BY NAME SELECT ? AS dialogue_id, ? AS attempt",
            [name, number],
        )
    if outcome == "rejected":
        con.execute(
            "INSERT INTO rejections VALUES (?, ?, 'readable', 'reject', 1, 'x', NULL)",
            [name, number],
        )


def test_only_what_was_rejected_is_repaired_and_only_what_is_unanswered_asked(
    con: duckdb.DuckDBPyConnection,
) -> None:
    names = [brief(con, number) for number in range(4)]
    for name, outcome in zip(names, ["accepted", "rejected", "failed", "unasked"], strict=True):
        attempt(con, name, 1, outcome)
    assert rejected_before(con, 2) == [names[1]]
    assert unanswered(con, 1, names) == [names[2], names[3]]


def test_a_target_asks_each_template_for_its_share(con: duckdb.DuckDBPyConnection) -> None:
    first = [brief(con, number, "a") for number in range(6)]
    second = [brief(con, 10 + number, "b") for number in range(3)]
    assert next_briefs(con, 3) == [*first[:2], second[0]]
    for name, outcome in ((first[0], "accepted"), (first[1], "rejected"), (second[0], "accepted")):
        attempt(con, name, 1, outcome)
    set_verdicts(con)
    assert next_briefs(con, 3) == [first[2]]
    attempt(con, first[2], 1, "accepted")
    set_verdicts(con)
    assert (accepted_of(con), next_briefs(con, 3)) == (3, [])


def test_where_a_template_is_used_up_the_others_take_over(con: duckdb.DuckDBPyConnection) -> None:
    first = [brief(con, number, "a") for number in range(2)]
    second = [brief(con, 10 + number, "b") for number in range(2)]
    for name in first:
        attempt(con, name, 1, "rejected")
    set_verdicts(con)
    assert next_briefs(con, 2) == second


def test_a_target_beyond_the_briefs_asks_all(con: duckdb.DuckDBPyConnection) -> None:
    names = [brief(con, number) for number in range(3)]
    assert next_briefs(con, 99) == names == next_briefs(con, None)


def test_forgetting_an_attempt_keeps_the_ones_before(con: duckdb.DuckDBPyConnection) -> None:
    name = brief(con, 1)
    attempt(con, name, 1, "rejected")
    attempt(con, name, 2, "accepted")
    forget_attempts(con, 2)
    assert con.execute("SELECT attempt FROM transcripts").fetchall() == [(1,)]


def test_where_another_model_follows_what_got_no_answer_is_asked_again(
    con: duckdb.DuckDBPyConnection,
) -> None:
    names = [brief(con, number) for number in range(5)]
    for name, outcome in zip(
        names, ["accepted", "rejected", "failed", "failed", "unasked"], strict=True
    ):
        attempt(con, name, 1, outcome)
    assert rejected_before(con, 2, failed=True) == names[1:4]
    assert rejected_before(con, 2) == [names[1]]
    attempt(con, names[1], 2, "failed")
    attempt(con, names[2], 2, "accepted")
    # One failed at its repair, one at its first attempt and was not asked at the second.
    assert rejected_before(con, 3, failed=True) == [names[1], names[3]]
    # What another model answered is not asked of the first one again.
    assert unanswered(con, 1, names) == [names[3], names[4]]
    set_verdicts(con)
    assert accepted_of(con) == 2


def test_an_attempt_escalates_where_it_asks_another_model() -> None:
    order = Generate(models=["openai/a", "openai/a", "openai/b"])
    assert [escalates(order, attempt) for attempt in (2, 3, 4)] == [False, True, False]
    assert not escalates(Generate(model="openai/a"), 2)

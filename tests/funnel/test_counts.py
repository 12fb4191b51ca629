"""The funnel's tables, worked out by hand and against plain Python over random warehouses."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given, settings

from tasks.funnel import Funnel, read_funnel, set_aside_text, unplanned_text
from tests.support.examples import examples
from tests.support.random_warehouse import (
    BY_HAND,
    DrawnBrief,
    DrawnWarehouse,
    drawn_warehouses,
    fill,
)
from tests.support.report_warehouse import domain


def funnel_of(drawn: DrawnWarehouse) -> Funnel:
    with duckdb.connect() as con:
        fill(con, drawn, domain(), "run")
        return read_funnel(con)


def test_each_table_by_hand() -> None:
    found = funnel_of(BY_HAND)
    stages = {row["stage"]: (row["rows"], row["percent"]) for row in found.stages}
    assert stages["source lines"] == (10, None)
    assert stages["usable reviews"] == (
        7,
        pytest.approx(70),
    )
    assert stages["of them MIGHT_LIKES"] == (10, pytest.approx(100))
    assert stages["briefs"] == (
        6,
        pytest.approx(60),
    )
    assert stages["briefs answered"] == (4, pytest.approx(200 / 3))
    assert stages["accepted dialogues"] == (2, pytest.approx(50))
    assert "dialogues in the newest release" not in stages
    assert found.set_aside == [
        {"source": "reviews", "kind": "unrated", "lines": 2},
        {"source": "reviews", "kind": "duplicate", "lines": 1},
        {"source": "metadata", "kind": "broken_line", "lines": 1},
    ]
    assert [(row["outcome"], row["items"], row["percent"]) for row in found.might_likes] == [
        ("planned", 6, pytest.approx(60)),
        ("no_history", 2, pytest.approx(20)),
        ("not_planned_yet", 1, pytest.approx(10)),
        ("untitled", 1, pytest.approx(10)),
    ]
    assert [(row["verdict"], row["briefs"], row["percent"]) for row in found.verdicts] == [
        ("accepted", 2, pytest.approx(100 / 3)),
        ("rejected", 1, pytest.approx(100 / 6)),
        ("failed", 1, pytest.approx(100 / 6)),
        ("unasked", 2, pytest.approx(100 / 3)),
    ]
    assert found.templates == [
        {"template": "t1", "briefs": 4, "accepted": 2, "rejected": 0, "failed": 0, "unasked": 2},
        {"template": "t2", "briefs": 2, "accepted": 0, "rejected": 1, "failed": 1, "unasked": 0},
    ]


def test_each_attempt_and_its_rules_by_hand() -> None:
    found = funnel_of(BY_HAND)
    assert found.attempts == [
        {"attempt": 1, "asked": 5, "accepted": 1, "rejected": 2, "failed": 1, "unjudged": 1},
        {"attempt": 2, "asked": 2, "accepted": 1, "rejected": 0, "failed": 1, "unjudged": 0},
    ]
    # three dialogues were judged at the first attempt and one at the second: what failed or waits
    # cannot break a rule
    rules = [
        (row["attempt"], row["rule"], row["severity"], row["dialogues"], row["percent"])
        for row in found.rules
    ]
    assert rules == [
        (1, "a-warning", "warn", 3, pytest.approx(100)),
        (1, "readable", "reject", 2, pytest.approx(200 / 3)),
        (2, "a-warning", "warn", 1, pytest.approx(100)),
    ]


def test_what_was_left_out_is_one_line() -> None:
    found = funnel_of(BY_HAND)
    assert (
        set_aside_text(found.set_aside)
        == "4 set aside: 2 unrated, 1 duplicate, 1 metadata broken line"
    )
    assert (
        unplanned_text(found.might_likes)
        == "4 MIGHT_LIKES without a brief: 2 no history, 1 not planned yet, 1 untitled"
    )
    nothing = funnel_of(DrawnWarehouse(briefs=[DrawnBrief(True, "t", (), None)]))
    assert (set_aside_text(nothing.set_aside), unplanned_text(nothing.might_likes)) == ("", "")


def test_a_file_of_which_nothing_can_be_used_is_one_of_reviews() -> None:
    with duckdb.connect() as con:
        fill(
            con,
            DrawnWarehouse(briefs=[], review_defects=["broken_line"], usable=0),
            domain(),
            "run",
        )
        found = read_funnel(con)
    assert found.set_aside == [{"source": "reviews", "kind": "broken_line", "lines": 1}]
    assert found.stages[0] == {"stage": "source lines", "rows": 1, "percent": None}


def test_a_release_of_another_plan_is_no_share_of_this_one() -> None:
    with duckdb.connect() as con:
        fill(con, BY_HAND, domain(), "run")
        con.execute(
            "INSERT INTO releases VALUES ('v1', 'run', 'c', 'v', 9, TIMESTAMP '2026-01-01')"
        )
        con.execute(
            "INSERT INTO releases VALUES ('v0', 'run', 'c', 'v', 8, TIMESTAMP '2025-01-01')"
        )
        assert read_funnel(con).stages[-1] == {
            "stage": "dialogues in the newest release",
            "rows": 9,
            "percent": None,
        }


@settings(max_examples=examples(25), deadline=None)
@given(drawn_warehouses)
def test_every_table_adds_up_and_holds_what_plain_python_counts(drawn: DrawnWarehouse) -> None:
    found = funnel_of(drawn)
    assert {row["verdict"]: row["briefs"] for row in found.verdicts} == drawn.verdicts()
    assert sum(row["briefs"] for row in found.verdicts) == len(drawn.planned)
    assert sum(row["percent"] for row in found.verdicts) == pytest.approx(
        100 if drawn.planned else 0
    )
    attempts = {
        row["attempt"]: {name: row[name] for name in ("accepted", "rejected", "failed", "unjudged")}
        for row in found.attempts
    }
    assert attempts == drawn.attempts()
    assert all(row["asked"] == sum(attempts[row["attempt"]].values()) for row in found.attempts)
    for row in found.templates:
        assert row["briefs"] == row["accepted"] + row["rejected"] + row["failed"] + row["unasked"]
    assert sum(row["briefs"] for row in found.templates) == len(drawn.planned)
    assert {row["outcome"]: row["items"] for row in found.might_likes} == drawn.might_likes()
    assert sum(row["items"] for row in found.might_likes) == len(drawn.briefs) + len(drawn.reasons)
    assert {
        (row["source"], row["kind"]): row["lines"] for row in found.set_aside
    } == drawn.set_aside()
    stages = {row["stage"]: row["rows"] for row in found.stages}
    assert stages["source lines"] == drawn.usable + len(drawn.review_defects)
    assert stages["briefs"] == len(drawn.planned)
    judged = {
        number: counts["accepted"] + counts["rejected"]
        for number, counts in drawn.attempts().items()
    }
    for row in found.rules:
        assert row["percent"] == pytest.approx(100 * row["dialogues"] / judged[row["attempt"]])

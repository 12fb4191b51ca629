"""Verdicts in the gate: rejections with evidence, repair, the sample, and who was not judged."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import pytest

from flows.options import BuildOptions
from flows.pipeline import ASK_JUDGE, JUDGE, VERDICTS
from flows.plan import _judge_estimates
from flows.specifications import load_specifications
from flows.stages import Context, new_context
from tasks.calibration import RELEASED, Reading, store_calibration
from tasks.errors import UserError
from tasks.funnel import read_funnel
from tasks.judge import expected_doubts, is_drawn, to_be_confirmed, to_be_judged
from tasks.quality import count_judged
from tasks.repair import load_repairs, rejected_before
from tasks.settings import Home, load_domain
from tasks.warehouse import open_warehouse
from tests.support.plain_build import plain_build
from tests.support.served import demo_like

JUDGED = {
    "suites": ["paper", "grounded", "judged"],
    "judge": {"model": "offline/writer", "share": 0.5, "confirm": "offline/writer"},
}


@pytest.fixture(scope="module")
def judged_demo(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A build of 24 dialogues of the demo, half of them read by the mock model as judge."""
    home = Home(data=tmp_path_factory.mktemp("judged"))
    demo_like(home.data, "read", title="Read", quality=JUDGED)
    plain_build(home, "read", BuildOptions(max_dialogues=24, max_attempts=1), run_id="judged")
    return home


@contextmanager
def undone(home: Home) -> Iterator[tuple[duckdb.DuckDBPyConnection, Context]]:
    """Within the block, the warehouse; what is changed in it is undone at its end."""
    context = new_context(home, load_specifications(home, "read"), "test")
    with open_warehouse(home.warehouse("read")) as con:
        con.execute("BEGIN")
        yield con, context
        con.execute("ROLLBACK")


def answer(con: duckdb.DuckDBPyConnection, dialogue_id: str, judge: str, *found: Any) -> None:
    """Store what a judge found in a dialogue, as (turn, kind, piece); None for no verdict."""
    listed = [{"turn": turn, "kind": kind, "piece": piece} for turn, kind, piece in found if kind]
    status = "failed" if found and found[0][1] is None else "answered"
    con.execute(
        "DELETE FROM judge_answers WHERE dialogue_id = ? AND rollout = ?", [dialogue_id, judge]
    )
    con.execute(
        "INSERT INTO judge_answers VALUES (?, 1, ?, ?, 'stop', '', [], 'grounded', ?, 'test')",
        [dialogue_id, status, json.dumps(listed), judge],
    )


def rejections(con: duckdb.DuckDBPyConnection, dialogue_id: str) -> list[tuple[Any, ...]]:
    """Return what the suite `judged` says of a dialogue."""
    query = """
        SELECT rule, severity, turn, evidence
        FROM rejections
        WHERE dialogue_id = ? AND rule IN (SELECT unnest(?))
        ORDER BY turn, rule
    """
    rules = ["claims-not-contradicted", "opinion-as-rated", "verdict-read"]
    return con.execute(query, [dialogue_id, rules]).fetchall()


def test_the_drawn_dialogues_are_read_once_and_no_other(judged_demo: Home) -> None:
    with undone(judged_demo) as (con, context):
        rows = con.execute("SELECT dialogue_id, judged FROM dialogue_facts").fetchall()
        drawn = {key for key, _ in rows if is_drawn(context.domain, key)}
        whole = con.execute("SELECT dialogue_id FROM dialogue_facts WHERE complete").fetchall()
        read = {key for key, judged in rows if judged}
        assert read == drawn & {key for (key,) in whole} and 5 < len(read) < 19
        assert to_be_judged(con, context.domain, 1) == to_be_confirmed(con, 1) == []
        asked = con.execute("SELECT request_keys FROM judge_answers").fetchall()
        paid = con.execute("SELECT count(*) FROM responses").fetchall()[0][0]
        assert len(asked) == len(read) and paid == 24 + len(read)


def test_a_judges_findings_reject_with_evidence_and_are_repaired(judged_demo: Home) -> None:
    with undone(judged_demo) as (con, context):
        first, second = _accepted_and_read(con)[:2]
        answer(con, first, "judge", (2, "contradicted", "it was red (review: It was blue.)"))
        answer(con, second, "judge", (1, "opinion", "I loved it"), (1, "opinion", "so good"))
        assert to_be_confirmed(con, 1) == sorted((first, second), key=_order(con))
        JUDGE.work(con, context, 1)
        evidence = "it was red (review: It was blue.)"
        assert rejections(con, first) == [("claims-not-contradicted", "reject", 2, evidence)]
        assert rejections(con, second) == [("opinion-as-rated", "reject", 1, "I loved it; so good")]
        assert {first, second} <= set(rejected_before(con, 2))
        work = ASK_JUDGE.work(con, context, 1, [first])
        (repair,) = load_repairs(con, work.fetch([first]), 2, {})
        assert [(one.rule, one.turn) for one in repair.findings] == [("claims-not-contradicted", 2)]


def test_the_judge_that_confirms_has_the_last_word_if_it_can_be_read(judged_demo: Home) -> None:
    with undone(judged_demo) as (con, context):
        cleared, unsettled = _accepted_and_read(con)[:2]
        for dialogue_id in (cleared, unsettled):
            answer(con, dialogue_id, "judge", (1, "opinion", "I loved it"))
        answer(con, cleared, "confirm")
        answer(con, unsettled, "confirm", (1, None, ""))
        JUDGE.work(con, context, 1)
        assert rejections(con, cleared) == []
        assert [row[0] for row in rejections(con, unsettled)] == ["opinion-as-rated"]


def test_a_verdict_that_could_not_be_read_counts_as_not_judged(judged_demo: Home) -> None:
    with undone(judged_demo) as (con, context):
        (unread,) = _accepted_and_read(con)[:1]
        answer(con, unread, "judge", (1, None, ""))
        JUDGE.work(con, context, 1)
        query = "SELECT judged, judge_unread FROM dialogue_facts WHERE dialogue_id = ?"
        assert con.execute(query, [unread]).fetchall() == [(0, 1)]
        assert rejections(con, unread) == [("verdict-read", "warn", 0, "judge_unread = 1")]
        # The next run asks for it again.
        assert to_be_judged(con, context.domain, 1) == [unread]


def test_funnel_and_card_say_who_was_judged_and_what_to_expect_of_the_rest(
    judged_demo: Home,
) -> None:
    with undone(judged_demo) as (con, context):
        read = len(_accepted_and_read(con))
        found = {row["outcome"]: row["dialogues"] for row in read_funnel(con).judged}
        accepted = con.execute("SELECT count(*) FROM verdicts WHERE verdict = 'accepted'")
        (total,) = accepted.fetchall()[0]
        assert found == {
            "judged": read,
            "no verdict could be read": 0,
            "not judged": total - read,
        }
        (card,) = judged_demo.releases("read").glob("*/README.md")
        text = card.read_text("utf-8")
        assert f"{read:,} of {total:,}" in text and "no language model" in text
        before = count_judged(con, context.specifications.suites)
        answer(con, _accepted_and_read(con)[0], "judge", (1, "opinion", "I loved it"))
        JUDGE.work(con, context, 1)
        VERDICTS.work(con, context, 1)
        after = count_judged(con, context.specifications.suites)
        assert before.rest and before.rest.value == 0 < before.rest.high
        assert after.rest and after.rest.value == pytest.approx(1 / read)
        assert (after.accepted, after.read) == (total - 1, read - 1)


def test_a_judges_calls_are_forecast_before_anything_is_written(judged_demo: Home) -> None:
    with undone(judged_demo) as (con, context):
        con.execute("DELETE FROM utterances")
        con.execute("DELETE FROM responses")
        ids = [row[0] for row in con.execute("SELECT dialogue_id FROM briefs").fetchall()]
        row, confirming = asyncio.run(_judge_estimates(con, context, ids))
        drawn = [one for one in ids if is_drawn(context.domain, one)]
        assert row["model"] == "offline/writer (judge)"
        assert row["dialogues"] == row["calls"] == len(drawn)
        assert row["which dialogues"] == "50 % of the dialogues, drawn"
        # Nothing is known of the first judge any more.
        assert confirming["model"] == "offline/writer (judge that confirms)"
        assert confirming["calls"] == len(drawn)
        assert str(confirming["which dialogues"]).startswith("at most all")
        # Prompts of some 2,000 tokens, verdicts of some 60 a turn.
        tokens = (row["input tokens"], row["output tokens"])
        assert 1_000 < tokens[0] / len(drawn) < 5_000 and 200 < tokens[1] / len(drawn) < 2_000


def test_what_the_first_judge_rejected_says_how_many_are_confirmed(judged_demo: Home) -> None:
    with undone(judged_demo) as (con, context):
        read = [row[0] for row in con.execute("SELECT dialogue_id FROM judge_answers").fetchall()]
        doubt = "UPDATE judge_answers SET text = '[{\"turn\": 1}]' WHERE dialogue_id = ?"
        con.execute(doubt, [read[0]])
        ids = [row[0] for row in con.execute("SELECT dialogue_id FROM briefs").fetchall()]
        drawn = [one for one in ids if is_drawn(context.domain, one)]
        assert expected_doubts(con, "offline/writer", drawn, 0, 1) == [read[0]]
        unread = set(drawn) - set(read)
        expected = expected_doubts(con, "offline/writer", drawn, 1, 1)
        assert expected[0] == read[0] and set(expected[1:]) == unread
        assert set(expected_doubts(con, "another/model", drawn, 1, 1)) == set(drawn)
        # Too few verdicts; those of a calibration count in their place.
        reading = Reading("offline/writer", "released", RELEASED, 40, 10)
        store_calibration(con, [reading], "run")
        _, confirming = asyncio.run(_judge_estimates(con, context, ids))
        assert confirming["dialogues"] == 1 + math.ceil(0.25 * len(unread))
        known = "what the first judge rejects, so far 25.0 % [14.2, 40.2]"
        assert confirming["which dialogues"] == known


def test_a_judge_and_the_suite_that_heeds_it_go_together() -> None:
    for quality, problem in (
        ({"suites": ["paper", "judged"]}, "name a model in quality.judge"),
        ({"judge": {"model": "openai/gpt-4o-mini"}}, "add `judged` to quality.suites"),
        ({"judge": {"confirm": "openai/gpt-4o"}}, "name it as `model`"),
    ):
        with pytest.raises(UserError, match=problem):
            load_specifications(Home(), "demo", {"quality": quality})
    assert load_domain(Home(), "demo").quality.judge.model is None


def _accepted_and_read(con: duckdb.DuckDBPyConnection) -> list[str]:
    query = """
        SELECT dialogue_id
        FROM verdicts
        JOIN dialogue_facts USING (dialogue_id, attempt)
        WHERE verdict = 'accepted' AND judged = 1
        ORDER BY dialogue_id
    """
    return [row[0] for row in con.execute(query).fetchall()]


def _order(con: duckdb.DuckDBPyConnection) -> Any:
    orders = dict(con.execute("SELECT dialogue_id, brief_order FROM briefs").fetchall())
    return orders.__getitem__

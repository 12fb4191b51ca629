"""Transcripts in the warehouse become dialogues and utterances."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from tasks.dialogues import DialogueCounts, parse_transcripts
from tasks.settings import Domain
from tests.support import conversations as made

CATALOGUE = made.titles(60)
DOMAIN = Domain.model_validate(
    {"name": "t", "sources": {"format": "amazon_2014", "reviews": ["none"]}}
)
SOME = [made.conversation(number, CATALOGUE) for number in range(9)]


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """A warehouse with nine briefs and no answers."""
    opened = made.warehouse(SOME, CATALOGUE)
    yield opened
    opened.close()


@pytest.mark.parametrize("profile", ["grounded", "paper"])
def test_every_answer_becomes_its_dialogue(con: duckdb.DuckDBPyConnection, profile: str) -> None:
    made.answer(con, [(one.dialogue_id, getattr(one, profile)()) for one in SOME], profile)
    said = sum(len(one.turns) for one in SOME)
    assert parse_transcripts(con, DOMAIN, 1) == DialogueCounts(9, 0, 0, said)
    for one in SOME:
        titles = {
            f"{{{{item:{item.slot}}}}}": item.title if profile == "grounded" else f'"{item.title}"'
            for item in one.items
        }
        rows = con.execute(
            "SELECT turn, role, text, goals, item_ids, words FROM utterances WHERE dialogue_id = "
            "? ORDER BY turn",
            [one.dialogue_id],
        ).fetchall()
        for (turn, role, text, goals, item_ids, words), planned, (spoken_by, wanted) in zip(
            rows, one.template.turns, one.turns, strict=True
        ):
            for mark, title in titles.items():
                wanted = wanted.replace(mark, title)
            assert (role, text, tuple(goals), words) == (
                spoken_by,
                wanted,
                planned.goals,
                len(wanted.split()),
            )
            assert {item.item_id for item in one.items if item.slot in planned.introduces} <= set(
                item_ids
            )
            assert turn >= 1


def test_only_answered_transcripts_of_the_attempt_are_read(con: duckdb.DuckDBPyConnection) -> None:
    made.answer(
        con,
        [(SOME[0].dialogue_id, SOME[0].grounded()), (SOME[1].dialogue_id, "nothing")],
        "grounded",
    )
    made.answer(con, [(SOME[1].dialogue_id, SOME[1].grounded())], "grounded", attempt=2)
    con.execute(
        "UPDATE transcripts SET status = 'failed', text = NULL WHERE attempt = 1 AND "
        "dialogue_id = ?",
        [SOME[0].dialogue_id],
    )
    assert parse_transcripts(con, DOMAIN, 1) == DialogueCounts(1, 1, 1, 0)
    assert parse_transcripts(con, DOMAIN, 2).dialogues == 1
    assert con.execute(
        "SELECT dialogue_id, attempt FROM dialogues ORDER BY attempt"
    ).fetchall() == [
        (SOME[1].dialogue_id, 1),
        (SOME[1].dialogue_id, 2),
    ]


def test_parsing_again_replaces_the_rows(con: duckdb.DuckDBPyConnection) -> None:
    made.answer(con, [(SOME[0].dialogue_id, SOME[0].grounded())], "grounded")
    first = (parse_transcripts(con, DOMAIN, 1), con.execute("FROM utterances").fetchall())
    assert (parse_transcripts(con, DOMAIN, 1), con.execute("FROM utterances").fetchall()) == first
    assert (parse_transcripts(con, DOMAIN), con.execute("FROM utterances").fetchall()) == first


@pytest.mark.parametrize("reason", ["length", "content_filter", "max_tokens"])
def test_an_answer_the_model_stopped_is_not_complete(
    con: duckdb.DuckDBPyConnection, reason: str
) -> None:
    made.answer(con, [(SOME[0].dialogue_id, SOME[0].grounded())], "grounded", finish_reason=reason)
    parse_transcripts(con, DOMAIN, 1)
    assert con.execute("SELECT complete, finish_reason FROM dialogues").fetchall() == [
        (False, reason)
    ]


def test_an_unknown_profiles_format_is_detected_or_given(
    con: duckdb.DuckDBPyConnection,
) -> None:
    made.answer(
        con,
        [(SOME[0].dialogue_id, SOME[0].grounded()), (SOME[1].dialogue_id, SOME[1].paper())],
        "mine",
    )
    assert parse_transcripts(con, DOMAIN, 1).unreadable == 0
    # What is plainly in the other format is read in that.
    assert parse_transcripts(con, DOMAIN, 1, {"mine": "paper"}).unreadable == 0


def test_more_than_a_chunk_keeps_its_order(
    con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    made.answer(con, [(one.dialogue_id, one.grounded()) for one in reversed(SOME)], "grounded")
    monkeypatch.setattr("tasks.dialogues.transcripts.CHUNK", 2)
    assert parse_transcripts(con, DOMAIN, 1).dialogues == 9
    assert con.execute("SELECT dialogue_id FROM dialogues").fetchall() == [
        (one.dialogue_id,) for one in SOME
    ]

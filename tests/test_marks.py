"""Marks are kept: during a build, after a rebuild, with other ids, with a torn or changed log."""

from __future__ import annotations

import csv
import io
import json
import threading
from dataclasses import asdict, fields
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from typer.testing import CliRunner

from flows.cli import app
from flows.options import BuildOptions
from tasks.briefs import id_since_earlier
from tasks.errors import UserError
from tasks.marks import (
    LONGEST_COMMENT,
    Mark,
    append_mark,
    load_marks,
    log_path,
    marks_by_dialogue,
    marks_csv,
    marks_of,
    new_mark,
    read_log,
    read_marks,
    speech_hash,
)
from tasks.settings import Home
from tasks.warehouse import domain_lock, open_warehouse, read_warehouse
from tests.support.plain_build import plain_build
from tests.support.served import demo_like

ID = "00000000000000aa"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    demo_like(tmp_path, "shop", title="Shop")
    return Home(data=tmp_path)


def made(**changes: str) -> Mark:
    chosen = {"mark": "good", "comment": "", "who": "Ann", **changes}
    return new_mark(chosen.pop("dialogue_id", ID), 1, chosen.pop("text_hash", "h"), **chosen)


def exported(home: Home) -> list[dict[str, object]]:
    done = CliRunner().invoke(app, ["--data", str(home.data), "marks", "shop", "--json"])
    assert done.exit_code == 0, done.exception
    return list(json.loads(done.stdout))


def test_a_mark_made_while_a_build_holds_the_warehouse_is_kept_and_loaded_later(home: Home) -> None:
    mark = made(comment="too long, \u202e <b>")
    with domain_lock(home, "shop"), open_warehouse(home.warehouse("shop")) as con:
        append_mark(home, "shop", mark)
        assert con.execute("SELECT count(*) FROM marks").fetchall() == [(0,)]
        assert [row["mark_id"] for row in exported(home)] == [mark.mark_id]
    assert [row["mark_id"] for row in exported(home)] == [mark.mark_id]
    with read_warehouse(home.warehouse("shop")) as con:
        assert read_marks(con, read_log(home, "shop")) == [mark]
        assert con.execute("SELECT comment, who FROM marks").fetchall() == [(mark.comment, "Ann")]


def test_marks_outlive_the_warehouse_and_the_log(home: Home) -> None:
    first, second = made(), made(mark="bad", who="Bob")
    append_mark(home, "shop", first)
    with open_warehouse(home.warehouse("shop")) as con:
        assert load_marks(con, read_log(home, "shop")) == 1
        assert load_marks(con, read_log(home, "shop")) == 0
    append_mark(home, "shop", second)
    assert [row["who"] for row in exported(home)] == ["Ann", "Bob"]
    log_path(home, "shop").rename(home.data / "aside")
    assert [row["who"] for row in exported(home)] == ["Ann", "Bob"]  # the warehouse has them
    (home.data / "aside").rename(log_path(home, "shop"))
    home.warehouse("shop").unlink()
    assert [row["who"] for row in exported(home)] == ["Ann", "Bob"]  # the log has them


def test_a_rebuild_keeps_marks_and_knows_the_words_they_are_of(home: Home) -> None:
    few = BuildOptions(max_dialogues=6)
    plain_build(home, "shop", few, run_id="one")
    with read_warehouse(home.warehouse("shop")) as con:
        (chosen,) = con.execute("SELECT dialogue_id FROM briefs WHERE brief_order = 0").fetchall()[
            0
        ]
        said = con.execute(
            "SELECT role, text FROM utterances WHERE dialogue_id = ? AND attempt = 1 ORDER BY turn",
            [chosen],
        ).fetchall()
    append_mark(home, "shop", made(dialogue_id=chosen, text_hash=speech_hash(said)))
    append_mark(
        home, "shop", made(dialogue_id="ffffffffffffffff", text_hash=speech_hash(said), who="Bob")
    )
    append_mark(home, "shop", made(dialogue_id=chosen, text_hash="0" * 16, who="Cid"))
    assert len(exported(home)) == 3
    plain_build(home, "shop", few, run_id="two")
    with read_warehouse(home.warehouse("shop")) as con:
        kept = read_marks(con, read_log(home, "shop"))
        assert con.execute("SELECT count(*) FROM marks").fetchall() == [(3,)]
    found = marks_of(kept, "shop", chosen, {1: speech_hash(said)})
    assert [(row["who"], row["same_text"]) for row in found] == [
        ("Ann", True),
        ("Bob", True),
        ("Cid", False),
    ]


def test_a_mark_under_an_earlier_id_is_found_under_todays() -> None:
    today = id_since_earlier("shop", ID)
    assert [row["who"] for row in marks_of([made()], "shop", today, {})] == ["Ann"]
    assert marks_by_dialogue([made()], "shop")[today] == {"good"}


def test_of_what_one_person_said_the_last_counts() -> None:
    marks = [
        made(),
        made(mark="bad"),
        made(mark="unsure", who="Bob"),
        made(mark="", comment="a word", who="Cid"),
    ]
    assert marks_by_dialogue(marks, "shop")[ID] == {"bad", "unsure"}


def test_a_torn_line_costs_itself_alone(home: Home) -> None:
    append_mark(home, "shop", made())
    with log_path(home, "shop").open("ab") as log:
        log.write(b'{"mark_id": "cut o')  # a process died here
    append_mark(home, "shop", made(who="Bob"))
    changed = json.loads(log_path(home, "shop").read_text().splitlines()[0]) | {
        "comment": "never said"
    }
    with log_path(home, "shop").open("ab") as log:
        log.write(json.dumps(changed).encode() + b"\n[]\n\xff\n")
    read = read_log(home, "shop")
    assert [mark.who for mark in read.marks] == ["Ann", "Bob"] and read.unreadable == 4
    told = CliRunner().invoke(app, ["--data", str(home.data), "marks", "shop"])
    assert "4 lines of shop's marks hold no mark" in told.stderr


def test_many_writers_at_once_lose_nothing(home: Home) -> None:
    threads = [
        threading.Thread(
            target=lambda name: append_mark(home, "shop", made(who=name)), args=(f"P{n}",)
        )
        for n in range(30)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    read = read_log(home, "shop")
    assert len(read.marks) == 30 and read.unreadable == 0


@given(st.lists(st.tuples(st.text(max_size=40), st.text(max_size=40)), max_size=6))
@example([("0\r0", "")])
def test_any_text_comes_back_as_it_was_kept(
    tmp_path_factory: pytest.TempPathFactory, said: list[tuple[str, str]]
) -> None:
    home = Home(data=tmp_path_factory.mktemp("marks"))
    marks = [made(comment=comment, who=who) for comment, who in said]
    for mark in marks:
        append_mark(home, "shop", mark)
    assert {mark.mark_id: mark for mark in read_log(home, "shop").marks} == {
        mark.mark_id: mark for mark in marks
    }
    header, *rows = csv.reader(io.StringIO(marks_csv(marks), newline=""))
    assert header == [field.name for field in fields(Mark)]
    assert len(rows) == len(marks)
    for mark, row in zip(marks, rows, strict=True):
        wanted = [str(value) for value in asdict(mark).values()]
        assert [cell.removeprefix("'") for cell in row] == [
            value.removeprefix("'") for value in wanted
        ]
        assert not any(cell.startswith(("=", "+", "-", "@")) for cell in row)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"mark": "great"}, "is no mark"),
        ({"mark": "", "comment": "  "}, "nothing to keep"),
        ({"comment": "x" * (LONGEST_COMMENT + 1)}, "4,000 characters"),
        ({"who": "x" * 101}, "a name 100"),
    ],
)
def test_what_is_no_mark_is_refused(changes: dict[str, str], words: str) -> None:
    with pytest.raises(UserError, match=words):
        made(**changes)


def test_a_log_that_cannot_be_written_is_said(home: Home) -> None:
    (home.data / "marks").write_text("a file")
    with pytest.raises(UserError, match="the mark was not kept"):
        append_mark(home, "shop", made())

"""A dialogue is found by its id, by DOMAIN/ID and by the id an earlier version gave it; answers paid for under those ids are used."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from flows.cli import app
from flows.options import BuildOptions
from tasks.briefs import id_since_earlier
from tasks.dialogue_store import find_dialogue
from tasks.errors import UserError
from tasks.fingerprint import content_id
from tasks.llm import adopt_earlier_answers
from tasks.settings import Home
from tasks.warehouse import open_warehouse, read_warehouse
from tests.support.plain_build import plain_briefs, plain_dialogues
from tests.support.report_warehouse import fill
from tests.support.served import demo_like

FEW = BuildOptions(max_dialogues=12)


def ids_of(home: Home, name: str) -> list[str]:
    with read_warehouse(home.warehouse(name)) as con:
        return [
            row[0]
            for row in con.execute("SELECT dialogue_id FROM briefs ORDER BY brief_order").fetchall()
        ]


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Two domains with the same dialogue ids, as earlier versions gave them to domains over one source."""
    home = Home(data=tmp_path_factory.mktemp("twins"))
    for name in ("one", "two"):
        demo_like(home.data, name, title=name)
        with open_warehouse(home.warehouse(name)) as con:
            fill(con, 20)
    return home


@pytest.mark.parametrize("command", ["show", "why", "lineage"])
def test_an_id_that_two_domains_have_is_refused_with_both_and_taken_with_its_domain(
    twins: Home, command: str
) -> None:
    whole = ids_of(twins, "one")[2]
    with pytest.raises(UserError) as refused:
        find_dialogue(twins, whole[:8])
    assert f"one/{whole}, two/{whole}" in str(refused.value) and "\n" not in str(refused.value)
    for arguments in ([f"two/{whole[:8]}"], [whole[:8], "--domain", "two"]):
        shown = CliRunner().invoke(app, ["--data", str(twins.data), command, *arguments, "--json"])
        assert shown.exit_code == 0, shown.exception
        assert (json.loads(shown.stdout)["domain"], json.loads(shown.stdout)["dialogue_id"]) == (
            "two",
            whole,
        )


@pytest.mark.parametrize(
    ("name", "domain", "words"),
    [
        ("one/", "", "is not a dialogue id"),
        ("/0000", "", "is not a dialogue id"),
        ("../one/0000", "", "is not a dialogue id"),
        ("one/0000", "two", "names the domain one, and --domain two"),
        ("0000", "../one", "is not a domain name"),
        (
            "0000000000000000",
            "one",
            "there is no dialogue 0000000000000000 in the warehouse of one",
        ),
        ("0000", "three", "run `redial build three` first"),
    ],
)
def test_a_name_that_cannot_be_one_is_said_in_a_line(
    twins: Home, name: str, domain: str, words: str
) -> None:
    with pytest.raises(UserError, match=words):
        find_dialogue(twins, name, domain)


def test_a_dialogue_is_found_beside_a_warehouse_that_cannot_be_read(tmp_path: Path) -> None:
    home = Home(data=tmp_path)
    with open_warehouse(home.warehouse("whole")) as con:
        fill(con, 4)
    home.warehouse("broken").write_bytes(b"no database")
    whole = ids_of(home, "whole")[0]
    assert find_dialogue(home, whole).domain == "whole"
    with pytest.raises(UserError, match="cannot be opened"):
        find_dialogue(home, "0000000000000000")


def test_domains_over_one_source_have_ids_of_their_own(tmp_path: Path) -> None:
    home = Home(data=tmp_path)
    for name in ("one", "two"):
        demo_like(tmp_path, name, title="Same")
        plain_briefs(home, name, FEW)
    one, two = ids_of(home, "one"), ids_of(home, "two")
    assert len(one) == len(two) == 12 and not {*one} & {*two}


def test_answers_paid_for_by_an_earlier_version_are_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A warehouse as the code before this change made it: the same briefs, under ids without their domain's name."""
    home = Home(data=tmp_path)
    demo_like(tmp_path, "shop", title="Shop")
    with monkeypatch.context() as earlier:
        earlier.setattr("tasks.briefs.writer.make_id", lambda domain, content: content_id(content))
        plain_dialogues(home, "shop", FEW, run_id="earlier")
    before = ids_of(home, "shop")
    plain_dialogues(home, "shop", FEW, run_id="today")
    after = ids_of(home, "shop")
    assert after == [id_since_earlier("shop", one) for one in before]
    with read_warehouse(home.warehouse("shop")) as con:
        asked = con.execute("SELECT DISTINCT run_id FROM responses").fetchall()
        strange = con.execute(
            "SELECT count(*) FROM responses ANTI JOIN briefs USING (dialogue_id)"
        ).fetchall()
    assert asked == [("earlier",)]  # nothing was asked again
    # A cluster's workers are given what is stored under their own dialogues.
    assert strange == [(0,)]
    assert find_dialogue(home, before[3]).dialogue_id == after[3]


def test_what_was_billed_for_nothing_stays_with_its_dialogue() -> None:
    con = duckdb.connect()
    fill(con, 6)
    today = id_since_earlier("made", "00000000000000aa")
    con.execute("UPDATE briefs SET dialogue_id = ? WHERE brief_order = 0", [today])
    con.execute(
        "INSERT INTO unusable_answers BY NAME SELECT 'k' AS request_key, unnest(['00000000000000aa', '00000000000000bb']) AS dialogue_id"
    )
    con.execute(
        "UPDATE responses SET dialogue_id = '00000000000000aa' WHERE request_key = (SELECT min(request_key) FROM responses)"
    )
    assert adopt_earlier_answers(con, "other") == 0
    assert adopt_earlier_answers(con, "made") == 2
    assert adopt_earlier_answers(con, "made") == 0
    kept = con.execute("SELECT dialogue_id FROM unusable_answers ORDER BY 1").fetchall()
    assert kept == sorted([(today,), ("00000000000000bb",)])

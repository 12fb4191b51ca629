"""Users who are erased: no byte below the data folder holds their id or their words, and they stay out."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import ahocorasick
import duckdb
import pyarrow.parquet as pq
import pytest

from flows.options import BuildOptions
from flows.server.fresh_database import SCHEMA
from tasks.derive import merge_releases
from tasks.erasure import erase as erasing
from tasks.erasure import erase_users
from tasks.errors import UserError
from tasks.exports import export_release, find_source
from tasks.llm.journal import to_line
from tasks.locks import exclusive_lock
from tasks.marks import append_mark, new_mark
from tasks.release import FoundRelease, check_release, latest_release, write_release
from tasks.settings import PROJECT, Home
from tasks.warehouse import open_warehouse, read_warehouse
from tests.support.command import run_redial
from tests.support.made_up_answers import made_up_entry
from tests.support.plain_build import REPAIRED, BuiltDemo, plain_briefs, plain_build
from tests.support.small_warehouse import small_warehouse

_RETOLD_MOST = """
WITH own AS (
    SELECT user_id, count(*) AS dialogues
    FROM briefs
    JOIN verdicts USING (dialogue_id)
    WHERE verdict = 'accepted'
    GROUP BY user_id
),
retold AS (
    SELECT r.user_id, count(DISTINCT dialogue_id) AS dialogues
    FROM brief_items
    JOIN reviews r ON r.review_id = other_review_id
    GROUP BY r.user_id
)
SELECT user_id FROM own JOIN retold USING (user_id) ORDER BY retold.dialogues DESC, user_id LIMIT 1
"""


@dataclass(frozen=True)
class Person:
    """A user of the demo: their id, each eight words in a row of theirs, their dialogues."""

    user_id: str
    phrases: frozenset[bytes]
    dialogues: frozenset[str]


@pytest.fixture
def home(repaired_demo: BuiltDemo, tmp_path: Path) -> Home:
    """A copy of the built demo with exports, a mark and a merged dataset."""
    data = shutil.copytree(repaired_demo.home.data, tmp_path / "data")
    home = Home.find(data)
    source = find_source(home, "demo")
    for name in ("parquet", "chat"):
        export_release(source, name, data / "exports" / source.file_name / name)
    con = small_warehouse()
    other = write_release(con, home, "small", run={"model": "offline/writer"}).path
    con.close()
    demo = FoundRelease(latest_release(home, "demo"), "demo", "demo")
    merge_releases(home, [demo, FoundRelease(other, "small", "small")], "both")
    return home


def the_person(home: Home) -> Person:
    with read_warehouse(home.warehouse("demo")) as con:
        ((user_id,),) = con.execute(_RETOLD_MOST).fetchall()
        texts = con.execute("SELECT text FROM raw_reviews WHERE user_id = ?", [user_id]).fetchall()
        others = con.execute("SELECT text FROM raw_reviews WHERE user_id <> ?", [user_id])
        theirs = "\n".join(text for (text,) in others.fetchall()).encode()
        dialogues = con.execute("SELECT dialogue_id FROM briefs WHERE user_id = ?", [user_id])
        own = frozenset(row[0] for row in dialogues.fetchall())
    phrases: set[bytes] = set()
    for (text,) in texts:
        words = text.split()
        phrases.update(
            " ".join(words[start : start + 8]).encode() for start in range(len(words) - 7)
        )
    # The demo's reviewers share some phrases, which are everybody's.
    return Person(user_id, frozenset(one for one in phrases if one not in theirs), own)


def places_with(home: Home, person: Person) -> set[str]:
    """Return the files that hold the id or eight words in a row, tables also as they are read."""
    wanted = ahocorasick.Automaton()
    for one in (person.user_id.encode(), *person.phrases):
        wanted.add_word(one.decode("latin-1"), True)
    wanted.make_automaton()
    return {
        path.relative_to(home.data).as_posix()
        for path in home.data.rglob("*")
        if path.is_file() and any(next(wanted.iter(text), None) for text in contents(path))
    }


def contents(path: Path) -> Iterator[str]:
    yield path.read_bytes().decode("latin-1")
    if path.suffix == ".parquet":
        rows = json.dumps(pq.read_table(path).to_pylist(), ensure_ascii=False)
        yield rows.encode().decode("latin-1")
    if path.suffix == ".duckdb":
        with duckdb.connect(str(path), read_only=True) as con:
            for (table,) in con.execute("SELECT table_name FROM duckdb_tables()").fetchall():
                rows = con.execute(f"SELECT t::VARCHAR FROM {table} t").fetchall()
                yield "\n".join(text for (text,) in rows).encode().decode("latin-1")
    if path.suffix == ".db":
        with closing(sqlite3.connect(path)) as con:
            for (table,) in con.execute("SELECT name FROM sqlite_master WHERE type = 'table'"):
                text = str(con.execute(f"SELECT * FROM {table}").fetchall())
                yield text.encode().decode("latin-1")


def run_history(home: Home, person: Person) -> Path:
    """Write the history of a Prefect server: rows that name the user or have their words, and one row that does not."""
    folder = home.data / "prefect" / "demo"
    folder.mkdir(parents=True)
    phrase = min(person.phrases).decode()
    rows = [
        ("flow_run", {"id": "r1", "parameters": json.dumps({"user": person.user_id})}),
        ("task_run", {"id": "t1", "flow_run_id": "r1"}),
        ("task_run_state", {"id": "s1", "task_run_id": "t1"}),
        ("flow_run", {"id": "r2", "name": "kept"}),
        ("flow_run_state", {"id": "s2", "flow_run_id": "r3", "message": f"lost {phrase}"}),
        ("flow_run", {"id": "r3"}),
        ("artifact", {"id": "a1", "data": json.dumps([{"text": f"says\n{phrase}"}])}),
        ("log", {"id": "l1", "message": f"{min(person.dialogues)} was rejected"}),
        ("events", {"id": "e1", "payload": json.dumps({"user": person.user_id})}),
    ]
    path = folder / "prefect.db"
    with closing(sqlite3.connect(path)) as con, con:
        con.executescript(SCHEMA.read_text("utf-8"))
        for table, given in rows:
            needed = con.execute(f"PRAGMA table_info({table})").fetchall()
            blank = {row[1]: "x" for row in needed if row[3] and row[4] is None}
            values = {**blank, **given}
            names, places = ", ".join(values), ", ".join("?" * len(values))
            con.execute(f"INSERT INTO {table} ({names}) VALUES ({places})", list(values.values()))
    (folder / "server.log").write_text(f"started\nparameters: {person.user_id}\n")
    (folder / "storage").mkdir()
    (folder / "storage" / "result").write_text(phrase)
    return path


def test_run_histories_and_copies_of_warehouses_are_cleaned(home: Home) -> None:
    person = the_person(home)
    path = run_history(home, person)
    backup = home.warehouse("demo").with_name("demo.duckdb.layout-0")
    shutil.copy(home.warehouse("demo"), backup)
    with exclusive_lock(path.with_name("lock")):
        refused = run_redial(home.data, "erase", "demo", person.user_id, "--yes")
    assert refused.returncode == 2 and "a Prefect server uses" in refused.stderr
    done = erase_users(home, "demo", [person.user_id], others="drop", confirm=lambda _: True)
    assert done is not None and done.left == [] and places_with(home, person) == set()
    assert done.removed["rows of run histories"] == 7
    assert done.removed["copies of earlier warehouses"] == 1 and not backup.exists()
    assert path.with_name("server.log").read_text() == "started\n"
    with closing(sqlite3.connect(path)) as con:
        assert con.execute("SELECT id, name FROM flow_run").fetchall() == [("r2", "kept")]
        assert con.execute("SELECT count(*) FROM task_run").fetchall() == [(0,)]


def test_answers_about_the_users_dialogues_go_from_journals_and_stores_of_evaluations(
    home: Home,
) -> None:
    person = the_person(home)
    store = home.warehouse("_evaluation")
    with open_warehouse(store) as con:
        for number, asked in enumerate(("garbled", "q2")):
            named = f"{asked} {min(person.dialogues)}" if number == 0 else asked
            con.execute(
                "INSERT INTO responses (request_key, dialogue_id, text) VALUES (?, ?, '{}')",
                [str(number), named],
            )
    entry = made_up_entry(text=f"They say {min(person.phrases).decode()}.")
    folder = home.journals("_evaluation")
    folder.mkdir(parents=True)
    (folder / "1.jsonl").write_bytes(to_line(entry))
    done = erase_users(home, "demo", [person.user_id], others="drop", confirm=lambda _: True)
    assert done is not None and done.removed["answers of evaluations"] == 2
    assert places_with(home, person) == set()
    with read_warehouse(store) as con:
        assert con.execute("SELECT dialogue_id FROM responses").fetchall() == [("q2",)]


def test_what_another_domain_has_of_the_user_is_said(home: Home) -> None:
    person = the_person(home)
    with open_warehouse(home.warehouse("small")) as con:
        con.execute("INSERT INTO raw_reviews (user_id) VALUES (?)", [person.user_id])
    (home.data / "domains").mkdir()
    shutil.copy(PROJECT / "data/domains/books.yaml", home.data / "domains" / "small.yaml")
    done = run_redial(home.data, "erase", "demo", person.user_id, "--yes")
    assert "`redial erase small USER` erases them there too" in done.stdout, done.stderr


def test_no_byte_of_an_erased_user_is_left_and_the_next_build_leaves_them_out(home: Home) -> None:
    person = the_person(home)
    (own,) = {latest_release(home, "demo")}
    before = said(own)
    append_mark(
        home,
        "demo",
        new_mark(min(person.dialogues), 1, "0", mark="good", comment="theirs", who=""),
    )
    judged = f"It says: {min(person.phrases).decode()}, which is true."
    with open_warehouse(home.data / "warehouse" / "_evaluation.duckdb") as con:
        con.execute(
            "INSERT INTO responses (request_key, dialogue_id, text) VALUES ('k', 'q1', ?)", [judged]
        )
    held = places_with(home, person)
    assert {path.split("/")[0] for path in held} >= {"warehouse", "releases", "exports"}
    refused = run_redial(home.data, "erase", "demo", person.user_id)
    assert refused.returncode == 2 and "add --yes" in refused.stderr
    done = run_redial(
        home.data, "erase", "demo", person.user_id, "--others", "drop", "--yes", "--json"
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["left"] == [] and places_with(home, person) == set()
    assert told["removed"]["raw_reviews"] > 0 and told["removed"]["exports"] == 2
    assert told["removed"]["answers of evaluations"] == 1
    assert set(told["versions"]) == {f"demo/{own.name}", *merged_versions(told)}
    assert not own.exists()
    new = latest_release(home, "demo")
    assert check_release(new) == []
    after = said(new)
    assert after == {name: before[name] for name in after}
    assert person.dialogues & before.keys() and not person.dialogues & after.keys()
    retold = before.keys() - after.keys() - person.dialogues
    assert retold
    with read_warehouse(home.warehouse("demo")) as con:
        noted = con.execute("SELECT version, dialogues FROM releases").fetchall()
    assert noted == [(new.name, len(after))]
    log = home.data / "marks" / "demo.jsonl"
    assert min(person.dialogues) not in log.read_text()
    plain_briefs(home, "demo", REPAIRED)
    assert places_with(home, person) == set()
    with read_warehouse(home.warehouse("demo")) as con:
        kinds = con.execute("SELECT count(*) FROM rejected_rows WHERE kind = 'erased'").fetchall()
        reasons = con.execute("SELECT DISTINCT reason FROM unplanned").fetchall()
    assert kinds[0][0] == told["removed"]["raw_reviews"]
    assert ("erased",) in reasons


def said(release: Path) -> dict[str, list[object]]:
    texts: dict[str, list[object]] = {}
    for row in pq.read_table(release / "parquet/utterances.parquet").to_pylist():
        texts.setdefault(row["dialogue_id"], []).append((row["turn"], row["text"]))
    return texts


def merged_versions(told: dict[str, dict[str, str]]) -> set[str]:
    return {name for name in told["versions"] if re.fullmatch(r"both/[0-9a-f]{12}", name)}


HEAVY = [pytest.param(step, marks=pytest.mark.heavy) for step in ("remove_pages", "clean_logs")]


@pytest.mark.parametrize("step", ["remove_release", "rewrite_file", *HEAVY])
def test_an_erasure_that_was_killed_is_finished_by_the_same_command(
    home: Home, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = the_person(home)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(erasing, step, killed)
        with pytest.raises(KeyboardInterrupt):
            erase_users(home, "demo", [person.user_id], others="drop", confirm=lambda _: True)
    erase_users(home, "demo", [person.user_id], others="drop", confirm=lambda _: True)
    assert places_with(home, person) == set()
    assert check_release(latest_release(home, "demo")) == []
    with open_warehouse(home.warehouse("demo")) as con:
        versions = con.execute("SELECT DISTINCT version FROM released_dialogues").fetchall()
    assert versions == [(latest_release(home, "demo").name,)]


@pytest.mark.heavy
def test_pseudonymised_releases_are_found_by_the_key(home: Home) -> None:
    person = the_person(home)
    hidden = plain_build(home, "demo", REPAIRED.model_copy(update={"pseudonymise": True}), "hidden")
    users = pq.read_table(hidden.path / "parquet/users.parquet").num_rows
    done = erase_users(home, "demo", [person.user_id], others="rewrite", confirm=lambda _: True)
    assert done is not None and f"demo/{hidden.version}" in done.versions
    version = done.versions[f"demo/{hidden.version}"]
    left = pq.read_table(home.releases("demo") / version / "parquet/users.parquet").num_rows
    assert left < users


@pytest.mark.heavy
def test_rewrite_plans_the_same_target_with_another_review(home: Home) -> None:
    person = the_person(home)
    growing = REPAIRED.model_copy(update={"settings": {"briefs": {"grow": True}}})
    with read_warehouse(home.warehouse("demo")) as con:
        targets = con.execute(
            "SELECT b.user_id, target_item_id FROM briefs b JOIN brief_items USING (dialogue_id) "
            "JOIN reviews r ON r.review_id = other_review_id WHERE r.user_id = ?",
            [person.user_id],
        ).fetchall()
    erase_users(home, "demo", [person.user_id], others="rewrite", confirm=lambda _: True)
    plain_build(home, "demo", growing, run_id="after")
    with read_warehouse(home.warehouse("demo")) as con:
        planned = con.execute("SELECT user_id, target_item_id FROM briefs").fetchall()
    assert targets and set(targets) & set(planned)
    assert places_with(home, person) == set()


def test_mistakes_are_one_line(home: Home, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nothing of 'nobody'"):
        erase_users(home, "demo", ["nobody"], others="drop", confirm=lambda _: True)
    with pytest.raises(UserError, match="at least one user"):
        erase_users(home, "demo", [], others="drop", confirm=lambda _: True)
    person = the_person(home)
    declined = erase_users(home, "demo", [person.user_id], others="drop", confirm=lambda _: False)
    assert declined is None and places_with(home, person)
    bad = run_redial(home.data, "erase", "demo", "x", "--yes", "--others", "burn")
    assert bad.returncode == 2 and "--others takes rewrite or drop" in bad.stderr
    missing = run_redial(home.data, "erase", "demo", "--file", str(tmp_path / "no"), "--yes")
    assert missing.returncode == 2 and "cannot be read as a file of ids" in missing.stderr


def test_tombstones_of_another_key_stop_a_build(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = the_person(home)
    erase_users(home, "demo", [person.user_id], others="drop", confirm=lambda _: True)
    monkeypatch.setenv("REDIAL_PSEUDONYM_KEY", "another key of sixteen bytes")
    with pytest.raises(UserError, match="written with another key"):
        plain_build(home, "demo", BuildOptions(max_dialogues=2), run_id="other")

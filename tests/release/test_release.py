from __future__ import annotations

import re
import shutil
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from tasks.errors import UserError
from tasks.release import PseudonymKey, Release, check_release, latest_release, write_release
from tasks.settings import Home
from tests.support.release_reader import read_release, sums_hold
from tests.support.small_warehouse import small_warehouse

KEY = PseudonymKey(b"a secret of sixteen bytes and more", None)
RUN = {
    "model": "offline/writer",
    "profile": "grounded",
    "seed": 7,
    "suites": ["paper"],
    "config_hash": "abc",
    "run_id": "never told",
}


@pytest.fixture
def con() -> duckdb.DuckDBPyConnection:
    return small_warehouse()


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_four_files_say_what_was_accepted(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    info = write_release(con, Home(data=tmp_path), "demo", run=RUN)
    release = read_release(info.path)
    assert list(release["users"]) == ["ann", "bob", "cat"]
    assert release["users"]["ann"] == {
        # Likes in time order, then dislikes; the rejected dialogue's B4 is nowhere.
        "history_interaction": [
            "B1",
            "B2",
            "B3",
        ],
        "user_might_like": ["B5"],
        "Conversation": [
            {
                "conversation_id": 0,
                "user_likes": ["B2"],
                "user_dislikes": ["B3"],
                "rec_item": ["B5"],
            }
        ],
    }
    assert release["texts"][0][0] == ("User", "I did not like The Mummy. Not at all.")
    assert release["texts"][0][4] == ("User", "1917")
    assert release["texts"][1] == [("User", "Hello there, what is good?"), ("Agent", "Solaris is.")]
    assert "B4" not in release["titles"]
    assert sums_hold(info.path)
    assert info.counts["dialogues"] == 3
    assert info.counts["utterances"] == 10
    assert info.counts["users"] == 3


def test_a_shared_title_stands_in_the_map_as_utterances_say_it(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = write_release(con, Home(data=tmp_path), "demo", run=RUN).path
    release = read_release(path)
    assert release["titles"]["B1"] == release["titles"]["B6"] == "Solaris"
    assert release["titles"]["B5"] == "Amélie & Co"
    assert release["users"]["bob"]["user_might_like"] == ["B6"]
    assert release["texts"][1][1] == (
        "Agent",
        "Solaris is.",
    )
    for conversation in Release.load(
        path
    ).conversations:  # what those do who look titles of the map up in the text
        said = " ".join(turn.text for turn in conversation.turns)
        assert all(release["titles"][item] in said for item in conversation.rec_items)


def test_same_input_gives_the_same_bytes_wherever(tmp_path: Path) -> None:
    first = write_release(
        small_warehouse(), Home(data=tmp_path / "a"), "demo", run={**RUN, "run_id": "1"}
    )
    second = write_release(
        small_warehouse(),
        Home(data=tmp_path / "b"),
        "demo",
        run={**RUN, "run_id": "2", "path": str(tmp_path)},
    )
    assert first.version == second.version
    assert len(first.version) == 12
    assert files(first.path) == files(second.path)
    assert (
        write_release(
            small_warehouse(), Home(data=tmp_path / "c"), "demo", run={**RUN, "seed": 8}
        ).version
        != first.version
    )


def test_a_standing_release_is_reused_and_a_damaged_one_put_right(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    home = Home(data=tmp_path)
    first = write_release(con, home, "demo", run=RUN)
    again = write_release(con, home, "demo", run=RUN)
    assert (first.reused, again.reused) == (False, True)
    assert latest_release(home, "demo") == first.path
    (first.path / "Conversation.txt").write_text("spoilt")
    assert check_release(first.path)
    assert not write_release(con, home, "demo", run=RUN).reused
    assert check_release(first.path) == []
    assert sorted(path.name for path in first.path.parent.iterdir()) == sorted(
        [first.version, "latest"]
    )


def test_a_named_version_is_never_overwritten_by_another_content(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    home = Home(data=tmp_path)
    info = write_release(con, home, "demo", version="1.0", run=RUN)
    before = files(info.path)
    con.execute("UPDATE verdicts SET verdict = 'rejected' WHERE dialogue_id = 'd4'")
    with pytest.raises(UserError, match="different content"):
        write_release(con, home, "demo", version="1.0", run=RUN)
    assert files(info.path) == before


@pytest.mark.parametrize("version", ["../up", "", "latest", ".hidden", "a/b", "x" * 65])
def test_bad_version_names(con: duckdb.DuckDBPyConnection, tmp_path: Path, version: str) -> None:
    with pytest.raises(UserError, match="no version name"):
        write_release(con, Home(data=tmp_path), "demo", version=version, run=RUN)
    assert not list(tmp_path.iterdir())


def test_nothing_accepted_leaves_nothing_behind(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    con.execute("UPDATE verdicts SET verdict = 'rejected'")
    with pytest.raises(UserError, match="no dialogue"):
        write_release(con, Home(data=tmp_path), "demo", run=RUN)
    assert not list((tmp_path / "releases" / "demo").iterdir())
    with pytest.raises(UserError, match="no release"):
        latest_release(Home(data=tmp_path), "demo")


def test_a_folder_that_cannot_be_written(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    (tmp_path / "releases").write_text("a file where a folder should be")
    with pytest.raises(UserError, match="cannot be written"):
        write_release(con, Home(data=tmp_path), "demo", run=RUN)


def test_pseudonyms_hide_ids_and_keep_everything_else(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    home = Home(data=tmp_path)
    plain = Release.load(write_release(con, home, "demo", run=RUN).path)
    hidden_info = write_release(con, home, "demo", run=RUN, pseudonymise_key=KEY)
    hidden = Release.load(hidden_info.path)
    assert check_release(hidden_info.path) == []
    everything = b"".join(
        content for name, content in files(hidden_info.path).items() if name != "README.md"
    )
    assert not any(name in everything for name in (b"ann", b"bob", KEY.secret))
    assert KEY.secret not in (hidden_info.path / "README.md").read_bytes()
    assert set(
        pq.read_table(hidden_info.path / "parquet" / "preferences.parquet")["timestamp"].to_pylist()
    ) == {None}
    assert "times of ratings are left out" in (hidden_info.path / "README.md").read_text()
    assert not {"d2", "d3", "d4"} & set(
        pq.read_table(hidden_info.path / "parquet" / "dialogues.parquet")["dialogue_id"].to_pylist()
    )
    assert {user.history for user in hidden.users} == {user.history for user in plain.users}
    assert all(len(user.user_id) == 20 for user in hidden.users)
    other = Release.load(
        write_release(
            con,
            home,
            "demo",
            run=RUN,
            pseudonymise_key=PseudonymKey(b"another key of sixteen bytes", None),
        ).path
    )
    assert not {user.user_id for user in hidden.users} & {user.user_id for user in other.users}


def test_parquet_agrees_with_the_four_files(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    info = write_release(con, Home(data=tmp_path), "demo", run=RUN)
    tables = {
        path.stem: pq.read_table(path).to_pylist() for path in (info.path / "parquet").iterdir()
    }
    assert {name: len(rows) for name, rows in tables.items()} == dict(info.counts)
    release = Release.load(info.path)
    said = [
        (c.conversation_id, turn.role, turn.text) for c in release.conversations for turn in c.turns
    ]
    assert said == [
        (row["conversation_id"], row["role"], row["text"]) for row in tables["utterances"]
    ]
    assert {row["item_id"]: row["title"] for row in tables["items"]} == release.titles
    assert [row["target_item_id"] for row in tables["dialogues"]] == [
        c.rec_items[0] for c in release.conversations
    ]


def test_the_card_tells_facts_and_no_run(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    card = (
        write_release(con, Home(data=tmp_path), "demo", run={**RUN, "title": "A | B\n# <x>"}).path
        / "README.md"
    ).read_text()
    assert "the mock model `offline/writer`. It is no language model" in card
    assert "| rows of dialogues | 3 |" in card
    assert "| seed | 7 |" in card
    assert "never told" not in card
    assert str(tmp_path) not in card
    assert "\n# <x>" not in card
    other = (
        write_release(con, Home(data=tmp_path), "demo", run={**RUN, "model": "openai/gpt-4o"}).path
        / "README.md"
    )
    assert "written by `openai/gpt-4o`" in other.read_text()


@pytest.mark.parametrize(
    ("name", "old", "new", "finding"),
    [
        ("item_map.json", '"Elysium"', '"Elys&amp;um"', "HTML entity"),
        ("item_map.json", '"Elysium"', '"The Mummy"', "two items of one title"),
        ("final_data.jsonl", '["B1", "B2", "B3"]', '["B1", "B2", "B3", "B5"]', "is in the history"),
        ("final_data.jsonl", '["B1", "B2", "B3"]', '["B1", "B2", "B2", "B3"]', "repeats an item"),
        ("final_data.jsonl", '"rec_item": ["B5"]', '"rec_item": ["B2"]', "does not recommend"),
        ("final_data.jsonl", '"conversation_id": 1', '"conversation_id": 5', "was due"),
        ("user_ids.json", '"bob": 1', '"bob": 2', "order of appearance"),
        ("Conversation.txt", "1\n\nUser: Hello", "User: Hello", "has no text"),
    ],
)
def test_checks_find_what_is_wrong(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, name: str, old: str, new: str, finding: str
) -> None:
    path = write_release(con, Home(data=tmp_path), "demo", run=RUN).path
    text = (path / name).read_text()
    assert old in text
    (path / name).write_text(text.replace(old, new, 1))
    findings = check_release(path)
    assert f"{name} is not what SHA256SUMS says" in findings
    assert any(re.search(finding, line) for line in findings), findings


def test_missing_and_added_files_are_found(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    path = write_release(con, Home(data=tmp_path), "demo", run=RUN).path
    (path / "extra.txt").write_text("x")
    (path / "parquet" / "users.parquet").unlink()
    assert check_release(path) == [
        "parquet/users.parquet is listed in SHA256SUMS and not there",
        "extra.txt is not listed in SHA256SUMS",
    ]
    shutil.rmtree(path)
    assert check_release(path)

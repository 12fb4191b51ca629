from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.errors import UserError
from tasks.release import Release, check_release, read_turns, write_release
from tasks.settings import Home
from tests.support.examples import examples
from tests.support.release_reader import read_release
from tests.support.small_warehouse import small_warehouse

spoken = st.text(min_size=1, max_size=60).filter(lambda text: text.split())
awkward = st.sampled_from(
    [
        "17",
        "User: no",
        "Agent:",
        "0\n\nUser: hi",
        "a\u2028b",
        "\x85x\x1c",
        "{}",
        '"',
        "\x00.",
        "<b>&amp;</b>",
        "\U0001f600",
    ]
)


@settings(max_examples=examples(25), deadline=None)
@given(st.lists(spoken | awkward, min_size=1, max_size=6))
def test_whatever_is_said_comes_back_on_one_line(texts: list[str]) -> None:
    con = small_warehouse()
    con.execute("DELETE FROM utterances WHERE dialogue_id = 'd3'")
    for turn, text in enumerate(texts):
        con.execute(
            "INSERT INTO utterances VALUES ('d3', 1, ?, ?, ?, [], [], 1)",
            [turn, ("user", "agent")[turn % 2], text],
        )
    with tempfile.TemporaryDirectory() as folder:
        path = write_release(con, Home(data=Path(folder)), "demo", run={}).path
        wanted = [
            (("User", "Agent")[turn % 2], " ".join(text.split())) for turn, text in enumerate(texts)
        ]
        assert read_release(path)["texts"][1] == wanted
        assert [(turn.role.capitalize(), turn.text) for turn in dict(read_turns(path))[1]] == wanted
        assert check_release(path) == []


def published(folder: Path, conversation: str, users: list[dict[str, object]]) -> Path:
    """Write a folder as the authors publish it, which is looser than ours."""
    (folder / "item_map.json").write_text('{"1": "A", "2": "B [VHS]"}')
    (folder / "user_ids.json").write_text('{"u": 0}')
    (folder / "final_data.jsonl").write_text("\n".join(map(json.dumps, users)))
    (folder / "Conversation.txt").write_text(conversation)
    return folder


def user(**over: object) -> dict[str, object]:
    entry = {
        "conversation_id": 0,
        "user_likes": ["1"],
        "user_dislikes": [],
        "rec_item": ["2"],
    } | over
    return {
        "u": {
            "history_interaction": ["1"],
            "user_might_like": ["2"],
            "Conversation": [{"conversation_1": entry}],
        }
    }


def test_a_published_folder_is_read_leniently(tmp_path: Path) -> None:
    folder = published(tmp_path, "0\n\nUser: I saw\n\n1917\n\nAgent:Good.\n\n", [user()])
    release = Release.load(folder)
    assert [(turn.role, turn.text) for turn in release.conversations[0].turns] == [
        ("user", "I saw 1917"),
        ("agent", "Good."),
    ]
    assert release.users[0].history == ("1",)
    assert release.titles["2"] == "B [VHS]"


def test_a_folder_saved_by_an_editor_on_windows_is_read(tmp_path: Path) -> None:
    folder = published(tmp_path, "0\n\nUser: a\n\nAgent: b\n", [user()])
    plain = Release.load(folder)
    for path in folder.iterdir():
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert Release.load(folder) == plain
    assert len(plain.conversations[0].turns) == 2


def test_missing_conversations_do_not_shift_the_others(tmp_path: Path) -> None:
    folder = published(tmp_path, "0\n\nUser: a\n\n3\n\nUser: d\n\n5\n\nUser: f\n", [user()])
    assert {number: turns[0].text for number, turns in read_turns(folder)} == {
        0: "a",
        3: "d",
        5: "f",
    }


@pytest.mark.parametrize(
    "line",
    [
        '{"u": 1}',
        '{"u": {}}',
        "[]",
        "{broken",
        '{"u": {"history_interaction": [], "user_might_like": []}}',
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, line: str) -> None:
    folder = published(tmp_path, "0\n\nUser: a\n", [user()])
    (folder / "final_data.jsonl").write_text(json.dumps(user()) + "\n" + line)
    with pytest.raises(UserError, match="final_data.jsonl, line 2"):
        Release.load(folder)


@pytest.mark.parametrize(
    "name", ["item_map.json", "user_ids.json", "final_data.jsonl", "Conversation.txt"]
)
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    folder = published(tmp_path, "0\n\nUser: a\n", [user()])
    (folder / name).unlink()
    with pytest.raises(UserError, match=name):
        Release.load(folder)
    assert any(name in finding for finding in check_release(folder))


@pytest.mark.parametrize("name", ["item_map.json", "user_ids.json"])
@pytest.mark.parametrize("content", ["[]", '{"a": [1]}', "{", ""])
def test_a_map_that_is_none(tmp_path: Path, name: str, content: str) -> None:
    folder = published(tmp_path, "0\n\nUser: a\n", [user()])
    (folder / name).write_text(content)
    with pytest.raises(UserError, match=name):
        Release.load(folder)

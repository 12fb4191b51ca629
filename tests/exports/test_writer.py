"""Exports are whole, equal for equal releases, and never take the place of what is not theirs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tasks.errors import UserError
from tasks.evaluation.corpora import Corpus, Dialogue, Interaction
from tasks.exports import FORMATS, Source, export_release, find_source, split_users
from tasks.release import write_release
from tasks.settings import Home
from tests.support.hostile_release import our_release, published_folder
from tests.support.small_warehouse import small_warehouse


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("name", FORMATS)
def test_equal_releases_give_equal_bytes(name: str, tmp_path: Path) -> None:
    first = export_release(Source("demo", our_release(tmp_path / "a")), name, tmp_path / "one")
    second = export_release(
        Source("demo", our_release(tmp_path / "b")), name, tmp_path / "deep" / "two"
    )
    assert files(first.path) == files(second.path)
    assert str(tmp_path).encode() not in b"".join(files(first.path).values())
    assert not list(tmp_path.glob(".aside-*"))


def test_a_domain_gives_its_latest_release(tmp_path: Path) -> None:
    home = Home(data=tmp_path)
    with pytest.raises(UserError, match="redial build demo"):
        find_source(home, "demo")
    con = small_warehouse()
    write_release(con, home, "demo", run={})
    con.execute("UPDATE verdicts SET verdict = 'rejected' WHERE dialogue_id = 'd4'")
    second = write_release(con, home, "demo", run={}).path
    found = find_source(home, "demo")
    assert found == Source("demo", second)
    assert found.language == "en"
    card = export_release(found, "huggingface", tmp_path / "hub").path / "README.md"
    assert yaml.safe_load(card.read_text("utf-8").split("---\n")[1])["language"] == ["en"]
    assert find_source(home, str(second)) == Source(second.name, second)


def test_an_earlier_export_is_replaced_and_anything_else_kept(tmp_path: Path) -> None:
    source, out = Source("demo", our_release(tmp_path / "data")), tmp_path / "out"
    export_release(source, "chat", out)
    export_release(source, "recbole", out)
    assert json.loads((out / "export.json").read_text())["format"] == "recbole"
    assert not (out / "train.jsonl").exists()
    (out / "demo" / "demo.user").write_text("my own notes")
    for place in (out, tmp_path / "file"):
        (tmp_path / "file").write_text("mine")
        with pytest.raises(UserError, match="no untouched export"):
            export_release(source, "chat", place)
    assert (out / "demo" / "demo.user").read_text() == "my own notes"
    assert (tmp_path / "file").read_text() == "mine"
    (tmp_path / "empty").mkdir()
    assert export_release(source, "chat", tmp_path / "empty").counts["dialogues"] == 3


def test_a_release_is_never_written_over(tmp_path: Path) -> None:
    folder = our_release(tmp_path / "data")
    before = files(folder)
    for place in (folder, folder / "sub", folder.parent):
        with pytest.raises(UserError, match="the release itself"):
            export_release(Source("demo", folder), "llm-redial", place)
    other = our_release(tmp_path / "other")
    with pytest.raises(UserError, match="no untouched export"):
        export_release(Source("demo", other), "llm-redial", folder)
    assert files(folder) == before


def test_mistakes_leave_nothing(tmp_path: Path) -> None:
    home, folder = Home(data=tmp_path), published_folder(tmp_path / "Movie")
    with pytest.raises(UserError, match="unknown export 'xml': known are llm-redial"):
        export_release(Source("Movie", folder), "xml", tmp_path / "out")
    with pytest.raises(UserError, match="neither a domain"):
        find_source(home, "../nowhere")
    (folder / "Conversation.txt").unlink()
    with pytest.raises(UserError, match="Conversation.txt cannot be read"):
        export_release(Source("Movie", folder), "llm-redial", tmp_path / "out")
    (folder / "Conversation.txt").write_text("")
    (folder / "final_data.jsonl").write_text("")
    with pytest.raises(UserError, match="holds no dialogue"):
        export_release(Source("Movie", folder), "recbole", tmp_path / "out")
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        export_release(
            Source("Movie", published_folder(tmp_path / "Book")), "chat", tmp_path / "file" / "out"
        )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["Book", "Movie", "file"]


def test_a_damaged_release_is_not_exported(tmp_path: Path) -> None:
    folder = our_release(tmp_path / "data")
    (folder / "item_map.json").write_text("{}")
    with pytest.raises(UserError, match="is damaged"):
        find_source(Home(data=tmp_path / "data"), "demo")


@pytest.mark.parametrize("name", ["chat", "huggingface", "recbole", "contexts", "crslab"])
def test_a_lone_surrogate_is_reported(name: str, tmp_path: Path) -> None:
    folder = published_folder(tmp_path / "Movie")
    items = json.loads((folder / "item_map.json").read_text())
    (folder / "item_map.json").write_text(json.dumps({**items, "plain": "Sol\ud800aris"}))
    with pytest.raises(UserError, match="half a character"):
        export_release(Source("Movie", folder), name, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def corpus(times: dict[str, list[int | None]]) -> Corpus:
    dialogues = [
        Dialogue(f"{u}{k}", (), u, k, (f"{u}-{k}",))
        for u, all_times in times.items()
        for k, _ in enumerate(all_times, 1)
    ]
    made = [
        Interaction(u, f"{u}-{k}", 5.0, t)
        for u, all_times in times.items()
        for k, t in enumerate(all_times, 1)
    ]
    return Corpus("c", tuple(dialogues), {}, {}, tuple(made))


def test_the_split_is_by_user_and_time() -> None:
    times: dict[str, list[int | None]] = {f"u{n}": [n, 100 - n] for n in range(40)}
    sides = split_users(corpus(times))
    last = {
        side: [max(t or 0 for t in times[user]) for user in sides if sides[user] == side]
        for side in ("train", "valid", "test")
    }
    # 8 of 80 dialogues each.
    assert [len(last[side]) for side in ("train", "valid", "test")] == [
        32,
        4,
        4,
    ]
    assert max(last["train"]) < min(last["valid"])
    assert max(last["valid"]) < min(last["test"])


def test_few_users_and_no_times() -> None:
    assert split_users(corpus({"a": [1]})) == {"a": "train"}
    assert split_users(corpus({"a": [1], "b": [2]})) == {"a": "train", "b": "test"}
    assert split_users(corpus({"c": [3], "a": [1], "b": [2]})) == {
        "a": "train",
        "b": "valid",
        "c": "test",
    }
    blank = split_users(corpus({f"u{n}": [None] for n in range(50)}))
    assert [list(blank.values()).count(side) for side in ("train", "valid", "test")] == [40, 5, 5]
    assert blank == split_users(corpus({f"u{n}": [None] for n in reversed(range(50))}))

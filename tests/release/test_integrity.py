"""A reader notices a release that is not what was released, and finds it by every name it has."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli import app
from flows.evaluation.setup import find_corpora, prepare
from flows.options import SampleOptions
from flows.trace import trace
from tasks.errors import UserError
from tasks.exports import compare_corpora, export_release, find_source
from tasks.lineage import ReleaseLineage, note_release
from tasks.release import Release, find_release, write_release
from tasks.release.integrity import sums_of
from tasks.settings import Home
from tasks.statistics import folder_statistics
from tasks.warehouse import open_warehouse, transaction
from tests.support.hostile_release import published_folder
from tests.support.small_warehouse import fill_warehouse


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A data folder with the warehouse of the small demo and one release of it."""
    home = Home(data=tmp_path / "data")
    with open_warehouse(home.warehouse("demo")) as con:
        with transaction(con):
            fill_warehouse(con)
        write_release(
            con,
            home,
            "demo",
            run={},
            note=lambda version: note_release(con, version, "run", "settings", "code"),
        )
    return home


def only_release(home: Home) -> Path:
    return next(path for path in home.releases("demo").iterdir() if path.is_dir())


def edited(folder: Path) -> None:
    path = folder / "Conversation.txt"
    path.write_text(path.read_text().replace("Solaris is.", "Solaris was."))


def edited_with_its_sums(folder: Path) -> None:
    edited(folder)
    (folder / "SHA256SUMS").write_text(sums_of(folder))


def without_its_sums(folder: Path) -> None:
    edited(folder)
    (folder / "SHA256SUMS").unlink()


def linked_elsewhere(folder: Path) -> None:
    outside = folder.parents[3] / "outside.txt"
    shutil.copyfile(folder / "Conversation.txt", outside)
    (folder / "Conversation.txt").unlink()
    (folder / "Conversation.txt").symlink_to(outside)


def linked_folder(folder: Path) -> None:
    (folder / "more").symlink_to("/etc")


def added(folder: Path) -> None:
    (folder / "parquet" / "extra.parquet").write_bytes(b"")


def added_under_a_wild_name(folder: Path) -> None:
    (folder / "x\ny").write_bytes(b"")


def added_sums_below(folder: Path) -> None:
    (folder / "parquet" / "SHA256SUMS").write_bytes(b"")


def removed(folder: Path) -> None:
    (folder / "parquet" / "items.parquet").unlink()


TAMPERED = [
    edited,
    edited_with_its_sums,
    without_its_sums,
    linked_elsewhere,
    linked_folder,
    added,
    added_under_a_wild_name,
    added_sums_below,
    removed,
]


@pytest.mark.parametrize("tamper", TAMPERED)
def test_every_reader_notices_a_tampered_release(
    home: Home, tamper: Callable[[Path], None], tmp_path: Path
) -> None:
    folder = only_release(home)
    source = find_source(home, "demo")
    readers: dict[str, Callable[[], object]] = {
        "load": lambda: Release.load(folder),
        "stats": lambda: folder_statistics(folder),
        "export": lambda: find_source(home, "demo"),
        "publish": lambda: export_release(source, "llm-redial", tmp_path / "out"),
        "compare": lambda: compare_corpora(home, ["demo"]),
        "annotate": lambda: find_corpora(home, [str(folder)]),
        "evaluate": lambda: prepare(home, "demo/latest", SampleOptions(test_share=0.5), 3, 1),
        "lineage": lambda: trace(home, folder.name),
    }
    readers["load"]()
    tamper(folder)
    for name, read in readers.items():
        with pytest.raises(UserError, match="is damaged"):
            read()
            pytest.fail(f"{name} did not notice")


@pytest.mark.parametrize(
    "words",
    [
        ["stats", "demo/latest"],
        ["report", "demo"],
        ["export", "demo", "--to", "chat"],
        ["lineage", "demo/latest"],
    ],
)
def test_a_command_says_it_in_one_line_and_names_the_file(home: Home, words: list[str]) -> None:
    edited(only_release(home))
    ended = CliRunner().invoke(app, ["--data", str(home.data), *words])
    assert isinstance(ended.exception, UserError), ended.output
    assert "Conversation.txt is not what SHA256SUMS says" in str(ended.exception)


def test_files_are_hashed_once_until_one_changes(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tasks.release import integrity

    hashed: list[Path] = []
    real = integrity.file_hash
    monkeypatch.setattr(integrity, "file_hash", lambda path: hashed.append(path) or real(path))
    folder = only_release(home)
    for _ in range(3):
        Release.load(folder)
    assert (
        len(hashed)
        == len(set(hashed))
        == len([path for path in folder.rglob("*") if path.is_file()]) - 1
    )
    os.utime(folder / "README.md", ns=(1, 1))
    Release.load(folder)
    assert len(hashed) == 2 * len(set(hashed))


def test_a_release_is_found_by_every_name(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = only_release(home)
    for name in (
        "demo",
        "demo/latest",
        f"demo/{folder.name}",
        folder.name,
        str(folder),
        str(folder.parent / "latest"),
    ):
        found = find_release(home, name)
        assert found is not None, name
        assert (found.path, found.domain, found.version) == (folder, "demo", folder.name), name
        assert find_source(home, name).folder == folder
        assert len(compare_corpora(home, [name])) == len(find_corpora(home, [name])) == 1
        traced = trace(home, name)
        assert isinstance(traced, ReleaseLineage)
        assert traced.release["version"] == folder.name
    monkeypatch.chdir(folder.parent)
    assert find_release(home, "latest") == find_release(home, str(folder))
    assert find_release(home, "../../releases/demo/latest") == find_release(home, str(folder))


@pytest.mark.parametrize(
    "name",
    [
        "nothing",
        "demo/nothing",
        "../demo/latest",
        "demo/../demo/latest",
        "latest",
        "",
        ".",
        "*",
        "demo/*",
        "x\0y",
    ],
)
def test_what_is_no_release(
    home: Home, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_release(home, name) is None


def test_latest_names_no_place_of_its_own(home: Home, tmp_path: Path) -> None:
    published_folder(tmp_path / "Movie")
    (home.releases("demo") / "latest").write_text("../../../Movie\n")
    with pytest.raises(UserError, match="no release"):
        find_release(home, "demo")


def test_a_version_that_two_domains_have(home: Home) -> None:
    folder = only_release(home)
    shutil.copytree(folder, home.releases("other") / folder.name)
    with pytest.raises(UserError, match=f"demo/{folder.name} or other/{folder.name}"):
        find_release(home, folder.name)


def test_a_copy_elsewhere_is_read_and_its_sums_are_held(home: Home, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(only_release(home), tmp_path / "mine"))
    assert folder_statistics(copy) == folder_statistics(only_release(home))
    with pytest.raises(UserError, match="not among the releases"):
        trace(home, str(copy))
    edited(copy)
    with pytest.raises(UserError, match="is damaged"):
        folder_statistics(copy)


FAULTS = {
    "shorter text": (
        "Conversation.txt",
        lambda text: text[: text.index("7\n\nUser")],
        "holds 7 conversations and final_data.jsonl 10; conversation 7",
    ),
    "no text": ("Conversation.txt", lambda text: "", "holds 0 conversations"),
    "gap": (
        "Conversation.txt",
        lambda text: text[: text.index("3\n\nUser")] + text[text.index("4\n\nUser") :],
        "conversation 3 has no text",
    ),
    "text twice": (
        "Conversation.txt",
        lambda text: text + text[: text.index("1\n\nUser")],
        "Conversation.txt holds conversation 0 twice",
    ),
    "fewer users": (
        "final_data.jsonl",
        lambda text: "".join(text.splitlines(True)[:6]),
        "conversation 6 belongs to no user",
    ),
    "user twice": (
        "final_data.jsonl",
        lambda text: text + text.splitlines(True)[2],
        "final_data.jsonl holds conversation 2 twice",
    ),
    "item unknown": (
        "item_map.json",
        lambda text: text.replace('"plain"', '"other"'),
        "item_map.json lacks the item 'plain'",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_published_folder_that_does_not_hold_together(fault: str, tmp_path: Path) -> None:
    folder = published_folder(tmp_path / "Movie", users=10)
    home = Home(data=tmp_path / "data")
    assert folder_statistics(folder).dialogues == len(Release.load(folder).conversations) == 10
    name, change, told = FAULTS[fault]
    (folder / name).write_text(change((folder / name).read_text()))
    for read in (
        folder_statistics,
        Release.load,
        lambda path: compare_corpora(home, [str(path)]),
        lambda path: find_corpora(home, [str(path)]),
    ):
        with pytest.raises(UserError, match=told):
            read(folder)
    with pytest.raises(UserError, match=told):
        export_release(find_source(home, str(folder)), "chat", tmp_path / "out")


def test_an_item_whose_title_is_null_is_known(tmp_path: Path) -> None:
    folder = published_folder(tmp_path / "Movie", users=3)
    (folder / "item_map.json").write_text(
        (folder / "item_map.json").read_text().replace('"Solaris"', "null")
    )
    assert len(Release.load(folder).users) == 3


def test_the_version_is_the_hash_of_the_sums(home: Home) -> None:
    folder = only_release(home)
    assert hashlib.sha256((folder / "SHA256SUMS").read_bytes()).hexdigest().startswith(folder.name)

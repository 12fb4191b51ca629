"""`datasets.load_dataset` opens a release as it is, and exports of tiny corpora."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tasks.exports import Source, export_release
from tasks.release import PseudonymKey, write_release
from tasks.settings import Home
from tests.support.hostile_release import our_release, published_folder
from tests.support.small_warehouse import small_warehouse

datasets = pytest.importorskip("datasets")


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)


@pytest.mark.parametrize("kind", ["plain", "hostile", "pseudonymised"])
def test_a_release_loads_unchanged(kind: str, tmp_path: Path) -> None:
    key = PseudonymKey(b"0123456789abcdef", None) if kind == "pseudonymised" else None
    folder = (
        our_release(tmp_path)
        if kind == "hostile"
        else write_release(
            small_warehouse(),
            Home(data=tmp_path),
            "demo",
            run={"title": "A: '\x1b[2J' --- | B"},
            pseudonymise_key=key,
        ).path
    )
    cache = str(tmp_path / "cache")
    loaded = datasets.load_dataset(str(folder), cache_dir=cache)
    assert list(loaded) == ["train"]
    assert loaded["train"]["conversation_id"][:] == [0, 1, 2]
    tables = {path.stem: pq.read_table(path).to_pylist() for path in (folder / "parquet").iterdir()}
    assert sorted(datasets.get_dataset_config_names(str(folder))) == sorted(tables)
    for name, rows in tables.items():
        assert (
            list(datasets.load_dataset(str(folder), name, split="train", cache_dir=cache)) == rows
        )


def test_two_releases_in_folders_of_one_name_are_distinct_names(tmp_path: Path) -> None:
    found = []
    for place, fewer in (("a", False), ("b", True)):
        con = small_warehouse()
        if fewer:
            con.execute("UPDATE verdicts SET verdict = 'rejected' WHERE dialogue_id = 'd4'")
        folder = write_release(con, Home(data=tmp_path / place), "demo", run={}).path
        copy = folder.rename(tmp_path / place / "mine")
        found.append(
            datasets.load_dataset(
                str(copy), split="train", cache_dir=str(tmp_path / "cache")
            ).num_rows
        )
    assert found == [3, 2]


@pytest.mark.parametrize("users", [1, 2])
@pytest.mark.parametrize("name", ["huggingface", "chat", "contexts"])
def test_one_or_two_users_load_too(users: int, name: str, tmp_path: Path) -> None:
    source = Source("Movie", published_folder(tmp_path / "Movie", users=users))
    out = export_release(source, name, tmp_path / "out").path
    loaded = datasets.load_dataset(str(out), cache_dir=str(tmp_path / "cache"))
    assert list(loaded) == ["train", "test"][:users]
    assert sum(split.num_rows for split in loaded.values()) >= users

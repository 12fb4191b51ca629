"""Exports at a URL: whole or not there, gone on with when cut, never replaced."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from tasks.errors import UserError
from tasks.exports import Source, export_release, publish, publish_export
from tasks.release.integrity import SUMS
from tests.support.command import redial_command
from tests.support.hostile_release import our_release
from tests.support.object_store import BUCKET, files_of, object_store

ADDRESS = "memory://bucket/out"


@pytest.fixture
def memory() -> Iterator[fsspec.AbstractFileSystem]:
    store = fsspec.filesystem("memory")
    yield store
    if store.exists("/bucket"):
        store.rm("/bucket", recursive=True)


def found(store: fsspec.AbstractFileSystem) -> dict[str, bytes]:
    return {
        path.removeprefix("/bucket/out/"): store.cat_file(path)
        for path in store.find("/bucket/out")
    }


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_same_bytes_as_in_a_folder(
    source: Source, memory: fsspec.AbstractFileSystem, tmp_path: Path
) -> None:
    here = export_release(source, "huggingface", tmp_path / "here")
    assert publish_export(source, "huggingface", ADDRESS, tmp_path / "aside") == here.counts
    assert found(memory) == files(here.path)
    assert list((tmp_path / "aside").iterdir()) == []


def test_once_published_it_stays(memory: fsspec.AbstractFileSystem, tmp_path: Path) -> None:
    source = Source("demo", our_release(tmp_path / "data"))
    here, other = (
        export_release(source, "chat", tmp_path / "one").path,
        export_release(source, "recbole", tmp_path / "two").path,
    )
    assert publish(here, ADDRESS) is True
    assert publish(here, ADDRESS) is False
    with pytest.raises(UserError, match="not of this export"):
        publish(other, ADDRESS)
    changed = files(here)
    (here / SUMS).write_bytes(b"0" * 64 + changed[SUMS][64:])
    with pytest.raises(UserError, match="what was published is not replaced"):
        publish(here, ADDRESS)
    assert found(memory) == changed


def test_a_copy_that_was_cut_is_finished(memory: fsspec.AbstractFileSystem, tmp_path: Path) -> None:
    here = export_release(
        Source("demo", our_release(tmp_path / "data")), "chat", tmp_path / "one"
    ).path
    memory.pipe_file("/bucket/out/train.jsonl", b"half of i")
    memory.pipe_file(f"/bucket/out/{SUMS}", files(here)[SUMS][:70])
    assert publish(here, ADDRESS) is True
    assert found(memory) == files(here)


def test_nothing_of_others_is_touched(memory: fsspec.AbstractFileSystem, tmp_path: Path) -> None:
    source = Source("demo", our_release(tmp_path / "data"))
    memory.pipe_file("/bucket/out/notes.txt", b"mine")
    with pytest.raises(UserError, match="holds 'notes.txt'"):
        publish_export(source, "chat", ADDRESS, tmp_path / "aside")
    assert found(memory) == {"notes.txt": b"mine"}
    for address, words in (
        ("https://127.0.0.1:9/x", "only read"),
        ("nosuch://x/y", "cannot be used"),
        ("ftp://u:p@h/x", "holds a password"),
    ):
        with pytest.raises(UserError, match=words):
            publish_export(source, "chat", address, tmp_path / "aside")


def test_the_command_takes_an_address(tmp_path: Path) -> None:
    release, out = our_release(tmp_path / "data"), tmp_path / "there" / "v1"
    command = redial_command(tmp_path / "data", "export", str(release), "--json")
    done = subprocess.run(
        [*command, "--to", "chat,parquet", "--out", f"file://{out}/"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert [each["path"] for each in json.loads(done.stdout)] == [
        f"file://{out}/chat",
        f"file://{out}/parquet",
    ]
    assert (out / "chat" / SUMS).is_file()
    assert (out / "parquet" / SUMS).is_file()
    again = subprocess.run(
        [*command, "--to", "recbole", "--out", f"file://{out}/chat"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert again.returncode == 2
    assert "Traceback" not in again.stderr
    assert "not of this export" in again.stderr


def test_a_bucket_of_s3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = export_release(
        Source("demo", our_release(tmp_path / "data")), "chat", tmp_path / "one"
    ).path
    with object_store() as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        address, bucket = f"s3://{BUCKET}/out", files_of(environment)
        assert publish(here, address) is True and publish(here, address) is False
        there = {path.removeprefix(f"{BUCKET}/out/"): path for path in bucket.find(f"{BUCKET}/out")}
        assert {name: bucket.cat_file(path) for name, path in there.items()} == files(here)
        with pytest.raises(UserError, match="holds 'other', which is not of this export"):
            bucket.pipe_file(f"{BUCKET}/out/other", b"theirs")
            publish(here, address)

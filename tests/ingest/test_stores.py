"""Source files from stores other than web servers: fsspec's memory and local file systems, and one that breaks off."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from tasks.addresses import local_name
from tasks.errors import UserError
from tasks.ingest import fetch
from tasks.settings import Domain, Home, load_domain
from tests.support.object_store import BUCKET, files_of, object_store

CONTENT = gzip.compress(bytes(range(256)) * 4000, mtime=0)


class Breaking(MemoryFileSystem):
    """Memory that breaks off, once, after so many bytes."""

    protocol = "breaking"
    cachable = False
    after: list[int] = []
    refuses = False

    def info(self, path: str, **options: Any) -> Any:
        if self.refuses:
            raise OSError("there is no key")
        return super().info(path, **options)

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return str(MemoryFileSystem._strip_protocol(path.replace("breaking://", "memory://")))

    def open(self, path: str, mode: str = "rb", **options: Any) -> Any:
        content = super().open(path, mode, **options)
        if not self.after:
            return content
        limit = self.after.pop(0)

        class Short(io.BytesIO):
            def read(self, size: int | None = -1) -> bytes:
                if self.tell() >= limit:
                    raise ConnectionResetError("the store went away")
                return super().read(min(limit - self.tell(), size or 0))

        return Short(content.read())


@pytest.fixture(autouse=True)
def stores() -> Iterator[None]:
    fsspec.register_implementation("breaking", Breaking, clobber=True)
    memory = fsspec.filesystem("memory")
    memory.pipe_file("/bucket/reviews.json.gz", CONTENT)
    yield
    Breaking.after, Breaking.refuses = [], False
    memory.rm("/bucket", recursive=True)


def domain(tmp_path: Path, source: Any) -> Domain:
    """Load a domain file that names one source."""
    home = Home(data=tmp_path)
    (tmp_path / "domains").mkdir(exist_ok=True)
    content = {"sources": {"format": "amazon_2014", "reviews": [source]}}
    (tmp_path / "domains" / "x.yaml").write_text(json.dumps(content), encoding="utf-8")
    return load_domain(home, "x")


def get(domain: Domain, **options: Any) -> tuple[Path, ...]:
    return fetch(domain, tries=2, wait_s=0.01, **options)


def test_an_address_alone_is_fetched_into_sources(tmp_path: Path) -> None:
    told: list[tuple[str, int, int | None]] = []
    (path,) = get(
        domain(tmp_path, "memory://bucket/reviews.json.gz"), progress=lambda *now: told.append(now)
    )
    assert path == tmp_path / "sources" / "memory" / "bucket" / "reviews.json.gz"
    assert path.read_bytes() == CONTENT
    assert told[-1] == ("reviews.json.gz", len(CONTENT), len(CONTENT))


def test_a_path_with_an_address_in_a_local_store(tmp_path: Path) -> None:
    (tmp_path / "there.gz").write_bytes(CONTENT)
    (path,) = get(
        domain(
            tmp_path,
            {"path": "../raw/here.gz", "url": f"file://{tmp_path}/there.gz", "bytes": len(CONTENT)},
        )
    )
    assert path == tmp_path / "raw" / "here.gz" and path.read_bytes() == CONTENT


def test_a_store_that_breaks_off_is_gone_on_from(tmp_path: Path) -> None:
    Breaking.after = [1000, 3000]
    (path,) = get(domain(tmp_path, "breaking://bucket/reviews.json.gz"))
    assert path.read_bytes() == CONTENT
    assert Breaking.after == []


def test_a_store_that_always_breaks_is_given_up_and_kept(tmp_path: Path) -> None:
    Breaking.after = [1000] * 9
    chosen = domain(tmp_path, "breaking://bucket/reviews.json.gz")
    with pytest.raises(
        UserError, match=r"cannot be fetched \(the store went away\).*1000 bytes are kept"
    ):
        get(chosen)
    Breaking.after = []
    (path,) = get(chosen)
    assert path.read_bytes() == CONTENT


def test_what_a_store_raises_is_one_line(tmp_path: Path) -> None:
    Breaking.refuses = True
    with pytest.raises(UserError, match="breaking://bucket/x.json fails: there is no key"):
        get(domain(tmp_path, "breaking://bucket/x.json"))


def test_a_part_longer_than_the_file_is_thrown_away(tmp_path: Path) -> None:
    chosen = domain(tmp_path, "memory://bucket/reviews.json.gz")
    part = tmp_path / "sources" / "memory" / "bucket" / "reviews.json.gz.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(CONTENT + b"more")
    assert get(chosen)[0].read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("memory://bucket/nothing.json.gz", "there is nothing at memory://bucket/nothing.json.gz"),
        ("nosuch://bucket/x.json.gz", "cannot be used"),
        ("sftp://host/x.json.gz", "needs a package that is not installed"),
    ],
)
def test_an_address_that_cannot_be_read(tmp_path: Path, address: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        get(domain(tmp_path, address))
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("s3://key:secret@bucket/x.json.gz", "holds a password"),
        ("zip://x.json::file:///tmp/a.zip", "without `::`"),
        ({"path": "s3://bucket/x.json.gz"}, "is a place on this machine"),
        ({"path": "x.json.gz", "url": "bucket/x.json.gz"}, "is no address"),
    ],
)
def test_an_address_that_is_refused(tmp_path: Path, source: Any, words: str) -> None:
    with pytest.raises(UserError, match=words):
        domain(tmp_path, source)


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("s3://bucket/a/reviews.json.gz", "s3/bucket/a/reviews.json.gz"),
        ("https://host:8080/a%20b/r.json?version=1", "https/host/a_b/r.json"),
        ("file:///etc/../../x", "file/etc/x"),
        ("s3://bucket/%2e%2e/%2e%2e/x;y", "s3/bucket/x_y"),
    ],
)
def test_where_an_address_is_kept(address: str, name: str) -> None:
    assert local_name(address) == name


def test_s3_needs_no_further_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with object_store() as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        files_of(environment).pipe_file(f"{BUCKET}/in/reviews.json.gz", CONTENT)
        (path,) = get(domain(tmp_path, f"s3://{BUCKET}/in/reviews.json.gz"))
        assert path.read_bytes() == CONTENT
        with pytest.raises(UserError, match="there is nothing at s3://datasets/in/other.gz"):
            get(domain(tmp_path, f"s3://{BUCKET}/in/other.gz"))

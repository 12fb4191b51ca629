"""Downloads, against an HTTP server on loopback that behaves well or badly."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tasks.errors import UserError
from tasks.ingest import fetch
from tasks.settings import Domain

CONTENT = gzip.compress(
    b"".join(json.dumps({"n": number * 7919 % 99991}).encode() + b"\n" for number in range(20_000)),
    mtime=0,
)


class Server(ThreadingHTTPServer):
    """Serves `content` at every path. What it does wrong is set by the test."""

    daemon_threads = True
    content = CONTENT
    knows_range = True
    tells_length = True
    kind: str | None = None
    status = 200
    cut_after: list[int]
    ranges: list[str | None]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.server.ranges.append(asked)
        if self.server.status != 200:
            return self._send(self.server.status, {"Content-Length": "0"}, b"")
        if self.path == "/moved":
            return self._send(302, {"Location": "/r.json.gz", "Content-Length": "0"}, b"")
        content, start = self.server.content, 0
        if asked and self.server.knows_range:
            start = int(asked.removeprefix("bytes=").rstrip("-"))
            if start >= len(content):
                return self._send(
                    416, {"Content-Range": f"bytes */{len(content)}", "Content-Length": "0"}, b""
                )
        body = content[start:]
        headers = (
            {"Content-Length": str(len(body))}
            if self.server.tells_length
            else {"Connection": "close"}
        )
        if self.server.kind:
            headers |= {"Content-Type": self.server.kind, "Content-Encoding": "gzip"}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        if self.server.cut_after:
            body = body[: self.server.cut_after.pop(0)]
            self.close_connection = True
        self._send(206 if start else 200, headers, body)

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as running:
        running.cut_after, running.ranges = [], []
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def domain(server: Server, tmp_path: Path) -> Callable[..., Domain]:
    def make(name: str = "r.json.gz", url: str | None = "", **source: Any) -> Domain:
        address = (
            f"http://127.0.0.1:{server.server_address[1]}/{url or name}"
            if url is not None
            else None
        )
        reviews = [{"path": str(tmp_path / "sources" / name), "url": address, **source}]
        return Domain.model_validate(
            {"name": "x", "sources": {"format": "amazon_2014", "reviews": reviews}}
        )

    return make


def get(domain: Domain, **options: Any) -> tuple[Path, ...]:
    return fetch(domain, tries=2, wait_s=0.01, **options)


def leftovers(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "sources").iterdir())


def test_a_file_comes_whole_with_progress(domain, tmp_path: Path):
    told: list[tuple[str, int, int | None]] = []
    (path,) = get(domain(bytes=len(CONTENT)), progress=lambda *told_now: told.append(told_now))
    assert path.read_bytes() == CONTENT
    assert leftovers(tmp_path) == ["r.json.gz"]
    assert told[-1] == ("r.json.gz", len(CONTENT), len(CONTENT))
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)


def test_a_file_that_is_there_is_not_asked_for_again(domain, server):
    get(domain())
    get(domain())
    assert len(server.ranges) == 1


def test_an_earlier_cut_is_gone_on_from(domain, server, tmp_path: Path):
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "r.json.gz.part").write_bytes(CONTENT[:1000])
    (path,) = get(domain())
    assert path.read_bytes() == CONTENT
    assert server.ranges == ["bytes=1000-"]


def test_cut_connections_are_gone_on_from_in_the_same_run(domain, server):
    server.cut_after = [5000, 7000]
    (path,) = get(domain())
    assert path.read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=5000-", "bytes=12000-"]


def test_a_server_without_range_starts_again(domain, server):
    server.knows_range = False
    server.cut_after = [5000]
    (path,) = get(domain())
    assert path.read_bytes() == CONTENT
    assert server.ranges == [None, "bytes=5000-"]


def test_a_part_that_was_already_whole(domain, server, tmp_path: Path):
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "r.json.gz.part").write_bytes(CONTENT)
    (path,) = get(domain())
    assert path.read_bytes() == CONTENT


def test_a_part_of_a_longer_file_is_thrown_away(domain, server, tmp_path: Path):
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "r.json.gz.part").write_bytes(CONTENT + b"more")
    (path,) = get(domain())
    assert path.read_bytes() == CONTENT
    assert server.ranges == [f"bytes={len(CONTENT) + 4}-", None]


def test_a_connection_that_always_breaks_is_given_up_and_kept(domain, server, tmp_path: Path):
    server.cut_after = [3000, 0, 0, 0]
    with pytest.raises(UserError, match=r"cannot be fetched \(.*3000 bytes are kept"):
        get(domain())
    assert leftovers(tmp_path) == ["r.json.gz.part"]


def test_a_cut_without_an_announced_length_is_found_by_the_gzip_check(
    domain, server, tmp_path: Path
):
    server.tells_length = False
    server.cut_after = [5000]
    with pytest.raises(UserError, match="is cut short"):
        get(domain())
    assert leftovers(tmp_path) == []


def test_a_damaged_gzip_is_not_put_in_place(domain, server, tmp_path: Path):
    server.content = CONTENT[:-5] + bytes([CONTENT[-5] ^ 0xFF]) + CONTENT[-4:]
    with pytest.raises(UserError, match="is damaged"):
        get(domain())
    assert leftovers(tmp_path) == []


def test_a_page_in_place_of_a_gzip(domain, server, tmp_path: Path):
    server.content = b"<html>Please log in</html>"
    with pytest.raises(UserError, match="is a web page, as servers send in place of a file"):
        get(domain())
    assert leftovers(tmp_path) == []


def test_a_page_in_place_of_a_plain_file(domain, server, tmp_path: Path):
    server.content, server.kind = b"<html>Please log in</html>", "text/html; charset=utf-8"
    with pytest.raises(UserError, match="answered with a web page in place of the file"):
        get(domain("r.jsonl"))
    assert leftovers(tmp_path) == []


def test_a_gzip_sent_as_an_encoding_is_kept_as_it_is(domain, server):
    server.kind = "application/x-gzip"
    (path,) = get(domain())
    assert path.read_bytes() == CONTENT


def test_a_gzip_packed_once_more_on_its_way(domain, server, tmp_path: Path):
    server.content = gzip.compress(CONTENT)
    with pytest.raises(UserError, match="holds a compressed file or an archive"):
        get(domain())
    assert leftovers(tmp_path) == []


def test_another_size_than_published(domain, tmp_path: Path):
    with pytest.raises(UserError, match=f"has {len(CONTENT)} bytes where its domain gives 17"):
        get(domain(bytes=17))
    assert leftovers(tmp_path) == []


def test_a_file_in_place_of_another_size(domain, tmp_path: Path):
    get(domain())
    with pytest.raises(UserError, match="where its domain gives 17"):
        get(domain(bytes=17))


def test_plain_files_are_fetched_too(domain, server):
    server.content = b'{"n": 1}\n'
    (path,) = get(domain("r.json"))
    assert path.read_bytes() == b'{"n": 1}\n'


def test_moved_files_are_followed(domain):
    (path,) = get(domain(url="moved"))
    assert path.read_bytes() == CONTENT


@pytest.mark.parametrize(("status", "asked"), [(404, 1), (403, 1), (500, 2), (503, 2), (429, 2)])
def test_refusals(status, asked, domain, server, tmp_path: Path):
    server.status = status
    with pytest.raises(UserError, match=f"answered {status}"):
        get(domain())
    assert len(server.ranges) == asked
    assert leftovers(tmp_path) == []


def test_a_signed_address_is_used_and_never_told(domain, server):
    signed = "r.json.gz?X-Amz-Date=1&X-Amz-Signature=0123456789abcdef"
    assert get(domain(url=signed))[0].read_bytes() == CONTENT
    server.status = 403
    with pytest.raises(
        UserError, match=r"X-Amz-Date=1&X-Amz-Signature=\[secret\] answered 403"
    ) as refused:
        get(domain(name="other.json.gz", url=signed))
    assert "0123456789abcdef" not in str(refused.value)


def test_no_address(domain):
    with pytest.raises(UserError, match="gives no url"):
        get(domain(url=None))


def test_no_server(domain, server):
    closed = domain().model_copy()
    source = closed.sources.reviews[0].model_copy(update={"url": "http://127.0.0.1:9/r.json.gz"})
    sources = closed.sources.model_copy(update={"reviews": (source,)})
    with pytest.raises(UserError, match="check the network"):
        get(closed.model_copy(update={"sources": sources}))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk(domain, tmp_path: Path):
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "r.json.gz.part").symlink_to("/dev/full")
    with pytest.raises(UserError, match="the disk is full"):
        get(domain())
    assert not (tmp_path / "sources" / "r.json.gz").exists()


def test_a_folder_that_cannot_be_made(domain, tmp_path: Path):
    (tmp_path / "sources").write_text("a file")
    with pytest.raises(UserError, match="cannot be written"):
        get(domain())

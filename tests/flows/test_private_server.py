"""The server behind every command, attacked over plain HTTP: it asks for its login, and knows its own name and pages alone."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from flows.server.ephemeral import PrivateServer

READ = ("POST", "/deployments/filter")
CHANGE = ("POST", "/flow_runs/")


@pytest.fixture(scope="module")
def private(flow_server: PrivateServer) -> PrivateServer:
    return flow_server


def ask(
    server: PrivateServer, request: tuple[str, str], *, login: bool = True, **headers: str
) -> httpx.Response:
    user, _, password = server.login.partition(":")
    method, path = request
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.request(
        method, server.api + path, json={}, headers=named, auth=(user, password) if login else None
    )


def test_whoever_has_the_login_is_answered(private: PrivateServer) -> None:
    assert ask(private, READ).status_code == 200
    # An empty run is no run: the request came through.
    assert ask(private, CHANGE).status_code == 422


@pytest.mark.parametrize(
    "request_", [READ, CHANGE, ("GET", "/admin/settings"), ("PATCH", "/work_pools/redial")]
)
def test_nobody_is_answered_without_it(private: PrivateServer, request_: tuple[str, str]) -> None:
    assert ask(private, request_, login=False).status_code == 401


@pytest.mark.parametrize(
    "request_",
    [READ, CHANGE, ("GET", "/health"), ("PATCH", "/work_pools/redial"), ("OPTIONS", "/flow_runs/")],
)
@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.test"},
        {"Origin": "http://evil.test"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec_Fetch_Site": "cross-site"},
    ],
    ids=str,
)
def test_pages_of_others_are_refused_even_with_it(
    private: PrivateServer, request_: tuple[str, str], headers: dict[str, str]
) -> None:
    answer = ask(private, request_, **headers)
    assert answer.status_code in {400, 403}
    assert "access-control-allow-origin" not in answer.headers


def test_its_own_pages_alone_are_allowed_by_cors(private: PrivateServer) -> None:
    ours = f"http://localhost:{urlsplit(private.api).port}"
    answer = ask(private, READ, Origin=ours)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == ours


def test_a_socket_of_another_origin_does_not_open(private: PrivateServer) -> None:
    for origin, wanted in (
        ("http://evil.test", b"403"),
        (f"http://127.0.0.1:{urlsplit(private.api).port}", b"101"),
    ):
        assert wanted in handshake(private, origin)


def handshake(server: PrivateServer, origin: str) -> bytes:
    """Return the first line that a WebSocket's handshake is answered with."""
    host = urlsplit(server.api).netloc
    lines = [
        "GET /api/events/out HTTP/1.1",
        f"Host: {host}",
        f"Origin: {origin}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Protocol: prefect",
    ]
    with socket.create_connection(
        (urlsplit(server.api).hostname or "", urlsplit(server.api).port or 0), timeout=10
    ) as knock:
        knock.sendall("\r\n".join([*lines, "", ""]).encode())
        return knock.recv(64)


def test_the_login_is_in_no_command_line_and_no_file(
    private: PrivateServer, tmp_path_factory: pytest.TempPathFactory
) -> None:
    password = private.login.partition(":")[2]
    assert len(password) >= 32
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            assert password.encode() not in process.read_bytes()
        except OSError:
            continue
    for file in tmp_path_factory.getbasetemp().rglob("*"):
        assert not file.is_file() or password.encode() not in file.read_bytes()
    assert password not in " ".join(os.environ.values())
    assert password not in repr(private)

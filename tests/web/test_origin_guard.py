"""What a server on loopback refuses (foreign hosts, other origins), and what it accepts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from tasks.web.origin_guard import LOOPBACK, NO_FRAMES, LocalGuard, find_refusal

OURS = "http://127.0.0.1:4200"
PROXY = "prefect.example.org"


async def _answer(request: Request) -> Response:
    return PlainTextResponse("reached")


async def _greet(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("reached")
    await socket.close()


def client(address: str = OURS, hosts: tuple[str, ...] = ()) -> TestClient:
    app = Starlette(
        routes=[
            Route("/", _answer, methods=["GET", "POST", "PATCH", "DELETE"]),
            WebSocketRoute("/socket", _greet),
        ]
    )
    return TestClient(LocalGuard(app, hosts, NO_FRAMES), base_url=address)


@pytest.mark.parametrize(
    "host", ["127.0.0.1:4200", "localhost:4200", "LOCALHOST", "[::1]:4200", "127.0.0.1"]
)
def test_loopback_names_are_answered(host: str) -> None:
    assert client().get("/", headers={"Host": host}).text == "reached"


@pytest.mark.parametrize(
    "host",
    [
        "evil.test:4200",
        "127.0.0.1.evil.test:4200",
        "localhost.evil.test",
        "evil.test@127.0.0.1:4200",
        "127.0.0.1:4200@evil.test",
        "127.0.0.1:4200, evil.test",
        "127.0.0.1 evil.test",
        "0.0.0.0:4200",
        "[::1].evil.test",
        "127.0.0.1:123456",
        "",
        PROXY,
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_foreign_names_are_refused(host: str, method: str) -> None:
    answer = client().request(method, "/", headers={"Host": host})
    assert answer.status_code == 400
    assert "reached" not in answer.text


def test_a_proxy_s_name_is_answered_once_it_is_allowed() -> None:
    allowed = client(f"http://{PROXY}", (PROXY,))
    assert allowed.post("/", headers={"Origin": f"https://{PROXY}"}).text == "reached"
    assert allowed.post("/", headers={"Origin": "https://evil.test"}).status_code == 403
    # As a proxy does that keeps no Host.
    rewritten = {
        "Host": "127.0.0.1:4200",
        "Origin": f"https://{PROXY}",
    }
    assert allowed.post("/", headers=rewritten).text == "reached"


@pytest.mark.parametrize("origin", [OURS, "http://localhost:4200", "http://[::1]:4200"])
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
def test_own_pages_are_answered(method: str, origin: str) -> None:
    # Localhost asks 127.0.0.1.
    headers = {
        "Origin": origin,
        "Sec-Fetch-Site": "cross-site",
        "Sec-Fetch-Mode": "cors",
    }
    assert client().request(method, "/", headers=headers).text == "reached"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.test"},
        {"Origin": "http://evil.test:4200"},
        {"Origin": "http://127.0.0.1:4201"},
        {"Origin": "http://127.0.0.1"},
        {"Origin": "https://127.0.0.1:4200"},
        {"Origin": "http://127.0.0.1:4200.evil.test"},
        {"Origin": "http://127.0.0.1:4200@evil.test"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "file://"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
    ids=str,
)
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
def test_other_origins_are_refused(method: str, headers: dict[str, str]) -> None:
    answer = client().request(method, "/", headers=headers)
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


def test_two_origins_are_refused_when_one_is_foreign() -> None:
    two = [("Origin", OURS), ("Origin", "http://evil.test")]
    assert client().post("/", headers=two).status_code == 403


def test_a_link_from_elsewhere_opens_and_its_form_does_not() -> None:
    followed = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert client().get("/", headers=followed).text == "reached"
    assert client().post("/", headers=followed).status_code == 403


def test_programs_that_are_no_browser_are_answered() -> None:
    assert client().post("/").text == "reached"


@pytest.mark.parametrize("headers", [{}, {"Origin": OURS}])
def test_own_sockets_open(headers: dict[str, str]) -> None:
    with client().websocket_connect("ws://127.0.0.1:4200/socket", headers=headers) as socket:
        assert socket.receive_text() == "reached"


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://evil.test"}, {"Host": "evil.test:4200"}, {"Sec-Fetch-Site": "cross-site"}],
)
def test_foreign_sockets_do_not_open(headers: dict[str, str]) -> None:
    with (
        pytest.raises(WebSocketDisconnect),
        client().websocket_connect("ws://127.0.0.1:4200/socket", headers=headers),
    ):
        pass


def test_every_response_forbids_frames() -> None:
    for answer in (
        client().get("/"),
        client().get("/none"),
        client().get("/", headers={"Host": "evil.test"}),
    ):
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["content-security-policy"] == "frame-ancestors 'none'"


@given(host=st.text(max_size=40), origin=st.one_of(st.none(), st.text(max_size=40)))
def test_whatever_is_sent_is_decided(host: str, origin: str | None) -> None:
    """No header raises, and only loopback names pass."""
    raw = [
        (b"host", host.encode()),
        *([(b"origin", origin.encode())] if origin is not None else []),
    ]
    decided = find_refusal({"type": "http", "method": "POST", "headers": raw})
    if decided is None:
        assert host.lower().startswith(tuple(LOOPBACK))

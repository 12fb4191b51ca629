"""A Prefect server on SQLite that is busy is asked again."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from flows.server.api import ServerApi
from flows.server.pool import put_pool


def test_a_busy_database_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.server.api.BUSY_PAUSE_S", 0.0)
    answers = iter([503, 200, 503, 503, 204])
    asked: list[str] = []

    class Busy(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked.append(self.command)
            self.send_response(next(answers))
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_PATCH = answer

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Busy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        put_pool(ServerApi.at(f"http://127.0.0.1:{server.server_port}/api").client)
        server.shutdown()
    assert asked == ["GET", "GET", "PATCH", "PATCH", "PATCH"]

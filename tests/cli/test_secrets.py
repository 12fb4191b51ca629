"""A build whose provider sends the key back in its errors, and whose source has a signed address, leaves neither anywhere."""

from __future__ import annotations

import base64
import json
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tasks.redaction import HIDDEN
from tests.support.command import environment_without, redial_command
from tests.support.served import demo_like

KEY = "plainlookingkeyof40lettersandnothingelse"
SIGNATURE = "f0e1d2c3b4a5968778695a4b3c2d1e0f"


class Telltale(BaseHTTPRequestHandler):
    """Refuses every call and repeats what it was sent: the header as it came, the key alone, and in base64."""

    status = 400

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        sent = self.headers.get("Authorization", "")
        key = sent.rpartition(" ")[2]
        told = f"refused {sent}; key {key}; {base64.b64encode(f'user:{key}'.encode()).decode()}; ?api_key={key}"
        body = json.dumps({"error": {"message": told, "code": "invalid"}}).encode()
        self.send_response(self.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.heavy
@pytest.mark.parametrize("status", [400, 401])
def test_no_file_and_no_line_holds_a_secret(status: int, tmp_path: Path) -> None:
    demo_like(tmp_path, "made")
    path = tmp_path / "domains" / "made.yaml"
    settings = json.loads(path.read_text(encoding="utf-8"))
    reviews = settings["sources"]["reviews"][0]
    signed = f"https://bucket.s3.amazonaws.com/reviews?X-Amz-Date=1&X-Amz-Signature={SIGNATURE}"
    settings["sources"]["reviews"] = [{"path": reviews, "url": signed}]
    path.write_text(json.dumps(settings), encoding="utf-8")
    handler = type("Handler", (Telltale,), {"status": status})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        environment = environment_without("PREFECT_API_URL")
        command = redial_command(tmp_path, "build", "made")
        command += [
            "--model",
            "openai/gpt-4o-mini",
            "--api-base",
            f"http://127.0.0.1:{server.server_address[1]}/v1",
            "--max-dialogues",
            "3",
        ]
        environment |= {"OPENAI_API_KEY": KEY, "PREFECT_LOGGING_LEVEL": "DEBUG"}
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=400, check=False
        )
        server.shutdown()
    assert done.returncode == 2, done.stderr
    path.unlink()  # the one place where the signature belongs
    told = {"stdout": done.stdout.encode(), "stderr": done.stderr.encode()}
    written = {
        str(one.relative_to(tmp_path)): one.read_bytes()
        for one in tmp_path.rglob("*")
        if one.is_file()
    }
    cores = [base64.b64encode(b"user:" + KEY.encode()), KEY.encode(), SIGNATURE.encode()]
    assert [
        name for name, content in (told | written).items() if any(core in content for core in cores)
    ] == []
    assert any(HIDDEN.encode() in content for content in written.values()), (
        "nothing was told of the refusal at all"
    )

"""The Prefect server that is configured cannot be used: commands and workers say why in one line, and end with exit code 2."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from prefect.settings import temporary_settings

from flows.server import connection
from flows.server.connection import check_server
from flows.server.ephemeral import PrivateServer, local_server
from tasks.errors import UserError
from tasks.settings.paths import PROJECT
from tests.support.command import environment_without, redial_command
from tests.support.forked import run_forked
from tests.support.model_process import model_server
from tests.support.served import KEY, demo_like, until

NOBODY = "http://127.0.0.1:1/api"  # a port on which nothing may listen but root's services
COMMAND, WORKER = "flows.cli:main", "flows.server.worker:main"


def run(
    data: Path, entry: str, *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a process of ours with no settings of Prefect but those given."""
    kept = environment_without("PREFECT_")
    given = {**kept, "HOME": str(data), "REDIAL_DATA": str(data), **environment}
    return run_forked(entry, *arguments, environment=given, folder=PROJECT)


def assert_one_line(done: subprocess.CompletedProcess[str], words: str) -> None:
    assert done.returncode == 2, done.stderr
    (told,) = [line for line in done.stderr.splitlines() if line]
    assert words in told


# --- kinds of trouble


@contextmanager
def answering(
    status: int, body: str, kind: str = "application/json", context: ssl.SSLContext | None = None
) -> Iterator[str]:
    """Answer every request alike; yield the host and port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


def refusal(address: str, login: str | None = None) -> str:
    """Return the line that says why the server at an address cannot be used."""
    with (
        temporary_settings(updates={"api.url": address, "api.auth_string": login}),
        pytest.raises(UserError) as refused,
    ):
        check_server()
    assert len(str(refused.value).splitlines()) == 1
    return str(refused.value)


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (200, "<!doctype html><title>Log in</title>", "is not the API of a Prefect server"),
        (200, '{"version": 3}', "is not the API of a Prefect server"),
        (
            404,
            '{"detail": "Not Found"}',
            "is not the API of a Prefect server (HTTP 404): its address ends with /api",
        ),
        (302, "", "is not the API of a Prefect server"),
        (401, "{}", "asks for a login: set PREFECT_API_AUTH_STRING to its user:password"),
        (
            403,
            "{}",
            "refuses this request (HTTP 403): name the host it is reached by in its REDIAL_ALLOWED_HOSTS",
        ),
        (502, "<html>Bad gateway</html>", "no Prefect server answers at"),
        (503, "{}", "HTTP 503; start that server, or unset PREFECT_API_URL"),
        (200, '"2.20.1"', "is Prefect 2.20.1, this is Prefect 3."),
        (200, '"4.0.0"', "the major versions must be equal"),
        (200, '"latest"', "answers with something else than a version"),
    ],
)
def test_what_answers_and_is_no_server_for_us(status: int, body: str, words: str) -> None:
    with answering(status, body) as place:
        assert words in refusal(f"http://{place}/api")


def test_a_server_of_our_major_version_is_taken() -> None:
    with (
        answering(200, '"3.0.1"') as place,
        temporary_settings(updates={"api.url": f"http://{place}/api"}),
    ):
        check_server()


def test_a_wrong_login_is_told_from_a_missing_one() -> None:
    with answering(401, "{}") as place:
        told = refusal(f"http://{place}/api", login="ann:wrong-password")
    assert (
        "does not accept the login in PREFECT_API_AUTH_STRING" in told
        and "wrong-password" not in told
    )


@pytest.mark.parametrize(
    ("address", "words"),
    [
        (NOBODY, "connection refused; start that server, or unset PREFECT_API_URL"),
        ("http://no-such-host.invalid/api", "the host's name is not known"),
        ("127.0.0.1:4200/api", "missing an 'http://' or 'https://' protocol"),
        ("http://ann:open-sesame@127.0.0.1:1/api", "connection refused"),
    ],
)
def test_nobody_answers(address: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)  # a proxy would answer in the host's place
    told = refusal(address)
    assert words in told and "open-sesame" not in told


def test_a_server_that_does_not_answer_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "ANSWER_S", 0.5)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        assert "no answer within 0.5 s" in refusal(
            f"http://127.0.0.1:{listening.getsockname()[1]}/api"
        )


def test_tls_that_fails(tmp_path: Path) -> None:
    with answering(200, '"3.8.8"') as place:
        assert "TLS failed (WRONG_VERSION_NUMBER)" in refusal(f"https://{place}/api")
    with answering(200, '"3.8.8"', context=self_signed(tmp_path)) as place:
        assert "TLS failed (CERTIFICATE_VERIFY_FAILED)" in refusal(f"https://{place}/api")


def self_signed(folder: Path) -> ssl.SSLContext:
    """Return the TLS settings of a server whose certificate nobody vouches for."""
    key, name, now = ec.generate_private_key(ec.SECP256R1()), x509.Name([]), datetime.now(UTC)
    made = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1)
    )
    file = folder / "server.pem"
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    file.write_bytes(secret + made.sign(key, hashes.SHA256()).public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


# --- what commands and workers make of it


@pytest.mark.parametrize("command", [("build", "demo"), ("plan", "demo"), ("backfill", "demo")])
def test_a_command_without_its_server_is_one_line(tmp_path: Path, command: tuple[str, ...]) -> None:
    assert_one_line(
        run(tmp_path, COMMAND, *command, PREFECT_API_URL=NOBODY),
        f"no Prefect server answers at {NOBODY} (PREFECT_API_URL)",
    )
    assert not list(tmp_path.rglob("*.duckdb"))


def test_a_profile_that_points_to_a_dead_server_is_named(tmp_path: Path) -> None:
    (tmp_path / ".prefect").mkdir()
    profile = f'active = "team"\n[profiles.team]\nPREFECT_API_URL = "{NOBODY}"\n'
    (tmp_path / ".prefect" / "profiles.toml").write_text(profile, "utf-8")
    done = run(tmp_path, WORKER)
    assert_one_line(done, f"at {NOBODY} (the Prefect profile team): connection refused")
    assert "`prefect config unset PREFECT_API_URL`" in done.stderr


def test_a_command_uses_no_server_of_a_profile_unasked_and_no_proxy_on_loopback(
    tmp_path: Path,
) -> None:
    (tmp_path / ".prefect").mkdir()
    profile = f'active = "team"\n[profiles.team]\nPREFECT_API_URL = "{NOBODY}"\n'
    (tmp_path / ".prefect" / "profiles.toml").write_text(profile, "utf-8")
    nowhere = {"HTTP_PROXY": "http://127.0.0.1:1", "http_proxy": "http://127.0.0.1:1"}
    done = run(tmp_path, COMMAND, "plan", "demo", "--max-dialogues", "3", **nowhere)
    assert done.returncode == 0, done.stderr
    assert f"the Prefect profile team names {NOBODY}: set PREFECT_API_URL to use it" in done.stderr


def test_settings_of_prefect_that_cannot_be_read_are_no_traceback(tmp_path: Path) -> None:
    done = run(tmp_path, COMMAND, "build", "demo", PREFECT_API_URL="http://[::1/api")
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "redial: Prefect's settings cannot be used" in done.stderr


@pytest.mark.parametrize("environment", [{}, {"PREFECT_API_URL": NOBODY}])
def test_a_worker_without_its_server_is_one_line(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    assert_one_line(run(tmp_path, WORKER, **environment), "PREFECT_API_URL")


@pytest.mark.parametrize(
    "arguments",
    [(COMMAND, "build", "demo"), (WORKER,)],
    ids=["command", "worker"],
)
def test_a_login_that_is_missing_or_wrong_is_one_line(
    flow_server: PrivateServer, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    assert_one_line(
        run(tmp_path, *arguments, PREFECT_API_URL=flow_server.api),
        "asks for a login: set PREFECT_API_AUTH_STRING",
    )
    wrong = {"PREFECT_API_URL": flow_server.api, "PREFECT_API_AUTH_STRING": "redial:not-it-at-all"}
    done = run(tmp_path, *arguments, **wrong)
    assert_one_line(done, "does not accept the login in PREFECT_API_AUTH_STRING")
    assert "not-it-at-all" not in done.stdout + done.stderr


@pytest.mark.heavy
def test_a_server_that_is_lost_during_a_build_is_one_line(tmp_path: Path) -> None:
    demo_like(tmp_path, "own", title="Our own", briefs={"max_dialogues": 40})
    kept = environment_without("PREFECT_")
    with (
        model_server(answers="mock", latency_s=0.5) as model,
        lost_server(tmp_path) as (address, login, lose),
    ):
        ours = {
            "PREFECT_API_URL": address,
            "PREFECT_API_AUTH_STRING": login,
            "REDIAL_DATA": str(tmp_path),
            "OPENAI_API_KEY": KEY,
        }
        given = ["--model", "openai/mock", "--api-base", model.address, "--concurrency", "2"]
        given += ["--set", "generate.limits.probe=false"]
        building = subprocess.Popen(
            redial_command(None, "build", "own", *given),
            cwd=PROJECT,
            env={**kept, **ours},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        until(lambda: model.tally()["billed"] >= 4, 120, lambda: "nothing was asked")
        lose()
        told, _ = building.communicate(timeout=240)
    assert building.returncode == 2, told
    assert "Traceback" not in told
    assert sum(line.startswith("redial: ") for line in told.splitlines()) == 1
    assert f"redial: no Prefect server answers at {address}" in told


@contextmanager
def lost_server(folder: Path) -> Iterator[tuple[str, str, Callable[[], None]]]:
    """Run a server that can be killed; yield its address, its login and what kills it."""
    with local_server(folder / "server", lambda: None) as server:
        home = f"PREFECT_HOME={folder / 'server'}".encode()

        def lose() -> None:
            for entry in Path("/proc").glob("[0-9]*/cmdline"):
                command = entry.read_bytes().split(b"\0")
                if b"flows.server.ephemeral" not in command:
                    continue
                if home in (entry.parent / "environ").read_bytes().split(b"\0"):
                    os.kill(int(entry.parent.name), 9)

        yield server.api, server.login, lose

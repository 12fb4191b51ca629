"""A build whose first answers are of no use ends after a few of them, with one line that says why."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from flows.server.ephemeral import PrivateServer
from tests.support.command import environment_with, run_redial
from tests.support.model_process import ModelServer, model_server
from tests.support.odd_replies import OddReply
from tests.support.server_state import Behaviour

FIRST, IN_FLIGHT = 8, 4
ASKED = {
    "briefs.max_dialogues": 24,
    "generate.model": "openai/gpt-4o-mini",
    "generate.max_attempts": 1,
    "generate.limits.concurrency": IN_FLIGHT,
    # Its answers would be counted with those of the build.
    "generate.limits.probe": False,
}


@pytest.fixture(scope="module")
def one_server() -> Iterator[ModelServer]:
    with model_server() as server:
        yield server


@pytest.fixture
def server(one_server: ModelServer) -> ModelServer:
    one_server.behave(**vars(Behaviour()))
    one_server.reset()
    return one_server


def build(
    data: Path, server: ModelServer, flows: PrivateServer, **settings: object
) -> tuple[int, str, str]:
    """Build the demo with the server as its model; return code, output and the last line of errors."""
    chosen = {**ASKED, "generate.api_base": server.address, **settings}
    words = [word for name, value in chosen.items() for word in ("--set", f"{name}={value}")]
    environment = {**environment_with(flows), "OPENAI_API_KEY": "sk-early-0123456789"}
    done = run_redial(data, "build", "demo", "--json", *words, environment=environment)
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    return done.returncode, done.stdout, lines[-1] if lines else ""


def stored(data: Path) -> int:
    with duckdb.connect(str(data / "warehouse" / "demo.duckdb"), read_only=True) as con:
        return int(con.execute("SELECT count(*) FROM responses").fetchall()[0][0])


def test_answers_that_all_break_one_rule_end_a_build(
    tmp_path: Path, server: ModelServer, flow_server: PrivateServer
) -> None:
    # Two turns, whatever the template asks for.
    code, out, line = build(tmp_path, server, flow_server)
    assert (code, out) == (2, "")
    assert line.startswith("redial: all 8 first answers break the rule template-length (")
    assert "redial why demo/" in line and "stop_after_rejected to 0" in line
    assert '; one of them: {"turns": [{"role": "user"' in line
    assert (server.billed(), stored(tmp_path)) == (FIRST, FIRST)
    # Nothing has changed: what is stored is not asked again, and as few as before are paid.
    assert build(tmp_path, server, flow_server)[0] == 2
    assert (server.billed(), stored(tmp_path)) == (2 * FIRST, 2 * FIRST)
    # The server is mended: the run goes on, and the stored answers cost nothing.
    server.behave(answers="mock")
    code, out, line = build(tmp_path, server, flow_server)
    assert code == 0, line
    verdicts = {row["verdict"]: row["briefs"] for row in json.loads(out)["funnel"]}
    assert (verdicts["accepted"], verdicts["rejected"]) == (24 - 2 * FIRST, 2 * FIRST)
    assert server.billed() == 24


def test_a_build_that_began_well_ends_when_later_answers_break_one_rule(
    tmp_path: Path, server: ModelServer, flow_server: PrivateServer
) -> None:
    """From the ninth answer on the server says two turns, whatever the template asks for."""
    echo = {"turns": [{"role": "user", "text": "Hello."}, {"role": "agent", "text": "Hello."}]}
    short = OddReply(fields={"message": {"content": json.dumps(echo)}})
    server.behave(answers="mock", odd=[short.as_json()], odd_after=FIRST)
    # A chunk fills half the slots: the first part has 30 briefs, and the last 10 are not asked.
    part = {"briefs.max_dialogues": 40, "generate.chunk_size": 15}
    code, out, _ = build(tmp_path, server, flow_server, **part)
    line = json.loads(out)["message"]
    assert code == 0 and "of the last 25 first answers break the rule template-length" in line
    assert "redial why demo/" in line and '; one of them: {"turns"' in line
    assert (server.billed(), stored(tmp_path)) == (30, 30)


def test_answers_that_cannot_be_read_end_a_build(
    tmp_path: Path, server: ModelServer, flow_server: PrivateServer
) -> None:
    prose = OddReply(fields={"message": {"content": "Which film shall it be?"}})
    server.behave(odd=[prose.as_json()])
    code, out, line = build(tmp_path, server, flow_server)
    assert (code, out) == (2, "")
    assert "answers are unusable: the answer is no JSON dialogue" in line
    assert "one of them: Which film shall it be?" in line
    assert FIRST <= server.billed() <= FIRST + IN_FLIGHT


def test_the_rule_can_be_switched_off(
    tmp_path: Path, server: ModelServer, flow_server: PrivateServer
) -> None:
    off = {"generate.limits.stop_after_rejected": 0}
    code, _, line = build(tmp_path, server, flow_server, **off)
    assert (code, server.billed(), stored(tmp_path)) == (2, 24, 24)
    assert "first answers" not in line  # there is nothing to release, and that is what it says

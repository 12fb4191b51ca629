"""`redial retry` asks again for chosen briefs: a mended server is asked, and nothing else is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows.server.ephemeral import PrivateServer
from tests.support.command import environment_with, run_redial
from tests.support.model_process import ModelServer, model_server
from tests.support.odd_replies import OddReply

BRIEFS = 12
SETTINGS = {
    "briefs.max_dialogues": BRIEFS,
    "generate.model": "openai/gpt-4o-mini",
    "generate.max_attempts": 1,
    "generate.limits.stop_after_unusable": 0,
    "generate.limits.stop_after_rejected": 0,
}


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with model_server(answers="mock") as server:
        yield server


class Redial:
    """The command, with the server as its model."""

    def __init__(self, data: Path, server: ModelServer, flows: PrivateServer) -> None:
        chosen = {**SETTINGS, "generate.api_base": server.address}
        self._words = [
            word for name, value in chosen.items() for word in ("--set", f"{name}={value}")
        ]
        self._environment = {**environment_with(flows), "OPENAI_API_KEY": "sk-retry-0123456789"}
        self._data = data

    def __call__(self, *words: str) -> tuple[int, dict[str, Any], str]:
        """Run it; return its exit code, its JSON and what it wrote beside."""
        words = (*words, "--json", *self._words)
        done = run_redial(self._data, *words, environment=self._environment)
        return done.returncode, json.loads(done.stdout or "{}"), done.stderr

    def rows(self, query: str) -> list[Any]:
        with duckdb.connect(str(self._data / "warehouse" / "demo.duckdb"), read_only=True) as con:
            return [row[0] for row in con.execute(query).fetchall()]


def verdicts(result: dict[str, Any]) -> dict[str, int]:
    return {row["verdict"]: row["briefs"] for row in result["funnel"] if row["briefs"]}


def test_chosen_briefs_are_asked_again_and_no_others(
    tmp_path: Path, server: ModelServer, flow_server: PrivateServer
) -> None:
    redial = Redial(tmp_path, server, flow_server)
    half = OddReply(fields={"message": {"content": "No."}})
    nothing = OddReply(fields={"message": {"content": ""}})
    server.behave(odd=[half.as_json(), nothing.as_json()], odd_share=0.6)
    server.reset()
    code, result, told = redial("build", "demo")
    assert code == 0, told
    ended = verdicts(result)
    assert ended["rejected"] and ended["failed"] and ended["accepted"]
    assert {row["cause"] for row in result["causes"]} == {
        "empty answer",
        "the answer is no JSON dialogue",
    }
    server.behave(odd=[])
    server.reset()
    code, result, told = redial("retry", "demo", "--rejected")
    assert code == 0, told
    assert f"{ended['rejected']} briefs are asked again" in told and "about $" in told
    assert server.billed() == ended["rejected"]
    assert verdicts(result) == {
        "accepted": ended["accepted"] + ended["rejected"],
        "failed": ended["failed"],
    }
    assert (
        redial.rows("SELECT problem FROM unusable_answers WHERE problem = 'replaced'")
        == ["replaced"] * ended["rejected"]
    )
    server.reset()
    code, result, told = redial("retry", "demo", "--empty")
    assert (code, verdicts(result)) == (0, {"accepted": BRIEFS}), told
    assert server.billed() == ended["failed"]
    # One brief that was accepted, by the first digits of its id.
    (chosen,) = redial.rows("SELECT dialogue_id FROM briefs ORDER BY brief_order LIMIT 1")
    server.reset()
    code, result, told = redial("retry", "demo", chosen[:8])
    assert (code, server.billed()) == (0, 1), told
    assert redial("build", "demo")[0] == 0 and server.billed() == 1
    for words, line in MISTAKES.items():
        code, result, told = redial("retry", "demo", *words)
        assert (code, result) == (2, {}), told
        assert [each for each in told.splitlines() if each.startswith("redial: ")][-1] == line
    assert server.billed() == 1
    code, _, told = redial("retry", "demo", chosen, "--set", "generate.temperature=0.1")
    assert code == 2 and "was not built with these settings" in told
    assert "generate.temperature" in told and "redial build demo" in told
    assert server.billed() == 1


MISTAKES = {
    (): "redial: say which briefs: --failed, --rejected, --empty, or their ids",
    ("--failed",): "redial: no brief of demo is failed: see `redial funnel demo`",
    ("ffffffffffffffff",): (
        "redial: there is no dialogue ffffffffffffffff in the warehouse of demo: "
        "`redial build demo` makes them"
    ),
}


def test_a_domain_that_was_never_built_is_one_line(
    tmp_path: Path, server: ModelServer, flow_server: PrivateServer
) -> None:
    code, _, told = Redial(tmp_path, server, flow_server)("retry", "demo", "--failed")
    assert code == 2 and told.count("redial: ") == 1

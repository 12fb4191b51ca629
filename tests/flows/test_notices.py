"""What is posted about runs: the cause, a page that can still be opened, refusals before a flow, completed runs if wished."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from flows.notices import ADDRESS, COMPLETED_TOO, is_reported
from tasks.funnel import provider_is_down
from tests.support.command import run_redial
from tests.support.model_process import model_server
from tests.support.webhook_receiver import webhook_receiver


def environment(webhook: str, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_API")}
    return {**kept, ADDRESS: webhook, "OPENAI_API_KEY": "of the test", **more}


def test_a_build_refused_before_its_flow_is_posted(tmp_path: Path) -> None:
    with webhook_receiver() as (webhook, received):
        done = run_redial(
            tmp_path, "build", "demo", "--model", "no-provider", environment=environment(webhook)
        )
        missing = run_redial(tmp_path, "build", "nowhere", environment=environment(webhook))
    assert done.returncode == missing.returncode == 2
    assert [(one["state"], one["run"]) for one in received] == [
        ("Refused", "build demo"),
        ("Refused", "build nowhere"),
    ]
    assert "no-provider" in received[0]["message"] and "nowhere" in received[1]["text"]


def test_an_unreachable_hook_is_said_once_and_changes_nothing(tmp_path: Path) -> None:
    nobody = environment("http://127.0.0.1:9/hook")
    done = run_redial(tmp_path, "build", "nowhere", environment=nobody)
    assert done.returncode == 2
    assert done.stderr.count(f"not sent to {ADDRESS}: ConnectError") == 1


@pytest.mark.parametrize(
    ("values", "completed", "expected"),
    [
        ({}, False, False),
        ({ADDRESS: "http://x"}, False, True),
        ({ADDRESS: "http://x"}, True, False),
        ({ADDRESS: "http://x", COMPLETED_TOO: "1"}, True, True),
    ],
)
def test_who_wants_to_know(
    values: dict[str, str], completed: bool, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (ADDRESS, COMPLETED_TOO):
        monkeypatch.delenv(name, raising=False)
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    assert is_reported(completed=completed) is expected


def test_only_servers_that_do_not_answer_are_a_provider_that_is_down() -> None:
    down = {"verdict": "failed", "cause": "server overloaded or broken, status 503"}
    no_answer = {"verdict": "failed", "cause": "no connection to the server"}
    other: dict[str, Any] = {"verdict": "rejected", "cause": "rule readable"}
    assert provider_is_down([down, no_answer])
    assert not provider_is_down([]) and not provider_is_down([down, other])
    assert not provider_is_down([{**down, "cause": "request refused by the provider"}])


@pytest.mark.heavy
def test_a_provider_that_is_down_and_a_completed_run_are_posted_with_a_page(tmp_path: Path) -> None:
    with model_server(down=True) as server, webhook_receiver() as (webhook, received):
        chosen = environment(webhook, **{COMPLETED_TOO: "1"})
        asked = ("--model", "openai/gpt-4o-mini", "--api-base", server.address)
        few = ("--max-dialogues", "3", "--set", "generate.limits.max_retries=0")
        done = run_redial(tmp_path, "build", "demo", *asked, *few, environment=chosen)
        assert done.returncode == 2, done.stderr
        server.behave(down=False, answers="mock")
        done = run_redial(tmp_path, "build", "demo", *asked, *few, environment=chosen)
        assert done.returncode == 0, done.stderr
    assert [one["state"] for one in received] == ["Provider down", "Completed"], json.dumps(
        received
    )
    assert "status 503" in received[0]["message"]
    page = Path(unquote(urlsplit(received[1]["page"]).path))
    assert page.is_file() and page.suffix == ".html"

"""`redial probe`, and the first build with a server that nothing is known of."""

from __future__ import annotations

import json
from pathlib import Path

from flows.server.ephemeral import PrivateServer
from tests.support.command import environment_with, run_redial
from tests.support.model_process import ModelServer

MODEL = ("--model", "hosted_vllm/mine", "--api-base")


def test_a_probe_prints_what_it_found_and_keeps_it(server: ModelServer, tmp_path: Path) -> None:
    server.behave(answers="prose", schema="whole", window=4096)
    done = run_redial(tmp_path, "probe", *MODEL, server.address, "--json")
    found = json.loads(done.stdout)
    assert (found["structured_output"], found["context_tokens"]) == ("json_schema", 4096)
    assert found["answers"] == server.tally()["billed"] == 2 and found["usage"]
    known = json.loads((tmp_path / "warehouse" / "models.json").read_text("utf-8"))
    assert list(known) == [f"hosted_vllm/mine {server.address}"]
    shown = run_redial(tmp_path, "probe", *MODEL, server.address)
    assert "the server cut a prompt of about" in shown.stdout and "num_ctx" in shown.stdout


def test_a_probe_of_a_cascade_asks_each_model(server: ModelServer, tmp_path: Path) -> None:
    server.behave(answers="prose", schema="whole", window=16384, list_window=True)
    server.reset()
    models = ", ".join(
        f"{{model: hosted_vllm/{name}, api_base: '{server.address}'}}" for name in ("mine", "other")
    )
    mock_first = f"generate.models=[offline/writer, {models}]"
    done = run_redial(tmp_path, "probe", "--set", mock_first, "--json")
    found = json.loads(done.stdout)
    assert [one["model"] for one in found] == ["hosted_vllm/mine", "hosted_vllm/other"]
    assert [one["context_tokens"] for one in found] == [16384, None]
    assert server.billed() == sum(one["answers"] for one in found)
    known = json.loads((tmp_path / "warehouse" / "models.json").read_text("utf-8"))
    assert len(known) == 2


def test_a_probe_of_nobody_is_one_line(tmp_path: Path) -> None:
    done = run_redial(tmp_path, "probe", *MODEL, "http://127.0.0.1:1/v1")
    assert done.returncode == 2 and "hosted_vllm/mine does not answer" in done.stderr
    mock = run_redial(tmp_path, "probe")
    assert mock.returncode == 2 and "the mock model has nothing to find out" in mock.stderr


def test_a_first_build_asks_at_most_three_times_what_a_server_can_do(
    server: ModelServer, flow_server: PrivateServer, tmp_path: Path
) -> None:
    """The second build knows; both go by it, so the second one pays for nothing."""
    server.behave(answers="mock", json_object=True, window=16384, list_window=True)
    build = ("build", "demo", "--max-dialogues", "4", *MODEL, server.address)
    environment = environment_with(flow_server)
    first = run_redial(tmp_path, *build, environment=environment)
    assert first.returncode == 0, first.stderr
    line = "structured output json_object; context window 16,384 tokens (server)"
    assert line in first.stderr
    paid = server.billed()
    assert paid >= 4 + 2
    second = run_redial(tmp_path, *build, environment=environment)
    assert second.returncode == 0 and server.billed() == paid
    assert line not in second.stderr

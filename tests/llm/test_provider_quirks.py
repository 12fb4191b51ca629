"""What comes of each quirk of providers and local servers: calls, bill, what is stored, the line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.errors import UserError
from tasks.llm import Answer, CallFailed, RunStopped
from tasks.prompts.answer_schema import answer_schema
from tests.llm.test_odd_replies import ask_many, ask_once, load, odd_settings
from tests.support.model_process import ModelServer
from tests.support.provider_quirks import ANSWER, QUIRKS, Quirk
from tests.support.writing import templates

SCHEMA = {
    "type": "json_schema",
    "json_schema": {"name": "dialogue", "schema": answer_schema(templates()[0].turns, "<$slot>")},
}


@pytest.mark.parametrize("name", QUIRKS)
def test_each_quirk_has_its_outcome(server: ModelServer, tmp_path: Path, name: str) -> None:
    quirk = QUIRKS[name]
    server.behave(odd=[quirk.reply.as_json()], odd_tries=quirk.tries)
    server.reset()
    outcome, line, journal = _ask(server, tmp_path)
    tally = server.tally()
    assert (outcome, tally["billed"], tally["requests"]) == (
        quirk.outcome,
        quirk.billed,
        quirk.requests,
    ), line
    assert quirk.text in line
    con, loaded = load(journal)
    stored = con.execute("SELECT text FROM responses").fetchall()
    assert len(stored) == (quirk.outcome == "answer")
    assert loaded.unusable == quirk.billed - len(stored)
    kinds = {row[0] for row in con.execute("SELECT problem FROM unusable_answers").fetchall()}
    assert quirk.outcome == "answer" or kinds <= {quirk.outcome}
    paid = con.execute(
        "SELECT count(*) FILTER (cost_usd > 0) FROM (FROM responses SELECT cost_usd "
        "UNION ALL FROM unusable_answers SELECT cost_usd)"
    ).fetchall()
    assert paid == [(quirk.billed,)]


def _ask(server: ModelServer, folder: Path) -> tuple[str, str, Path]:
    try:
        found, session, journal = ask_once(
            folder, odd_settings(server, max_retries=2), response_format=SCHEMA
        )
    except UserError as error:
        return "fatal", str(error), folder / "0.jsonl"
    if isinstance(found, Answer):
        return "answer", "; ".join(map(str, session.adaptations)), journal
    assert isinstance(found, CallFailed)
    return found.kind, str(found), journal


def test_there_are_at_least_forty_quirks() -> None:
    assert len(QUIRKS) >= 40
    assert len({repr(quirk.reply) for quirk in QUIRKS.values()}) >= 40
    silent = [name for name, quirk in QUIRKS.items() if quirk.outcome != "answer"]
    assert not [name for name in silent if not QUIRKS[name].text]


def _stopped(server: ModelServer, folder: Path, calls: int, **limits: object) -> RunStopped:
    """Ask many questions at once and return what ended the run."""
    session = ask_many(folder, odd_settings(server, max_retries=2, **limits), calls)
    assert isinstance(session.stopped, RunStopped), session.stopped
    return session.stopped


SILENT = [
    name
    for name, quirk in QUIRKS.items()
    if quirk.billed and quirk.outcome not in ("answer", "fatal")
]


@pytest.mark.parametrize("name", SILENT)
def test_a_run_of_answers_that_say_nothing_ends_early(
    server: ModelServer, tmp_path: Path, name: str
) -> None:
    quirk = QUIRKS[name]
    server.behave(odd=[quirk.reply.as_json()])
    server.reset()
    in_flight, first = 4, 8
    stopped = _stopped(server, tmp_path, 60, concurrency=in_flight, stop_after_unusable=first)
    assert stopped.reason == "answers"
    assert str(stopped).startswith("all ") and quirk.text in str(stopped)
    assert first <= server.tally()["billed"] <= first + in_flight


def test_twenty_of_the_last_25_end_a_run_that_began_well(
    server: ModelServer, tmp_path: Path
) -> None:
    quirk: Quirk = QUIRKS["refusal"]
    server.behave(odd=[quirk.reply.as_json()], odd_share=0.9)
    server.reset()
    # A tenth of the answers is good, and the first rule needs more than are looked back on.
    stopped = _stopped(server, tmp_path, 200, concurrency=2, stop_after_unusable=100)
    assert stopped.reason == "answers"
    assert "of the last" in str(stopped)
    assert server.tally()["billed"] < 60


def test_the_watch_can_be_switched_off(server: ModelServer, tmp_path: Path) -> None:
    server.behave(odd=[QUIRKS["refusal"].reply.as_json()])
    server.reset()
    with pytest.raises(AssertionError):  # nothing ended the run
        _stopped(server, tmp_path, 30, concurrency=2, stop_after_unusable=0)
    assert server.tally()["billed"] == 30


PARTS = ("content as a list of parts", "content as parts, one of them thinking")


@pytest.mark.parametrize(
    "provider", ["hosted_vllm", "mistral", "openrouter", "azure", "ollama_chat"]
)
@pytest.mark.parametrize("name", PARTS)
def test_a_list_of_parts_is_read_through_every_provider_and_paid_once(
    server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: str, name: str
) -> None:
    for key in ("MISTRAL", "OPENROUTER", "AZURE"):
        monkeypatch.setenv(f"{key}_API_KEY", "sk-0123456789")
    server.behave(odd=[QUIRKS[name].reply.as_json()])
    server.reset()
    asked = odd_settings(server, f"{provider}/mine", max_retries=2)
    if provider in ("azure", "ollama_chat"):
        asked = asked.model_copy(update={"api_base": server.address.removesuffix("/v1")})
    found, _, _ = ask_once(tmp_path, asked)
    assert isinstance(found, Answer) and found.text == ANSWER
    assert server.tally()["billed"] == 1


def test_an_answer_in_reasoning_is_stored_as_the_answer(
    server: ModelServer, tmp_path: Path
) -> None:
    server.behave(odd=[QUIRKS["answer in reasoning, content empty"].reply.as_json()])
    found, _, _ = ask_once(tmp_path, odd_settings(server, max_retries=2))
    assert isinstance(found, Answer) and found.text == ANSWER

"""Every question goes through the one client of a model, so a repeated evaluation sends nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

import duckdb
import pytest

from flows.evaluation.client import asking
from flows.evaluation.models import model_settings
from flows.options import EvaluationOptions
from flows.progress import CURRENT, Silent
from tasks.errors import UserError
from tasks.evaluation.concurrent_asks import ask_all
from tasks.evaluation.prompts import load_recommend_profile
from tasks.evaluation.quality import (
    judge_pairs,
    judge_utterances,
    load_judge_profile,
    pair_tasks,
    utterance_tasks,
)
from tasks.evaluation.recommend import Benchmark
from tasks.evaluation.references import knowledge
from tasks.evaluation.samples import recommendation_samples
from tasks.evaluation.splits import split_samples
from tasks.llm import (
    Answer,
    Budget,
    RunStopped,
    Session,
    StoredAnswers,
    Usage,
    WriteAheadLog,
    load_journal,
)
from tasks.settings import Home, Limits
from tasks.warehouse import create_tables
from tests.support.evaluation_rows import model_results
from tests.support.talk import talk_corpus


async def evaluate(con: duckdb.DuckDBPyConnection, journal_path: Path) -> tuple[Usage, object]:
    """Ask everything there is to ask about a corpus, and return what was sent and what came out."""
    corpus = talk_corpus()
    split = split_samples(recommendation_samples(corpus).samples, "time", shares=(0.5, 0.0, 0.5))
    benchmark = Benchmark(corpus, split, split.test, knowledge(corpus, split), "movie", 1)
    profile, judge = load_recommend_profile(Home(), "recommend_json"), load_judge_profile(Home())
    session = Session(
        model_settings("offline/writer", None, None, profile.temperature),
        StoredAnswers.of(con),
        Budget(None),
        "run",
    )
    journal = WriteAheadLog(journal_path)
    rows = [
        await model_results(
            benchmark,
            lambda name: session.ask_for(name, 1, journal),
            profile,
            "offline/writer",
            setting,
            history=history,
        )
        for setting in ("zero-shot", "few-shot")
        for history in (False, True)
    ]
    other = type(corpus)("other", corpus.dialogues)
    scored = await judge_utterances(
        lambda name: session.ask_for(name, 1, journal),
        judge,
        "j",
        utterance_tasks([corpus], dialogues=2),
    )
    pairs = await judge_pairs(
        lambda name: session.ask_for(name, 1, journal),
        judge,
        "j",
        pair_tasks(corpus, [other], pairs=2),
    )
    await journal.close()
    if journal_path.exists():
        load_journal(con, journal_path)
    return session.meter.usage, (rows, scored, pairs)


async def test_a_repeated_evaluation_sends_no_call(tmp_path: Path) -> None:
    con = duckdb.connect()
    create_tables(con)
    first, made = await evaluate(con, tmp_path / "first.jsonl")
    second, again = await evaluate(con, tmp_path / "second.jsonl")
    assert first.answered > 0 and second.answered == 0
    assert second.stored >= first.answered
    assert again == made


async def test_the_evaluations_store_answers_a_second_run_and_leaves_no_journal(
    tmp_path: Path,
) -> None:
    home, profile = Home(data=tmp_path), load_recommend_profile(Home(), "recommend_json")
    used: list[tuple[int, int]] = []
    for run in ("first", "second"):
        async with asking(home, run) as client:
            ask_for = client.of(model_settings("offline/writer", None, None, profile.temperature))
            await ask_for("q")(({"role": "user", "content": "Task: recommend\n\nSay nothing."},))
            usage = client.usage
        used.append((usage.answered, usage.stored))
        assert not list(home.journals("_evaluation").iterdir())
    assert used == [(1, 0), (0, 1)]


async def test_a_run_that_had_to_stop_keeps_what_was_answered_and_says_how_to_go_on(
    tmp_path: Path,
) -> None:
    home, question = Home(data=tmp_path), ({"role": "user", "content": "Task: recommend"},)
    with pytest.raises(UserError, match="the money is gone; what was answered is kept"):
        async with asking(home, "first") as client:
            await client.of(model_settings("offline/writer", None, None, 0.0))("q")(question)
            raise RunStopped("budget", "the money is gone")
    async with asking(home, "second") as client:
        await client.of(model_settings("offline/writer", None, None, 0.0))("q")(question)
        assert (client.usage.answered, client.usage.stored) == (0, 1)


async def test_unusable_answers_are_reported(tmp_path: Path) -> None:
    said: list[tuple[str, str, str]] = []

    class Sink(Silent):
        def stage(self, name: str, state: str, detail: str = "") -> None:
            said.append((name, state, detail))

    home = Home(data=tmp_path)
    home.journals("_evaluation").mkdir(parents=True)
    (home.journals("_evaluation") / "1.jsonl").write_bytes(b"not json\ntorn")
    token = CURRENT.set(Sink())
    try:
        async with asking(home, "run"):
            pass
    finally:
        CURRENT.reset(token)
    ((name, state, detail),) = said
    assert (name, state) == ("set aside", "done")
    assert "1 journal lines hold no answer" in detail and "1 journals of killed processes" in detail


async def test_one_budget_is_shared_by_every_model(tmp_path: Path) -> None:
    home, question = Home(data=tmp_path), ({"role": "user", "content": "Task: recommend"},)
    priced = model_settings("offline/writer", None, EvaluationOptions(budget_usd=5.0).limits(), 0.0)
    priced = priced.model_copy(
        update={"input_cost_per_token": 0.001, "output_cost_per_token": 0.001, "max_tokens": 16}
    )
    with pytest.raises(
        UserError,
        match=(
            r"would pass the budget of \$0.05 for this run: \$0.0\d+ is spent.* what was answere"
            r"d is kept"
        ),
    ):
        async with asking(home, "first", 0.05) as client:
            for seed in range(9):
                await client.of(priced.model_copy(update={"seed": seed}))("q")(question)
    async with asking(home, "second") as client:
        await client.of(priced.model_copy(update={"seed": 0}))("q")(question)
        assert (client.usage.answered, client.usage.stored) == (0, 1)


async def test_a_model_without_answers_is_reported_and_gives_no_zeros(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    nowhere = model_settings("openai/gpt-4o-mini", "http://127.0.0.1:9/v1", None, 0.0)
    nowhere = nowhere.model_copy(
        update={"limits": nowhere.limits.model_copy(update={"max_retries": 0})}
    )
    question = ({"role": "user", "content": "Task: recommend"},)
    async with asking(Home(data=tmp_path), "run") as client:
        await ask_all(
            [(client.of(model_settings("offline/writer", None, None, 0.0))("q"), question)]
        )
        client.check_answered()
        assert await ask_all([(client.of(nowhere)("q"), question)]) == [None]
        with pytest.raises(
            UserError,
            match="openai/gpt-4o-mini answered none of 1 questions; the last time: .*onnect",
        ):
            client.check_answered()


def test_limits_are_those_that_were_chosen_else_the_builds_own() -> None:
    assert EvaluationOptions().limits() == Limits()
    chosen = {"budget_usd": 2.0, "concurrency": 3, "rpm": 60, "tpm": 9000}
    assert EvaluationOptions.model_validate(chosen).limits() == Limits.model_validate(chosen)


async def test_running_calls_are_awaited_before_a_stop_is_reported() -> None:
    done: list[str] = []

    class Slow:
        def __init__(self, name: str) -> None:
            self.name = name

        async def __call__(self, messages: object, **_: object) -> Answer:
            await asyncio.sleep(0.01 if self.name != "stops" else 0)
            if self.name == "stops":
                raise RunStopped("budget", "gone")
            done.append(self.name)
            return Answer("k", self.name, "stop", 1, 1, 0.0, 0.0, "m", None, "m", "", 0, "")

    with pytest.raises(RunStopped):
        await ask_all([(Slow(name), ()) for name in ("a", "stops", "b")])  # type: ignore[misc]
    assert done == ["a", "b"]

"""A plan against what is then used: the mock server counts with the model's tokenizer and bills."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest
import tiktoken

from flows.cli.build import duration
from flows.plan import as_row
from tasks.briefs.values import Brief
from tasks.generate import Dual, Plan, Single, Work, generate_transcripts, plan_work, variants
from tasks.generate.estimate import hours_at, ratio_of_sums
from tasks.goals import load_goals
from tasks.intervals import Interval
from tasks.llm import TokenCounter
from tasks.prompts import load_profile, render
from tasks.settings import Generate, Home, Limits
from tests.support import made_up_briefs
from tests.support.model_process import ModelServer

COUNT = 160
# Of 20 intervals of 95 %, 19 should hold the truth; fewer than 16 has a probability of 0.3 %.
MIN_COVERED = 16


def settings(server: ModelServer, **more: Any) -> Generate:
    return Generate(**{"model": "openai/gpt-4o-mini", "api_base": server.address, **more})


def work(count: int = COUNT, rollout: str = "single") -> Work:
    profile, goals = made_up_briefs.profile_and_goals()
    chosen = Dual(profile, goals) if rollout == "dual" else Single(partial(render, profile, goals))
    return Work(made_up_briefs.ids(count), made_up_briefs.curated, chosen, "grounded")


def plan(con: duckdb.DuckDBPyConnection, what: Work, chosen: Generate, **more: Any) -> Plan:
    return asyncio.run(plan_work(con, what, [chosen], **more))[0]


def off(planned: Interval | None, used: float) -> float:
    assert planned is not None
    return abs(planned.value - used) / used


@pytest.mark.parametrize(("rollout", "count"), [("single", COUNT), ("dual", 20)])
def test_a_plan_is_within_a_tenth_of_what_is_used(
    server: ModelServer, con: duckdb.DuckDBPyConnection, tmp_path: Path, rollout: str, count: int
) -> None:
    server.behave(answers="mock", tokens="exact")
    what, chosen = work(count, rollout), settings(server)
    planned = plan(con, what, chosen, sample=60 if count > 60 else 10)
    counts = asyncio.run(generate_transcripts(con, what, chosen, tmp_path / "journals", "r"))
    tally = server.tally()
    assert counts.answered == count
    assert off(planned.calls, tally["billed"]) < 0.1
    assert off(planned.input_tokens, tally["prompt_tokens"]) < 0.1
    assert off(planned.output_tokens, tally["completion_tokens"]) < 0.1
    assert off(planned.dollars, counts.usage.cost_usd) < 0.1
    after = plan(con, what, chosen, sample=60 if count > 60 else 10)
    assert (after.calls.value, after.written, after.dollars and after.dollars.value) == (
        0,
        count,
        0,
    )


GERMAN = (
    "Geschichte Schauspielerin außergewöhnlich Musik langsam Überraschung ehrlich Szene gefühlvoll "
    "Enttäuschung witzig Landschaftsaufnahmen trotzdem Ende Stimme"
).split()


def german_brief(dialogue_id: str) -> Brief:
    """Return a brief whose reviews are of German words."""
    made = made_up_briefs.curated_brief(dialogue_id)

    def translated(text: str | None) -> str | None:
        known = dict(zip(made_up_briefs.WORDS, GERMAN, strict=True))
        return text and " ".join(known[word] for word in text.split())

    items = (
        replace(
            item,
            user_review=translated(item.user_review),
            other_review=translated(item.other_review),
        )
        for item in made.items
    )
    return replace(made, items=tuple(items))


def test_the_prompts_of_a_german_plan_are_within_a_tenth_of_what_is_billed(
    server: ModelServer, con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """German texts and German wording, billed by a server that counts with o200k."""
    server.behave(tokens="exact")
    profile, goals = (
        load_profile(Home(), "grounded", "de"),
        load_goals(Home(), "de").worded("Film", "gesehen"),
    )
    briefs = {name: german_brief(name) for name in made_up_briefs.ids(COUNT)}

    def fetch(names: Sequence[str]) -> list[Brief]:
        return [briefs[name] for name in names]

    what = Work(list(briefs), fetch, Single(partial(render, profile, goals)), "grounded")
    chosen = settings(server)
    planned = plan(con, what, chosen, sample=60)
    counts = asyncio.run(generate_transcripts(con, what, chosen, tmp_path / "journals", "r"))
    tally = server.tally()
    assert counts.answered == COUNT
    assert "ß" in "".join(map(str, next(iter(briefs.values())).items))
    assert off(planned.input_tokens, tally["prompt_tokens"]) < 0.1


def test_a_pilot_corrects_what_was_not_known(
    server: ModelServer, con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """This model answers everything at about the same length, which a pilot of 60 shows."""
    server.behave(answers="echo", words=1600, tokens="exact")
    what, chosen = work(), settings(server)
    cold = plan(con, what, chosen)
    asyncio.run(generate_transcripts(con, work(60), chosen, tmp_path / "journals", "pilot"))
    warm = plan(con, what, chosen)
    server.reset()
    counts = asyncio.run(generate_transcripts(con, what, chosen, tmp_path / "journals", "r"))
    tally = server.tally()
    assert (warm.written, round(warm.calls.value)) == (
        60,
        COUNT - 60,
    ) and "60 stored answers" in warm.output_from
    assert (
        off(warm.output_tokens, tally["completion_tokens"]) < 0.1
        and off(warm.dollars, counts.usage.cost_usd) < 0.1
    )
    assert off(warm.input_tokens, tally["prompt_tokens"]) < 0.1
    assert (
        "mock model" in cold.output_from
        and off(cold.output_tokens, tally["completion_tokens"] * COUNT / (COUNT - 60)) > 0.2
    )


def test_openai_models_are_counted_with_their_own_tokenizer() -> None:
    """As the server counts, which knows a model by its bare name."""
    german = "Ich habe diesen wunderbaren Film gesehen und überragend gefunden. " * 10
    asked = ({"role": "user", "content": german},)
    counter = TokenCounter.of("openai/gpt-4o-mini")
    own = tiktoken.get_encoding("o200k_base")
    assert counter.text(german) == len(own.encode(german)) == 131
    assert counter.messages(asked) == 131 + 7
    assert TokenCounter.of("azure/gpt-4.1-mini").text(german) == 131
    assert TokenCounter.of("openai/gpt-4-turbo").text(german) == 181
    assert TokenCounter.of("openai/mine").text(german) == 181


def test_the_interval_of_a_model_never_seen_holds_what_it_writes(
    server: ModelServer, con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """At the mock model's length, and where it writes half or twice as much."""
    server.behave(answers="mock", tokens="exact")
    what, chosen = work(30), settings(server)
    cold = plan(con, what, chosen)
    assert "not seen" in cold.output_from and cold.dollars is not None
    assert cold.dollars.low < cold.dollars.value < cold.dollars.high
    asyncio.run(generate_transcripts(con, what, chosen, tmp_path / "journals", "r"))
    wrote = server.tally()["completion_tokens"]
    assert cold.output_tokens.low <= wrote / 1.9 and wrote * 1.9 <= cold.output_tokens.high


def test_an_unknown_model_is_not_an_unknown_price(con: duckdb.DuckDBPyConnection) -> None:
    several = variants(Generate(), ["openai/no-such-model", "openai/gpt-4o-mini", "offline/writer"])
    made_up, mini, offline = asyncio.run(plan_work(con, work(5), several))
    assert (made_up.is_known, mini.is_known, offline.is_known) == (False, True, True)
    assert as_row(made_up)["dollars 95 %"] == "unknown model"


def test_lengths_of_time_are_read_by_people() -> None:
    given = (0.00075, 0.5, 3.3401, 51.5, 24.0, 0.0)
    assert [duration(hours) for hours in given] == [
        "2.7 s", "30 min", "3 h 20 min", "2 d 3 h", "1 d", "0 s"
    ]  # fmt: skip


def test_models_are_compared_and_an_unknown_price_is_none(
    con: duckdb.DuckDBPyConnection,
) -> None:
    own = Generate(
        model="openai/mine",
        api_base="http://127.0.0.1:9/v1",
        input_cost_per_token=1e-6,
        output_cost_per_token=2e-6,
    )
    several = variants(
        own, ["openai/mine", "openai/gpt-4o-mini", "hosted_vllm/other", "offline/writer"]
    )
    mine, mini, other, offline = asyncio.run(plan_work(con, work(30), several))
    assert mine.dollars is not None and mine.dollars.value == pytest.approx(
        mine.input_tokens.value * 1e-6 + mine.output_tokens.value * 2e-6
    )
    assert several[1].api_base is None and mini.price is not None and mini.price.source == "litellm"
    assert mini.dollars is not None and mini.batch_dollars == pytest.approx(mini.dollars.value / 2)
    assert other.dollars is None and other.price is None and other.input_tokens.value > 0
    assert offline.dollars is not None and offline.dollars.value == 0
    assert "read from the cache cost 50% of the price" in mini.prompt_cache
    assert {mine.prompt_cache, other.prompt_cache} == {"no discount in litellm's price map"}


def test_the_mock_models_plan_is_exact(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    chosen = Generate(misbehave={"cut_off": 0.3})
    planned = plan(con, work(60), chosen)
    counts = asyncio.run(generate_transcripts(con, work(60), chosen, tmp_path / "journals", "r"))
    assert (planned.input_tokens.value, planned.output_tokens.value) == (
        counts.usage.prompt_tokens,
        counts.usage.completion_tokens,
    )


def test_a_sample_gives_an_interval_that_holds_the_truth(con: duckdb.DuckDBPyConnection) -> None:
    whole = plan(con, work(200), Generate())
    assert whole.input_tokens.low == whole.input_tokens.high == whole.input_tokens.value
    inside = 0
    for seed in range(20):
        part = plan(con, work(200), Generate(), sample=40, seed=seed)
        assert part.input_tokens.low < part.input_tokens.value < part.input_tokens.high
        inside += part.input_tokens.low <= whole.input_tokens.value <= part.input_tokens.high
    assert inside >= MIN_COVERED


def test_hours_by_hand() -> None:
    limits = Limits(rpm=300, tpm=200_000, concurrency=10)
    assert hours_at(limits, 18_000, 1, 1, 0.1) == (1.0, "300 requests a minute")
    assert hours_at(limits, 100, 24_000_000, 1, 0.1) == (2.0, "200000 tokens a minute")
    assert hours_at(limits, 3600, 1, 1, 20.0) == (2.0, "10 calls in flight, 20.0 s each")
    assert hours_at(Limits(concurrency=1), 10, 1, 10 * 580, None)[0] == pytest.approx(
        10 * 15 / 3600
    )
    assert hours_at(limits, 0, 0, 0, None) == (0.0, "nothing to send")


def test_the_ratio_of_sums_by_hand() -> None:
    assert ratio_of_sums([(2.0, 1.0), (4.0, 2.0)]) == (2.0, 0.0)
    assert ratio_of_sums([]) == (1.0, 0.0)

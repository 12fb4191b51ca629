"""What a generation will take, before a cent is spent: dialogues, calls, tokens, dollars, hours.

Input tokens are counted on real prompts, rendered from real briefs. Output tokens cannot be known
before: the mock model writes each sampled dialogue, and its text is counted with the model's
tokenizer; the interval is as wide as half and twice that. Once answers of that model are stored,
the estimate is scaled by the tokens that they really used over those that the mock model would have
used for the same requests.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import stdev

import duckdb

from tasks.fingerprint import unit
from tasks.generate.dry_run import DryRun, DryRunAsk, DryRunCounts
from tasks.generate.work import Work
from tasks.intervals import Interval, sample_total
from tasks.llm import (
    OFFLINE,
    Price,
    ResponseCache,
    StoredAnswers,
    TokenCounter,
    find_price,
    is_known_model,
    prompt_cache_terms,
)
from tasks.mock_model import Written
from tasks.settings import Generate, Limits

SAMPLE = 2000  # briefs that are rendered and counted; more are estimated from them
PILOT = 200  # stored dialogues the output estimate is scaled by
ENOUGH = 20  # stored calls below which it is not
UNSEEN = 2.0  # a model of which less is stored may write this many times as much, or as little
# Of one answer, until latencies are known: the paper's 10 to 20 s a dialogue (2.6).
TOKENS_PER_S = 40.0
FIRST_TOKEN_S = 0.5
BATCH = 200  # briefs in memory at a time
_DIALOGUES_OF_MODEL = """
    SELECT DISTINCT dialogue_id
    FROM responses
    WHERE model = ?
      AND attempt = ?
"""
_LATENCY_OF_MODEL = """
    SELECT avg(latency_s)
    FROM responses
    WHERE model = ?
      AND batch_id = ''
"""


@dataclass(frozen=True)
class Plan:
    """What one model would take for some work.

    Attributes:
        dialogues: briefs in all; of `written` of them all answers are stored.
        dollars: None when the price is unknown.
        batch_dollars: the same through the provider's batch API, where its price is known and
            differs.
        is_known: whether litellm's price map has the model.
        prompt_cache: what the provider takes for input tokens that its cache holds, in words; not
            part of the dollars, which are an upper bound.
        hours: at the limits set; `bound_by` says which limit it is.
        output_from: where the estimate of output tokens comes from, in words.
        sampled: briefs that were rendered and counted.
    """

    model: str
    profile: str
    rollout: str
    dialogues: int
    written: int
    calls: Interval
    input_tokens: Interval
    output_tokens: Interval
    price: Price | None
    dollars: Interval | None
    batch_dollars: float | None
    is_known: bool
    prompt_cache: str
    hours: float
    bound_by: str
    output_from: str
    sampled: int


def variants(settings: Generate, models: Sequence[str]) -> list[Generate]:
    """Return the settings for several models side by side.

    Endpoint and own prices belong to the configured models alone.
    """
    known = {one.model: one for one in settings.each_model()}
    alone = {"api_base": None, "input_cost_per_token": None, "output_cost_per_token": None}
    other = settings.at_attempt(1)
    return [
        known.get(model) or other.model_copy(update={"model": model, **alone}) for model in models
    ]


async def plan_work(
    con: duckdb.DuckDBPyConnection,
    work: Work,
    several: Sequence[Generate],
    *,
    seed: int = 0,
    sample: int = SAMPLE,
    stored: ResponseCache | None = None,
) -> tuple[Plan, ...]:
    """Return a plan of the work for each of several settings.

    Nothing is sent and nothing is stored.

    Args:
        con: the warehouse, for briefs and stored answers.
        work: what is to be written.
        several: settings to compare, as from `variants`.
        seed: of the sample.
        sample: most briefs to render.
        stored: answers that cost nothing; those of the warehouse if not given.

    Raises:
        UserError: a model's name without a provider, or a password in an endpoint.
    """
    ids = _sampled(work.ids, seed, "plan", sample)
    cache = stored or StoredAnswers.of(con)
    written: dict[str, Written] = {}
    plans = []
    for settings in several:
        run = DryRun(settings, cache, TokenCounter.of(settings.model), written)
        counts = await _dry_run(work, ids, run)
        answered = _sampled(_answered(con, work, settings), seed, "pilot", PILOT)
        pilot = await _dry_run(work, answered, run)
        plans.append(_plan(work, settings, counts, pilot, _latency_s(con, settings)))
    return tuple(plans)


def _sampled(ids: Iterable[str], seed: int, purpose: str, size: int) -> list[str]:
    """Return at most `size` ids, drawn without replacement."""
    return sorted(ids, key=lambda dialogue_id: unit(seed, purpose, dialogue_id))[:size]


async def _dry_run(work: Work, ids: Sequence[str], run: DryRun) -> list[DryRunCounts]:
    """Return the counts of each dialogue."""
    counts = []
    for start in range(0, len(ids), BATCH):
        for brief in work.fetch(ids[start : start + BATCH]):
            counts.append(DryRunCounts())
            await work.rollout(brief, DryRunAsk(run, counts[-1]))
    return counts


def _answered(con: duckdb.DuckDBPyConnection, work: Work, settings: Generate) -> set[str]:
    """Return the work's dialogues to which an answer of the model is stored."""
    rows = con.execute(_DIALOGUES_OF_MODEL, [settings.model, work.rollout.attempt]).fetchall()
    return {dialogue_id for (dialogue_id,) in rows}.intersection(work.ids)


def _latency_s(con: duckdb.DuckDBPyConnection, settings: Generate) -> float | None:
    """Return the mean latency of the model's stored answers, or None."""
    mean = con.execute(_LATENCY_OF_MODEL, [settings.model]).fetchall()[0][0]
    return None if mean is None else float(mean)


def _plan(
    work: Work,
    settings: Generate,
    counts: Sequence[DryRunCounts],
    pilot: Sequence[DryRunCounts],
    latency_s: float | None,
) -> Plan:
    total = len(work.ids)
    calls = sample_total([one.calls for one in counts], total)
    inputs = sample_total([one.input for one in counts], total)
    outputs = sample_total([one.output for one in counts], total)
    input_factor, output_factor = (1.0, 0.0), (1.0, 0.0)
    output_from = "the mock model's dialogues, counted with the model's tokenizer"
    stored = sum(one.stored for one in pilot)
    if stored >= ENOUGH:
        input_factor = ratio_of_sums([(one.paid_input, one.guessed_input) for one in pilot])
        output_factor = ratio_of_sums([(one.paid_output, one.guessed_output) for one in pilot])
        output_from = f"{stored} stored answers of this model"
    inputs, outputs = inputs.times(*input_factor), outputs.times(*output_factor)
    if stored < ENOUGH and not settings.model.startswith(OFFLINE):
        outputs = Interval(outputs.value, outputs.low / UNSEEN, outputs.high * UNSEEN)
        output_from += "; this model was not seen, so half or twice as much is possible"
    price, batch_price = find_price(settings), find_price(settings, batch=True)
    batch_dollars = None
    if batch_price is not None and batch_price != price:
        batch_dollars = batch_price.of(inputs.value, outputs.value)
    tokens = inputs.value + outputs.value
    hours, bound_by = hours_at(settings.limits, calls.value, tokens, outputs.value, latency_s)
    return Plan(
        model=settings.model,
        profile=work.profile,
        rollout=work.rollout.name,
        dialogues=total,
        written=round(sample_total([float(one.calls == 0) for one in counts], total).value),
        calls=calls,
        input_tokens=inputs,
        output_tokens=outputs,
        price=price,
        dollars=None if price is None else _dollars(price, inputs, outputs),
        batch_dollars=batch_dollars,
        is_known=is_known_model(settings.model),
        prompt_cache=prompt_cache_terms(settings),
        hours=hours,
        bound_by=bound_by,
        output_from=output_from,
        sampled=len(counts),
    )


def hours_at(
    limits: Limits, calls: float, tokens: float, output: float, latency_s: float | None
) -> tuple[float, str]:
    """Return the hours that calls and tokens take at the limits, and what bounds them.

    Args:
        limits: requests and tokens a minute, and calls in flight.
        calls: how many.
        tokens: of all calls, input and output.
        output: output tokens of all calls, from which the time of a call is estimated where no
            latency is known.
        latency_s: mean seconds of a call, if known.
    """
    if not calls:
        return 0.0, "nothing to send"
    call_s = FIRST_TOKEN_S + output / calls / TOKENS_PER_S if latency_s is None else latency_s
    in_flight = f"{limits.concurrency} calls in flight, {call_s:.1f} s each"
    needed = {in_flight: calls * call_s / limits.concurrency / 3600}
    if limits.rpm:
        needed[f"{limits.rpm} requests a minute"] = calls / limits.rpm / 60
    if limits.tpm:
        needed[f"{limits.tpm} tokens a minute"] = tokens / limits.tpm / 60
    bound = max(needed, key=lambda name: needed[name])
    return needed[bound], bound


def ratio_of_sums(pairs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return the ratio of sums of (used, guessed) pairs and its relative standard error."""
    used = sum(pair[0] for pair in pairs)
    guessed = sum(pair[1] for pair in pairs)
    if not used or not guessed:
        return 1.0, 0.0
    ratio = used / guessed
    residuals = [pair[0] - ratio * pair[1] for pair in pairs]
    if len(residuals) < 2:
        return ratio, 0.0
    return ratio, stdev(residuals) * math.sqrt(len(residuals)) / used


def _dollars(price: Price, inputs: Interval, outputs: Interval) -> Interval:
    return Interval(
        price.of(inputs.value, outputs.value),
        price.of(inputs.low, outputs.low),
        price.of(inputs.high, outputs.high),
    )

"""What a generation will take, before a cent is spent: dialogues, calls, tokens, dollars, hours.

Input tokens are counted on real prompts, rendered from real briefs. Output tokens nobody knows
beforehand: the embedded writer writes each sampled dialogue and its words are counted with the
model's tokenizer. Once the store holds answers of that model, the estimate is scaled by what they
really used against what the writer would have used on the very same requests.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

import duckdb

from tasks.fingerprint import unit
from tasks.generate.driver import Work
from tasks.generate.rehearsal import RehearsalAsk, Rehearsed, Stage
from tasks.llm import Price, StoredAnswers, TokenCounter, find_price
from tasks.mock_model import Written
from tasks.settings import Generate, Limits

SAMPLE = 2000  # briefs that are rendered and counted; more are estimated from them
PILOT = 200  # stored dialogues the output estimate is scaled by
ENOUGH = 20  # stored calls below which it is not
TOKENS_PER_S = (
    40.0  # of one answer, until latencies are known: the paper's 10 to 20 s a dialogue (2.6)
)
FIRST_TOKEN_S = 0.5
BATCH = 200  # briefs in memory at a time
_Z = 1.96  # of a 95 % interval


@dataclass(frozen=True)
class Estimate:
    """A total with its 95 % interval; without a spread when every brief was counted."""

    value: float
    low: float
    high: float

    def times(self, factor: float, spread: float = 0.0) -> Estimate:
        """Return it scaled by a factor that is itself known up to a relative spread (one standard error)."""
        half = math.hypot(_Z * spread * self.value, (self.high - self.low) / 2)
        return Estimate(
            self.value * factor,
            max(0.0, (self.value - half) * factor),
            (self.value + half) * factor,
        )


@dataclass(frozen=True)
class Plan:
    """What one model would take for the work at hand.

    Attributes:
        dialogues: briefs in all; `written` of them have all their answers in the store.
        dollars: None when the price is unknown.
        batch_dollars: the same through the provider's batch API, where its price is known and
            differs.
        hours: at the limits set; `bound_by` says which limit it is.
        output_from: where the estimate of output tokens comes from, in words.
        sampled: briefs that were rendered and counted.
    """

    model: str
    profile: str
    rollout: str
    dialogues: int
    written: int
    calls: Estimate
    input_tokens: Estimate
    output_tokens: Estimate
    price: Price | None
    dollars: Estimate | None
    batch_dollars: float | None
    hours: float
    bound_by: str
    output_from: str
    sampled: int


def variants(settings: Generate, models: Sequence[str]) -> list[Generate]:
    """Return the settings for several models side by side.

    Endpoint and own prices belong to the configured model alone.
    """
    alone = {"api_base": None, "input_cost_per_token": None, "output_cost_per_token": None}
    return [
        settings.model_copy(update={"model": model, **({} if model == settings.model else alone)})
        for model in models
    ]


async def plan_work(
    con: duckdb.DuckDBPyConnection,
    work: Work,
    several: Sequence[Generate],
    *,
    seed: int = 0,
    sample: int = SAMPLE,
) -> tuple[Plan, ...]:
    """Return a plan of the work for each of several settings.

    Nothing is sent and nothing is written.

    Args:
        con: the warehouse, for briefs and for what is in the store.
        work: what is to be written.
        several: settings to compare, as from `variants`.
        seed: of the sample.
        sample: most briefs to render.

    Raises:
        UserError: a model's name without a provider, or a password in an endpoint.
    """
    chosen = sorted(work.ids, key=lambda dialogue_id: unit(seed, "plan", dialogue_id))[:sample]
    store = StoredAnswers.of(con)
    shared: dict[str, Written] = {}
    plans = []
    for settings in several:
        stage = Stage(settings, store, TokenCounter.of(settings.model), shared)
        rehearsed = await _rehearse(work, chosen, stage)
        pilot = await _rehearse(work, _answered(con, work, settings, seed), stage)
        plans.append(_plan(work, settings, rehearsed, pilot, _latency_s(con, settings)))
    return tuple(plans)


async def _rehearse(work: Work, ids: Sequence[str], stage: Stage) -> list[Rehearsed]:
    found = []
    for start in range(0, len(ids), BATCH):
        for brief in work.fetch(ids[start : start + BATCH]):
            found.append(Rehearsed())
            await work.rollout(brief, RehearsalAsk(stage, found[-1]))
    return found


def _answered(
    con: duckdb.DuckDBPyConnection, work: Work, settings: Generate, seed: int
) -> list[str]:
    """Return some of the work's dialogues that the model has answered something of."""
    query = "SELECT DISTINCT dialogue_id FROM responses WHERE model = ? AND attempt = ?"
    found = {
        row[0] for row in con.execute(query, [settings.model, work.rollout.attempt]).fetchall()
    }
    return sorted(
        found.intersection(work.ids), key=lambda dialogue_id: unit(seed, "pilot", dialogue_id)
    )[:PILOT]


def _latency_s(con: duckdb.DuckDBPyConnection, settings: Generate) -> float | None:
    """Return the mean latency of the model's stored answers, or None."""
    found = con.execute(
        "SELECT avg(latency_s) FROM responses WHERE model = ? AND batch_id = ''", [settings.model]
    ).fetchall()[0][0]
    return None if found is None else float(found)


def _plan(
    work: Work,
    settings: Generate,
    rehearsed: Sequence[Rehearsed],
    pilot: Sequence[Rehearsed],
    latency_s: float | None,
) -> Plan:
    total = len(work.ids)
    calls = _total([one.calls for one in rehearsed], total)
    scaled = sum(one.stored for one in pilot) >= ENOUGH
    input_factor, input_spread = (
        _ratio([(one.paid_input, one.guessed_input) for one in pilot]) if scaled else (1.0, 0.0)
    )
    output_factor, output_spread = (
        _ratio([(one.paid_output, one.guessed_output) for one in pilot]) if scaled else (1.0, 0.0)
    )
    inputs = _total([one.input for one in rehearsed], total).times(input_factor, input_spread)
    outputs = _total([one.output for one in rehearsed], total).times(output_factor, output_spread)
    price, batch = find_price(settings), find_price(settings, batch=True)
    known = f"{sum(one.stored for one in pilot)} stored answers of this model" if scaled else ""
    hours, bound_by = hours_at(
        settings.limits, calls.value, inputs.value + outputs.value, outputs.value, latency_s
    )
    return Plan(
        model=settings.model,
        profile=work.profile,
        rollout=work.rollout.name,
        dialogues=total,
        written=round(_total([float(one.calls == 0) for one in rehearsed], total).value),
        calls=calls,
        input_tokens=inputs,
        output_tokens=outputs,
        price=price,
        dollars=None if price is None else _dollars(price, inputs, outputs),
        batch_dollars=batch.of(inputs.value, outputs.value)
        if batch is not None and batch != price
        else None,
        hours=hours,
        bound_by=bound_by,
        output_from=known or "the embedded writer's dialogues, counted with the model's tokenizer",
        sampled=len(rehearsed),
    )


def hours_at(
    limits: Limits, calls: float, tokens: float, output: float, latency_s: float | None
) -> tuple[float, str]:
    """Return the hours that calls and tokens take at the limits, and what bounds them.

    Args:
        limits: requests and tokens a minute, and calls in flight.
        calls: how many.
        tokens: of all calls, input and output.
        output: output tokens of all calls; they tell how long a call takes where no latency is
            known.
        latency_s: mean seconds of a call, if known.
    """
    if not calls:
        return 0.0, "nothing to send"
    each = latency_s if latency_s is not None else FIRST_TOKEN_S + output / calls / TOKENS_PER_S
    needed = {
        f"{limits.concurrency} calls in flight, {each:.1f} s each": calls
        * each
        / limits.concurrency
        / 3600
    }
    if limits.rpm:
        needed[f"{limits.rpm} requests a minute"] = calls / limits.rpm / 60
    if limits.tpm:
        needed[f"{limits.tpm} tokens a minute"] = tokens / limits.tpm / 60
    bound = max(needed, key=lambda name: needed[name])
    return needed[bound], bound


def _dollars(price: Price, inputs: Estimate, outputs: Estimate) -> Estimate:
    return Estimate(
        price.of(inputs.value, outputs.value),
        price.of(inputs.low, outputs.low),
        price.of(inputs.high, outputs.high),
    )


def _total(sampled: Sequence[float], total: int) -> Estimate:
    """Return the total over `total` dialogues of what a sample without replacement shows."""
    if not sampled:
        return Estimate(0.0, 0.0, 0.0)
    mean, count = fmean(sampled), len(sampled)
    spread = (
        stdev(sampled) / math.sqrt(count) * math.sqrt(1 - count / total)
        if 1 < count < total
        else 0.0
    )
    return Estimate(
        mean * total, max(0.0, (mean - _Z * spread) * total), (mean + _Z * spread) * total
    )


def _ratio(pairs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return the ratio of sums of (seen, guessed) pairs and its relative standard error."""
    seen, guessed = sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)
    if not seen or not guessed:
        return 1.0, 0.0
    ratio = seen / guessed
    off = [pair[0] - ratio * pair[1] for pair in pairs]
    return ratio, stdev(off) * math.sqrt(len(off)) / seen if len(off) > 1 else 0.0

"""What a model on its server can do: looked up, or found out before its first build."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from prefect.logging import get_run_logger

from flows.progress import CURRENT
from flows.run_states import EndedEarly
from flows.stages import Context
from tasks.llm import (
    IN_PROCESS,
    Budget,
    CallFailed,
    KnownAnswers,
    ModelFacts,
    RunStopped,
    Session,
    Usage,
    WriteAheadLog,
    endpoint,
    find_facts,
    graceful_shutdown,
    has_answers_of,
    keep_facts,
    listed_facts,
    probe_model,
    with_facts_of_each,
)
from tasks.settings import Domain, Generate, Home

TRIES = 1  # after the first, on transient errors


@dataclass(frozen=True)
class Probed:
    """What a probe found, and what it used."""

    facts: ModelFacts
    usage: Usage

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON data."""
        return {
            **asdict(self.facts),
            "prompt_tokens": self.usage.prompt_tokens,
            "completion_tokens": self.usage.completion_tokens,
            "cost_usd": None if self.usage.unpriced else self.usage.cost_usd,
        }


async def ask_model(generate: Generate, journal: Path, run_id: str) -> Probed:
    """Ask a model what it can do; its answers are in the journal.

    Raises:
        CallFailed, RunStopped: it does not answer.
        UserError: it cannot be asked: key, model, disk.
    """
    open_limits = {"max_retries": TRIES, "context_tokens": None, "stop_after_unusable": 0}
    limits = generate.limits.model_copy(update=open_limits)
    settings = generate.model_copy(update={"limits": limits})
    session = Session(settings, KnownAnswers({}), Budget(limits.budget_usd), run_id)
    log = WriteAheadLog(journal)
    try:
        async with graceful_shutdown(session.stop, limits.shutdown_grace_s):
            return Probed(await probe_model(session, log), session.meter.usage)
    finally:
        await log.close()
        session.close()


def with_known_facts(home: Home, domain: Domain) -> Domain:
    """Return a domain's settings with what is known of its models, without asking them."""
    generate = with_facts_of_each(domain.generate, partial(_known_facts, home))
    return domain.model_copy(update={"generate": generate})


def _known_facts(home: Home, generate: Generate) -> ModelFacts | None:
    if generate.model.startswith(IN_PROCESS):
        return None
    return find_facts(home.known_models(), generate) or listed_facts(generate)


def distinct_models(generate: Generate) -> list[Generate]:
    """Return the settings of each model, the one or a cascade's, once for each server."""
    each = {(one.model, endpoint(one)): one for one in generate.each_model()}
    return list(each.values())


async def with_known_model(context: Context) -> Context:
    """Return a build's context with what is known of its models; one is asked where nothing is.

    It is asked once for each model and server, and never where a build has its answers: they were
    asked with the settings as they are.
    """
    for generate in distinct_models(context.domain.generate):
        if _is_unknown(context, generate):
            await _probe_before(context, generate)
    domain = with_known_facts(context.home, context.domain)
    return replace(context, specifications=replace(context.specifications, domain=domain))


def _is_unknown(context: Context, generate: Generate) -> bool:
    is_ours = generate.model.startswith(IN_PROCESS)
    if is_ours or generate.mode == "batch" or not generate.limits.probe:
        return False
    if _known_facts(context.home, generate) is not None:
        return False
    with context.warehouse.use() as con:
        return not has_answers_of(con, generate.model, endpoint(generate))


async def _probe_before(context: Context, generate: Generate) -> None:
    """Probe a model of a build, keep what was found, and show it in one line."""
    home = context.home
    CURRENT.get().stage("probe", "running")
    journal = home.journals(context.domain.name) / f"{time.time_ns()}-probe.jsonl"
    try:
        probed = await ask_model(generate, journal, context.run_id)
    except (CallFailed, RunStopped) as failure:
        if isinstance(failure, RunStopped) and failure.reason == "signal":
            raise EndedEarly(failure.reason, str(failure)) from None
        # The build itself says how its run ends.
        CURRENT.get().stage("probe", "failed", f"{generate.model}: {failure}")
        return
    keep_facts(home.known_models(), generate, probed.facts)
    line = line_of(probed.facts)
    name = f"{generate.model}: " if context.domain.generate.models else ""
    CURRENT.get().stage("probe", "done", f"{name}{line}")
    get_run_logger().info("%s: %s", generate.model, line)


def line_of(facts: ModelFacts) -> str:
    """Return what is known of a model in one line."""
    tokens = facts.context_tokens
    window = f"{tokens:,} tokens ({facts.window_from})" if tokens else "unknown"
    parts = [
        f"structured output {facts.structured_output}",
        f"context window {window}",
        f"token counts {'given' if facts.usage else 'missing'}",
    ]
    parts += ["reasons before it answers"] if facts.reasoning else []
    return "; ".join([*parts, *facts.problems])

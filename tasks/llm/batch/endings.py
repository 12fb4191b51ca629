"""What a batch that has ended means for the run, and what it was billed."""

from __future__ import annotations

import time
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime

from tasks.errors import UserError
from tasks.llm.batch.client import BatchClient
from tasks.llm.batch.transfer import BatchState, Collected, Member
from tasks.llm.billing import (
    UNKNOWN,
    Asked,
    Bill,
    Expected,
    bill_of,
    bill_of_failure,
    billed_answer,
)
from tasks.llm.errors import CallError, RunStopped
from tasks.llm.journal import Entry
from tasks.llm.provider_reply import Reply
from tasks.llm.refused_parameters import refused_parameter
from tasks.llm.values import Request


def reason_to_end(
    collected: Collected,
    model: str,
    *,
    too_many_invalid: int,
    answered: int,
    adaptable: frozenset[str],
) -> UserError | RunStopped | None:
    """Return why no further request should be sent after a batch; None where they may be.

    Args:
        collected: the batch.
        model: the model asked.
        too_many_invalid: refused requests without a single answer from which none will be taken.
        answered: requests of this run answered so far.
        adaptable: keys of refused requests that the provider will take without a parameter.
    """
    name, results = collected.state.batch_id, collected.results
    final = [result for key, result in results.items() if key not in adaptable]
    errors = [result for result in final if isinstance(result, CallError)]
    for error in errors:
        if error.kind == "fatal":
            return UserError(
                f"the provider refuses {model!r} in batch {name}: {error.message}; "
                "what was answered is kept"
            )
    if collected.ended == "cancelled":
        return RunStopped(
            "batch",
            f"batch {name} was cancelled at the provider; what was answered is kept, "
            "run again to send the rest",
        )
    invalid = [error for error in errors if error.kind == "invalid"]
    none_taken = len(invalid) == len(collected.state.members) and not answered
    if none_taken and len(invalid) >= too_many_invalid:
        return UserError(
            f"the provider accepted none of the {len(invalid)} requests of batch {name}: "
            f"{invalid[0].message}"
        )
    return None


def adaptable(
    results: Mapping[str, Reply | CallError], requests: Mapping[str, Request]
) -> frozenset[str]:
    """Return the keys of refused requests that will be sent again without a parameter.

    Of one that is not among `requests`, as after a restart, nothing is known; it counts as well.
    """
    errors = {key: result for key, result in results.items() if isinstance(result, CallError)}
    refused = {key: error for key, error in errors.items() if error.kind == "invalid"}
    return frozenset(
        key
        for key, error in refused.items()
        if key not in requests or refused_parameter(error, requests[key])
    )


def billed_entries(
    collected: Collected,
    expected: MutableMapping[str, Expected],
    client: BatchClient,
    run_id: str,
) -> Mapping[str, Entry]:
    """Return the journal entry of each billed request by request key; its forecast is used up."""
    entries = {}
    for member in collected.state.members:
        forecast = expected.pop(member.key, UNKNOWN)
        result = collected.results.get(member.key)
        if isinstance(result, Reply):
            bill = bill_of(forecast, result, client.price)
            entries[member.key] = _entry(member, collected.state, client, run_id, result, bill)
        elif result is not None:
            failure = bill_of_failure(result, forecast, client.price)
            if failure is not None:
                entries[member.key] = _entry(
                    member, collected.state, client, run_id, *failure, result.kind
                )
    return entries


def _entry(
    member: Member,
    state: BatchState,
    client: BatchClient,
    run_id: str,
    reply: Reply,
    bill: Bill,
    problem: str = "",
) -> Entry:
    asked = Asked(
        member.key,
        client.model,
        client.api_base,
        member.tries,
        datetime.fromtimestamp(state.sent_at, UTC),
        round(time.time() - state.sent_at, 1),
    )
    return Entry(
        billed_answer(reply, bill, asked),
        member.dialogue_id,
        member.attempt,
        run_id,
        state.batch_id,
        problem,
    )

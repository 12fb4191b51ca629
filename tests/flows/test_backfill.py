"""When a backfill takes the run of a domain for ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from prefect.client.schemas.objects import State
from prefect.states import Completed, Crashed, Failed, Running

from flows.backfill import PATIENCE_S, has_ended


@pytest.mark.parametrize(
    ("state", "seconds_ago", "ended"),
    [
        (Running(), PATIENCE_S + 1, False),
        (Completed(), 0, True),
        (Failed(name="Refused"), 0, True),
        (Crashed(), 0, False),  # the server's automation hands it to another worker in a moment
        (Crashed(), PATIENCE_S + 1, True),  # nobody took it up
    ],
)
def test_a_crashed_run_has_ended_only_when_nobody_takes_it_up(
    state: State[None], seconds_ago: float, ended: bool
) -> None:
    then = datetime.now(UTC) - timedelta(seconds=seconds_ago)
    assert has_ended(state.model_copy(update={"timestamp": then})) is ended

"""When a backfill takes the run of a domain for ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from prefect.client.schemas.objects import State
from prefect.states import Completed, Crashed, Failed, Running

from flows.backfill import PATIENCE_S, has_ended

LONG_AGO = datetime.now(UTC) - timedelta(seconds=PATIENCE_S + 1)


@pytest.mark.parametrize(
    ("state", "ended"),
    [
        (Running(), False),
        (Completed(), True),
        (Failed(name="Refused"), True),
        (Crashed(), False),  # the server's automation hands it to another worker in a moment
        (Crashed(timestamp=LONG_AGO), True),  # nobody took it up
    ],
)
def test_a_crashed_run_has_ended_only_when_nobody_takes_it_up(state: State[None], ended: bool) -> None:
    assert has_ended(state) is ended

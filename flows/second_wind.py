"""Gives lost runs to the next worker when the server's own automation did not.

On SQLite a busy Prefect server may fail to process an event ("database is locked"), and after three
tries puts it aside. If that was the event of a crash, no automation hears of it, so `redial serve`
looks at the runs themselves.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime

from flows.run_states import MOST_STARTS
from flows.server.deploy import ServerApi

TAKE_UP_S = 30.0  # after a crash: the automation comes first, at 15 seconds
LEAVE_S = 900.0  # what crashed longer ago was seen by somebody, or is of an earlier `redial serve`
AGAIN = {
    "type": "SCHEDULED",
    "name": "AwaitingRetry",
    "message": "its process was lost; waiting for a free worker",
}


@dataclass
class SecondWind:
    """Looks for crashed runs of our deployments and schedules each again, at most as often as a run may start."""

    api: ServerApi
    take_up_s: float = TAKE_UP_S
    _given: Counter[str] = field(default_factory=Counter)

    def look(self, now: datetime | None = None) -> list[str]:
        """Schedule again what crashed long enough ago, and return those runs' ids.

        Raises:
            httpx.HTTPError: the server does not answer.
        """
        now = now or datetime.now(UTC)
        taken = [run_id for run_id in self._lost(now) if self._given[run_id] < MOST_STARTS]
        for run_id in taken:
            self._given[run_id] += 1
            self.api.client.post(
                f"/flow_runs/{run_id}/set_state", json={"state": AGAIN}
            ).raise_for_status()
        return taken

    def _lost(self, now: datetime) -> list[str]:
        ours = {
            "state": {"type": {"any_": ["CRASHED"]}},
            "tags": {"all_": ["redial"]},
            "deployment_id": {"is_null_": False},
        }
        found = self.api.client.post(
            "/flow_runs/filter", json={"flow_runs": ours, "sort": "END_TIME_DESC"}
        ).raise_for_status()
        since = {
            run["id"]: (now - datetime.fromisoformat(run["state"]["timestamp"])).total_seconds()
            for run in found.json()
        }
        return [run_id for run_id, seconds in since.items() if self.take_up_s <= seconds < LEAVE_S]

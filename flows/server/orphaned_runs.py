"""Finds the runs of our pool that no live process answers for, and marks them at once.

They become Crashed or Cancelled.

Prefect learns of the end of a run from the run's process or from its worker. When both are gone, as
after Ctrl-C, a kill or a reboot, the run stays as it was and holds its domain. So every worker
looks when it registers and every few seconds from then on.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from flows.server.api import ServerApi
from flows.server.pool import POOL
from flows.server.process_ending import end_processes
from flows.server.process_identity import ProcessIdentity, host_name, processes_of_run
from flows.server.run_ownership import ACTIVE, UNHEARD_S, WORKER_LABEL, Action, RunFacts, decide

LOOK_S = 10.0
PATIENCE_S = 15.0  # for a run's process to end by SIGTERM
PAGE = 200  # runs asked for at a time, the most Prefect gives
CRASHED = {
    "type": "CRASHED",
    "name": "Crashed",
    "message": "neither its process nor its worker is running any more",
}
CANCELLED = {
    "type": "CANCELLED",
    "name": "Cancelled",
    "message": "cancelled; its worker was no longer running",
}
STOPPED = {
    "type": "SCHEDULED",
    "name": "AwaitingRetry",
    "message": "its worker was stopped; the run goes on when a worker is started",
}
Run = dict[str, Any]
log = logging.getLogger("redial.orphaned_runs")


@dataclass
class OrphanedRuns:
    """Looks after the active runs of our pool, as far as this machine can tell."""

    api: ServerApi
    host: str = field(default_factory=host_name)
    _unheard_since: dict[str, float] = field(default_factory=dict)

    def look(self, now: float | None = None) -> dict[str, Action]:
        """Mark the runs that are lost, and return what was done, by run id.

        Args:
            now: the monotonic clock's time, in seconds.

        Raises:
            httpx.HTTPError: the server does not answer; how long runs were unheard of is then
            counted again.
        """
        now = time.monotonic() if now is None else now
        try:
            runs = self._active()
            online = (
                self._workers_online() if any(not self._is_here(run) for run in runs) else set()
            )
            actions = {run["id"]: decide(self._facts(run, online, now)) for run in runs}
        except httpx.HTTPError:
            self._unheard_since.clear()
            raise
        self._unheard_since = {
            run: since for run, since in self._unheard_since.items() if run in actions
        }
        return {run["id"]: actions[run["id"]] for run in runs if self._act(run, actions[run["id"]])}

    def active_here(self) -> list[str]:
        """Return the ids of active runs that a worker of this machine took."""
        return [run["id"] for run in self._active() if self._is_here(run)]

    def stop(self, run_ids: list[str]) -> None:
        """Hand back runs of workers that were stopped; leave a run to its worker if that runs.

        Raises:
            httpx.HTTPError: the server does not answer.
        """
        others = self._with_worker()
        self.hand_back([run_id for run_id in run_ids if run_id not in others])

    def hand_back(self, run_ids: list[str]) -> None:
        """End the processes of runs here, and let the next worker go on with the runs.

        Raises:
            httpx.HTTPError: the server does not answer.
        """
        end_processes([pid for run_id in run_ids for pid in processes_of_run(run_id)], PATIENCE_S)
        for run_id in run_ids:
            state = self._state_of(run_id)["type"]
            if state == "CANCELLING":
                self._set_state(run_id, CANCELLED)
            # A process that is asked to end reports that it crashed.
            elif state in (*ACTIVE, "CRASHED"):
                self._set_state(run_id, STOPPED)

    # What is known.

    def _with_worker(self) -> set[str]:
        """Return the active runs here that belong to a worker which runs.

        Somebody else started that worker on this machine.
        """
        here = [run for run in self._active() if self._is_here(run)]
        return {run["id"] for run in here if (worker := _worker_of(run)) and worker.is_alive()}

    def _active(self) -> list[Run]:
        chosen = {
            "work_pools": {"name": {"any_": [POOL]}},
            "flow_runs": {"state": {"type": {"any_": list(ACTIVE)}}},
            "sort": "EXPECTED_START_TIME_ASC",  # what is lost is old
            "limit": PAGE,
        }
        return list(self._post("/flow_runs/filter", chosen))

    def _workers_online(self) -> set[str]:
        workers = self._post(f"/work_pools/{POOL}/workers/filter", {})
        return {worker["name"] for worker in workers if worker["status"] == "ONLINE"}

    def _facts(self, run: Run, online: set[str], now: float) -> RunFacts:
        state, worker = run["state"]["type"], _worker_of(run)
        if worker is not None and self._is_here(run):
            alive = bool(processes_of_run(run["id"])) or _is_alive(run.get("infrastructure_pid"))
            return RunFacts(state, True, worker.is_alive(), alive)
        # Names are given again. A worker that lives ends what is to be cancelled within a minute,
        # so here it is no excuse.
        named = run.get("labels", {}).get("prefect.worker.name")
        worker_alive = named in online and state != "CANCELLING"
        run_alive = not worker_alive and self._sent_heartbeat(run["id"])
        return RunFacts(
            state,
            False,
            worker_alive,
            run_alive,
            self._unheard_s(run["id"], now, worker_alive or run_alive),
        )

    def _is_here(self, run: Run) -> bool:
        worker = _worker_of(run)
        return worker is not None and worker.host == self.host

    def _sent_heartbeat(self, run_id: str) -> bool:
        lately = (datetime.now(UTC) - timedelta(seconds=UNHEARD_S)).isoformat()
        wanted = {
            "event": {"name": ["prefect.flow-run.heartbeat"]},
            "resource": {"id": [f"prefect.flow-run.{run_id}"]},
            "occurred": {"since": lately},
        }
        events: dict[str, Any] = self._post("/events/filter", {"filter": wanted, "limit": 1})
        return bool(events["events"])

    def _unheard_s(self, run_id: str, now: float, heard: bool) -> float:
        if heard:
            self._unheard_since.pop(run_id, None)
            return 0.0
        return now - self._unheard_since.setdefault(run_id, now)

    # What is done.

    def _act(self, run: Run, action: Action) -> bool:
        """Do what was decided, unless the run has moved on since it was looked at.

        Returns True if something was done.
        """
        if action is Action.KEEP or self._state_of(run["id"])["id"] != run["state"]["id"]:
            return False
        if action is Action.KILL_AND_CANCEL:
            end_processes(processes_of_run(run["id"]), PATIENCE_S)
        self._set_state(run["id"], CRASHED if action is Action.CRASH else CANCELLED)
        log.warning("run %s: nobody answers for it, %s", run["id"], action.value)
        return True

    def _state_of(self, run_id: str) -> dict[str, str]:
        """Return the state a run is in now; that of a run which was deleted has no name."""
        answer = self.api.client.get(f"/flow_runs/{run_id}")
        if answer.status_code == 404:
            return {"id": "", "type": ""}
        state: dict[str, str] = answer.raise_for_status().json()["state"]
        return state

    def _set_state(self, run_id: str, state: dict[str, str]) -> None:
        self._post(f"/flow_runs/{run_id}/set_state", {"state": state})

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        return self.api.client.post(path, json=body).raise_for_status().json()


@contextmanager
def stopping_runs(api: ServerApi) -> Iterator[list[str]]:
    """End the runs named in the list that is yielded, once the block is left.

    They go on at the next start.
    """
    run_ids: list[str] = []
    try:
        yield run_ids
    finally:
        if run_ids:
            with logged_if_away():
                OrphanedRuns(api).stop(run_ids)


@contextmanager
def logged_if_away() -> Iterator[None]:
    """Log that the server did not take note of stopped runs: the next worker finds them."""
    try:
        yield
    except httpx.HTTPError as error:
        log.warning("runs could not be marked as stopped: %s", type(error).__name__)


def watch_orphaned_runs(api: ServerApi) -> None:
    """Look after the pool's runs in a thread of its own, from now on. Returns at once."""
    threading.Thread(
        target=_look_for_ever, args=(OrphanedRuns(api),), daemon=True, name="orphaned-runs"
    ).start()


def _look_for_ever(orphaned: OrphanedRuns) -> None:
    while True:
        try:
            orphaned.look()
        except httpx.HTTPError as error:  # a server that is away is asked again
            log.info("the server does not answer: %s", type(error).__name__)
        time.sleep(LOOK_S)


def _worker_of(run: Run) -> ProcessIdentity | None:
    return ProcessIdentity.parse(run.get("labels", {}).get(WORKER_LABEL))


def _is_alive(recorded: str | None) -> bool:
    process = ProcessIdentity.parse(recorded)
    return process is not None and process.is_alive()

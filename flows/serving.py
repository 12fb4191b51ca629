"""`redial serve`: server, work pool, workers, deployments and pages on one machine, started together and ended together."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import httpx

from flows.deploying import ServerApi, put_automations
from flows.leash import LOCK, holding
from flows.local_server import START_TIMEOUT_S
from flows.pages import ADDRESS
from flows.polling import wait_for_server
from flows.processes import Companion
from flows.second_wind import SecondWind
from flows.server.app import LOOPBACK
from flows.server.deployment_watch import Report, watched_deployments
from flows.server.login import choose_login, with_login
from flows.server.pool import put_pool
from tasks.errors import UserError
from tasks.settings import Home

# The classic UI is asked for because the newer one asks an outside address for its configuration on every load.
QUIET = {"PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1", "PREFECT_SERVER_UI_V2_ENABLED": "false"}
MOST_RUNS = 4  # of a worker: each build is a process of some hundred megabytes
RESTARTS = 5  # of all processes together within the window; more is no accident
WINDOW_S = 600.0
TICK_S = 0.5
LOOK_S = 5.0  # between two looks for lost runs


@dataclass
class Serving:
    """What is up: where the UI and the pages are, what they ask for, and the processes that make it so."""

    ui: str
    pages: str
    login: str = field(repr=False)  # user:password; empty if nobody is asked
    companions: list[Companion]
    second_wind: SecondWind
    _restarted: list[float] = field(default_factory=list)

    def wait(self) -> None:
        """Watch over processes and runs for ever and start again what is lost. Raises UserError when a process keeps ending."""
        for tick in count():
            for companion in self.companions:
                if companion.ended():
                    self._restart(companion)
            if tick % round(LOOK_S / TICK_S) == 0:
                with suppress(httpx.HTTPError):  # a server that is being started again is asked the next time
                    self.second_wind.look()
            time.sleep(TICK_S)

    def _restart(self, companion: Companion) -> None:
        now = time.monotonic()
        self._restarted = [*(then for then in self._restarted if now - then < WINDOW_S), now]
        if len(self._restarted) > RESTARTS:
            raise UserError(f"the {companion.name} keeps ending (exit code {companion.exit_code}); see {companion.log}")
        companion.start()


@contextmanager
def serving(
    home: Home, port: int, workers: int = 1, limit: int = MOST_RUNS, ask_login: bool = True, report: Report = lambda line: None
) -> Iterator[Serving]:
    """Start everything and stop it at the end.

    Args:
        home: whose data folder keeps the server's database, logs and pages.
        port: the UI's port on loopback; the pages get the next one.
        workers: worker processes on the pool.
        limit: most runs a worker takes at a time, so that one that asks first does not take all.
        ask_login: whether server and pages ask for a login: the environment's, else a new one.
        report: takes a line for each difference between the files' deployments and the server's, also later.

    Raises:
        UserError: a port is taken, this data folder is served already, the server does not come up (names the log), or the
            environment's login contradicts `ask_login`; prefect.yaml cannot be used.
    """
    login, folder = choose_login(os.environ, ask_login), home.data / "prefect" / "serve"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"the folder {folder} cannot be written: {error.strerror}") from None
    ui, pages = f"http://{LOOPBACK}:{port}", f"http://{LOOPBACK}:{port + 1}"
    with ExitStack() as stack:
        stack.enter_context(holding(folder / "lock"))
        for wanted in (port, port + 1):
            _check_free(wanted)
        environment = with_login(_environment(home, folder, port), login)
        server = Companion("server", folder, environment, ("flows.server.app", str(port)))
        shown = Companion("pages", folder, environment, ("flows.pages", str(port + 1), str(home.data)))
        for companion in (server, shown):
            stack.enter_context(companion)
        api = ServerApi.at(f"{ui}/api", login)
        _wait_until_up(server, api)
        put_pool(api.client)
        shared = [stack.enter_context(_worker(number, limit, folder, environment)) for number in range(1, workers + 1)]
        stack.enter_context(watched_deployments(home, folder, environment, report))
        put_automations(home, api)
        yield Serving(ui, pages, login, [server, shown, *shared], SecondWind(api))


def _environment(home: Home, folder: Path, port: int) -> dict[str, str]:
    given = {"PREFECT_HOME": str(folder), "PREFECT_WORKER_QUERY_SECONDS": "2", **os.environ}
    ours = {
        "PREFECT_API_URL": f"http://{LOOPBACK}:{port}/api",
        ADDRESS: f"http://{LOOPBACK}:{port + 1}",
        "REDIAL_DATA": str(home.data),
        LOCK: str(folder / "lock"),
    }
    # A worker must find this project's modules and this interpreter whatever folder a run begins in.
    found = {"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])}
    return {**given, **QUIET, **ours, **found}


def _worker(number: int, limit: int, folder: Path, environment: dict[str, str]) -> Companion:
    arguments = ("flows.server.worker", "--name", f"redial-{number}", "--limit", str(limit))
    return Companion(f"worker-{number}", folder, environment, arguments)


def _check_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            raise UserError(f"port {port} on this machine is taken: choose another with --port") from None


def _wait_until_up(server: Companion, api: ServerApi) -> None:
    if not wait_for_server(api.client, "/health", START_TIMEOUT_S, lambda: not server.ended()):
        raise UserError(f"the Prefect server did not start; see {server.log}")
    api.check_login()


def interrupt_on_terminate() -> None:
    """Make a polite kill of `redial serve` end it as Ctrl-C does, with everything it started."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)

"""`redial serve`: server, work pool, workers, deployments and pages, started and ended together."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from flows.server.api import ServerApi, wait_for_server
from flows.server.app import LOOPBACK
from flows.server.automations import put_automations
from flows.server.database import check_database, choose_database, with_database, without_database
from flows.server.deployment_watch import Report, watched_deployments
from flows.server.ephemeral import START_TIMEOUT_S
from flows.server.instance_lock import LOCK, single_instance_lock
from flows.server.login import choose_login, with_login
from flows.server.orphaned_runs import OrphanedRuns, stopping_runs
from flows.server.pool import put_pool
from flows.server.static_pages import ADDRESS
from flows.server.supervised_process import SupervisedProcess
from tasks.errors import UserError
from tasks.settings import Home

# The classic UI is asked for because the newer one asks an outside address for its configuration on
# every load.
QUIET = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_UI_V2_ENABLED": "false",
}
MOST_RUNS = 4  # of a worker: each build is a process of some hundred megabytes
RESTARTS = 5  # of all processes together within the window; more is no accident
WINDOW_S = 600.0
TICK_S = 0.5


@dataclass(frozen=True)
class ServeOptions:
    """What `redial serve` is asked for.

    Attributes:
        port: the UI's port; the pages get the next one.
        workers: worker processes on the pool; 0 where other machines have them.
        limit: most runs a worker takes at a time, so that one that asks first does not take all.
        ask_login: whether server and pages ask for a login: the environment's, else a new one.
        database: address of the server's database; the environment's if None, else SQLite in the
            data folder.
        listen: address of this machine that server and pages listen to.
    """

    port: int = 4200
    workers: int = 1
    limit: int = MOST_RUNS
    ask_login: bool = True
    database: str | None = field(default=None, repr=False)
    listen: str = LOOPBACK


@dataclass
class Serving:
    """What is up: where the UI and the pages are, what they ask for, and the processes."""

    ui: str
    pages: str
    login: str = field(repr=False)  # user:password; empty if nobody is asked
    processes: list[SupervisedProcess]
    _restarted: list[float] = field(default_factory=list)

    def wait(self) -> None:
        """Watch over the processes for ever and start again what ends.

        Raises UserError when a process keeps ending.
        """
        while True:
            for process in self.processes:
                if process.ended():
                    self._restart(process)
            time.sleep(TICK_S)

    def _restart(self, process: SupervisedProcess) -> None:
        now = time.monotonic()
        self._restarted = [*(then for then in self._restarted if now - then < WINDOW_S), now]
        if len(self._restarted) > RESTARTS:
            raise UserError(
                f"the {process.name} keeps ending (exit code {process.exit_code}); see "
                f"{process.log}"
            )
        process.start()


@contextmanager
def serving(
    home: Home, options: ServeOptions, report: Report = lambda line: None
) -> Iterator[Serving]:
    """Start everything and stop it at the end.

    Runs that are stopped with it go on at the next start.

    Args:
        home: where the data folder is.
        options: what is asked for.
        report: takes a line for each difference between the files' deployments and the server's,
            also later.

    Raises:
        UserError: a port is taken, this data folder is served already, the database cannot be
            opened, the server does not come
            up (names the log), or options and environment contradict each other.
    """
    login, database = _check(options)
    folder = _make_folder(home)
    port = options.port
    with ExitStack() as stack:
        stack.enter_context(single_instance_lock(folder / "lock"))
        for wanted in (port, port + 1):
            _check_free(options.listen, wanted)
        check_database(database)
        environment = with_login(_environment(home, folder, port), login)
        server, pages = _server_and_pages(home, folder, environment, options, database)
        for process in (server, pages):
            stack.enter_context(process)
        deploy = stack.enter_context(watched_deployments(home, folder, environment, report))
        api = ServerApi.at(f"http://{LOOPBACK}:{port}/api", login)
        _wait_until_up(server, api)
        put_pool(api.client)
        # In this order, for it ends backwards: note what runs, end the workers, then end the runs.
        run_ids = stack.enter_context(stopping_runs(api))
        workers = [
            stack.enter_context(_worker(number, options.limit, folder, environment))
            for number in range(1, options.workers + 1)
        ]
        stack.callback(_note_runs, api, run_ids)
        put_automations(home, api)
        deploy()
        yield Serving(
            f"http://{LOOPBACK}:{port}",
            f"http://{LOOPBACK}:{port + 1}",
            login,
            [server, pages, *workers],
        )


def _check(options: ServeOptions) -> tuple[str, str]:
    """Return login and database. Raises UserError when options or environment cannot be."""
    login = choose_login(os.environ, options.ask_login)
    if options.listen != LOOPBACK and not login:
        raise UserError(
            f"--no-login is for this machine alone: leave out --listen {options.listen}, or "
            "ask for a login"
        )
    return login, choose_database(options.database, os.environ)


def _make_folder(home: Home) -> Path:
    folder = home.data / "prefect" / "serve"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"the folder {folder} cannot be written: {error.strerror}") from None
    return folder


def _environment(home: Home, folder: Path, port: int) -> dict[str, str]:
    given = {
        "PREFECT_HOME": str(folder),
        "PREFECT_WORKER_QUERY_SECONDS": "2",
        ADDRESS: f"http://{LOOPBACK}:{port + 1}",
        **without_database(os.environ),
    }
    ours = {
        "PREFECT_API_URL": f"http://{LOOPBACK}:{port}/api",
        "REDIAL_DATA": str(home.data),
        LOCK: str(folder / "lock"),
    }
    # A worker must find this project's modules and this interpreter whatever folder a run begins
    # in.
    missing = {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    }
    return {**given, **QUIET, **ours, **missing}


def _server_and_pages(
    home: Home, folder: Path, environment: Mapping[str, str], options: ServeOptions, database: str
) -> tuple[SupervisedProcess, SupervisedProcess]:
    port, listen = options.port, options.listen
    server = ("flows.server.app", str(port), listen)
    pages = ("flows.server.static_pages", str(port + 1), str(home.data), listen)
    return (
        SupervisedProcess("server", folder, with_database(environment, database), server),
        SupervisedProcess("pages", folder, environment, pages),
    )


def _worker(
    number: int, limit: int, folder: Path, environment: Mapping[str, str]
) -> SupervisedProcess:
    arguments = ("flows.server.worker", "--name", f"redial-{number}", "--limit", str(limit))
    return SupervisedProcess(f"worker-{number}", folder, environment, arguments)


def _check_free(address: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            raise UserError(
                f"port {port} on this machine is taken: choose another with --port"
            ) from None


def _wait_until_up(server: SupervisedProcess, api: ServerApi) -> None:
    if not wait_for_server(api.client, "/health", START_TIMEOUT_S, lambda: not server.ended()):
        raise UserError(f"the Prefect server did not start; see {server.log}")
    api.check_login()


def _note_runs(api: ServerApi, run_ids: list[str]) -> None:
    """Note which runs this machine has, before their workers are ended."""
    # The server may have ended first; the next start finds the runs.
    with suppress(httpx.HTTPError):
        run_ids += OrphanedRuns(api).active_here()


def interrupt_on_terminate() -> None:
    """Make a polite kill of `redial serve` end it as Ctrl-C does, with everything it started."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)

"""`redial serve`: server, work pool, worker, deployments and pages on one machine, started together and ended together."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from flows.local_server import START_TIMEOUT_S
from flows.pages import ADDRESS
from tasks.errors import UserError
from tasks.settings import Home

POOL = "redial"
QUIET = {"PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1", "PREFECT_SERVER_UI_V2_ENABLED": "false"}
STOP_S = 20


@dataclass(frozen=True)
class Serving:
    """What is up: where the UI and the pages are, and the processes that make it so."""

    ui: str
    pages: str
    processes: tuple[subprocess.Popen[bytes], ...]

    def wait(self) -> None:
        """Wait until one of the processes ends. Raises UserError naming it: none of them should."""
        while all(process.poll() is None for process in self.processes):
            time.sleep(0.5)
        ended = next(process for process in self.processes if process.poll() is not None)
        raise UserError(f"{' '.join(map(str, ended.args[2:5]))} ended with code {ended.returncode}; see the logs in data/prefect/serve")  # type: ignore[index]


@contextmanager
def serving(home: Home, port: int, workers: int = 1) -> Iterator[Serving]:
    """Start everything and stop it at the end.

    Args:
        home: whose data folder keeps the server's database, logs and pages.
        port: the UI's port on loopback; the pages get the next one.
        workers: worker processes on the pool.

    Raises:
        UserError: a port is taken, or the server does not come up.
    """
    for wanted in (port, port + 1):
        _check_free(wanted)
    folder = home.data / "prefect" / "serve"
    folder.mkdir(parents=True, exist_ok=True)
    ui, pages = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{port + 1}"
    environment = {**os.environ, **QUIET, "PREFECT_API_URL": f"{ui}/api", ADDRESS: pages, "REDIAL_DATA": str(home.data)}
    environment.setdefault("PREFECT_HOME", str(folder))
    with ExitStack() as stack:
        start = _Starter(stack, home.project, folder, environment)
        server = start("server", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port))
        shown = start("pages", "flows.pages", str(port + 1), str(home.data))
        _wait_until_up(server, ui, folder / "server.log")
        start.once("pool", "prefect", "--no-prompt", "work-pool", "create", POOL, "--type", "process", "--overwrite")
        start.once("deploy", "prefect", "--no-prompt", "deploy", "--all")
        shared = [
            start(f"worker-{i + 1}", "prefect", "worker", "start", "--pool", POOL, "--name", f"redial-{i + 1}") for i in range(workers)
        ]
        yield Serving(ui, pages, (server, shown, *shared))


@dataclass(frozen=True)
class _Starter:
    stack: ExitStack
    project: Path
    folder: Path
    environment: Mapping[str, str]

    def __call__(self, name: str, module: str, *arguments: str) -> subprocess.Popen[bytes]:
        """Start a module as a process that ends with the stack; its output goes to a log of its own."""
        log = self.stack.enter_context((self.folder / f"{name}.log").open("wb"))
        command = [sys.executable, "-m", module, *arguments]
        process = subprocess.Popen(
            command, cwd=self.project, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
        self.stack.callback(_stop, process)
        return process

    def once(self, name: str, module: str, *arguments: str) -> None:
        """Run a module to its end. Raises UserError with the log's name when it fails."""
        log = self.folder / f"{name}.log"
        with log.open("wb") as out:
            command = [sys.executable, "-m", module, *arguments]
            done = subprocess.run(
                command, cwd=self.project, env=self.environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=False
            )
        if done.returncode:
            raise UserError(f"`prefect {' '.join(arguments)}` failed; see {log}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End a process and all it started: politely first, so that a worker can mark its runs."""
    for number, patience in ((signal.SIGTERM, STOP_S), (signal.SIGKILL, 5)):
        try:
            os.killpg(process.pid, number)
            process.wait(timeout=patience)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue


def _check_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise UserError(f"port {port} on this machine is taken: choose another with --port") from None


def _wait_until_up(server: subprocess.Popen[bytes], ui: str, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if httpx.get(f"{ui}/api/health", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    raise UserError(f"the Prefect server did not start; see {log}")


def interrupt_on_terminate() -> None:
    """Make a polite kill of `redial serve` end it as Ctrl-C does, with everything it started."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)

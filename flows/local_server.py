"""A private Prefect server for one command: started on loopback, ended with the command, even if that is killed.

Prefect's own temporary server outlives a killed client and holds its output pipe; this one watches its parent and leaves with it.
Its database is kept per domain, so the next start takes seconds and the history of runs stays. A second command at the same time
gets a folder of its own: two servers do not share a database.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import httpx

from flows.polling import wait_for_server
from flows.server.app import LOOPBACK, run_server
from flows.server.login import new_login, with_login
from tasks.errors import UserError
from tasks.locks import Held, exclusive_lock

START_TIMEOUT_S = 180
QUIET = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_UI_ENABLED": "false",
    "PREFECT__SERVER_EPHEMERAL": "1",
    "PREFECT__SERVER_FINAL": "1",
}


@dataclass(frozen=True)
class PrivateServer:
    """Where a private server is reached, and the login it asks for, user:password."""

    api: str
    login: str = field(repr=False)


def free_port() -> int:
    """Return a TCP port on loopback that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def local_server(folder: Path, meanwhile: Callable[[], None]) -> Iterator[PrivateServer]:
    """Run a private Prefect server whose database lies in `folder`; yield its API address and login.

    Args:
        folder: where its database and log lie; made if missing. While another command's server works there, FOLDER-2 and so on.
        meanwhile: what to do while it starts, such as slow imports.

    Raises:
        UserError: the folder cannot be written, or the server does not come up; the message names its log.
    """
    with ExitStack() as held:
        try:
            folder = _take_folder(folder, held)
            log = held.enter_context((folder / "server.log").open("wb"))
        except OSError as error:
            raise UserError(f"the folder {folder} cannot be written: {error.strerror}") from None
        port, login = free_port(), new_login()
        process = _start(folder, port, login, log)
        held.callback(_stop, process)
        meanwhile()
        server = PrivateServer(f"http://{LOOPBACK}:{port}/api", login)
        _wait_until_up(process, server, folder)
        yield server


def _start(folder: Path, port: int, login: str, log: IO[bytes]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "flows.local_server", str(port), str(os.getpid())]
    environment = with_login({**os.environ, **QUIET, "PREFECT_HOME": str(folder)}, login)
    environment.pop("PREFECT_API_URL", None)
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _take_folder(folder: Path, held: ExitStack) -> Path:
    """Return the first folder that no other command holds, and hold it. Raises OSError."""
    number, chosen = 1, folder
    while True:
        chosen.mkdir(parents=True, exist_ok=True)
        try:
            held.enter_context(exclusive_lock(chosen / "lock"))
        except Held:
            number += 1
            chosen = folder.with_name(f"{folder.name}-{number}")
        else:
            return chosen


def _wait_until_up(process: subprocess.Popen[bytes], server: PrivateServer, folder: Path) -> None:
    user, _, password = server.login.partition(":")
    with httpx.Client(base_url=server.api, auth=(user, password), timeout=5) as client:
        if not wait_for_server(client, "/health", START_TIMEOUT_S, lambda: process.poll() is None):
            raise UserError(f"the private Prefect server did not start; see {folder / 'server.log'}")
        # The first look into the database and the first answer of a kind take long: not in the run's time.
        client.post("/flow_runs/count", json={})
        client.get("/admin/version")


def _leave_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(0)


def main(port: int, parent: int) -> None:
    """Serve Prefect's API on loopback until the parent process is gone."""
    threading.Thread(target=_leave_with, args=(parent,), daemon=True).start()
    run_server(port)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))

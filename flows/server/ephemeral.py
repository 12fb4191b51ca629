"""A private Prefect server for one command, on loopback; it ends with the command.

Prefect's own temporary server outlives a killed client and holds its output pipe; this one watches
its parent and leaves with it. Its database is kept per domain, so the next start takes seconds and
the history of runs stays. A second command at the same time
gets a folder of its own: two servers do not share a database.
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import IO, Any, TypeVar

import httpx

from flows.progress import CURRENT, Progress
from flows.server.api import wait_for_server
from flows.server.app import LOOPBACK, run_server
from flows.server.gc_thread import collect_seldom
from flows.server.login import new_login, with_login
from flows.server.process_ending import end_child
from tasks.errors import UserError
from tasks.locks import Held, exclusive_lock
from tasks.redaction import redact
from tasks.settings import Home

START_TIMEOUT_S = 180
STOP_S = 10.0
ADDRESS = "PREFECT_API_URL"
QUIET = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_UI_ENABLED": "false",
    # A second of the start; a run of one command uses no blocks.
    "PREFECT_API_BLOCKS_REGISTER_ON_START": "false",
    "PREFECT__SERVER_EPHEMERAL": "1",
    "PREFECT__SERVER_FINAL": "1",
}


@dataclass(frozen=True)
class PrivateServer:
    """Where a private server is reached, and the login it asks for, user:password."""

    api: str
    login: str = field(repr=False)


@contextmanager
def local_server(folder: Path, meanwhile: Callable[[], None]) -> Iterator[PrivateServer]:
    """Run a private Prefect server and yield its API address and login.

    Args:
        folder: where its database and log lie; made if missing. While another command's server
            works there, FOLDER-2 and so on.
        meanwhile: what to do while it starts, such as slow imports.

    Raises:
        UserError: the folder cannot be written, or the server does not come up; the message names
            its log.
    """
    with ExitStack() as held:
        try:
            folder = _take_folder(folder, held)
            log = held.enter_context((folder / "server.log").open("wb"))
        except OSError as error:
            raise UserError(f"the folder {folder} cannot be written: {error.strerror}") from None
        login = new_login()
        # Bound here and handed down, so that no other program can take the port in between.
        with socket.socket() as bound:
            bound.bind((LOOPBACK, 0))
            port = int(bound.getsockname()[1])
            process = _start(folder, bound, login, log)
        held.callback(end_child, process, STOP_S)
        meanwhile()
        server = PrivateServer(f"http://{LOOPBACK}:{port}/api", login)
        _wait_until_up(process, server, folder)
        yield server


def _start(
    folder: Path, bound: socket.socket, login: str, log: IO[bytes]
) -> subprocess.Popen[bytes]:
    handle, parent = str(bound.fileno()), str(os.getpid())
    command = [sys.executable, "-m", "flows.server.ephemeral", handle, parent]
    environment = with_login({**os.environ, **QUIET, "PREFECT_HOME": str(folder)}, login)
    environment.pop(ADDRESS, None)
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        env=environment,
        start_new_session=True,
        pass_fds=(bound.fileno(),),
    )


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
            raise UserError(
                f"the private Prefect server did not start; see {folder / 'server.log'}"
            )
        # The first look into the database and the first answer of a kind take long: not in the
        # run's time.
        client.post("/flow_runs/count", json={})
        client.get("/admin/version")


def _leave_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(0)


def main(handle: int, parent: int) -> None:
    """Serve Prefect's API on an inherited socket until the parent process is gone."""
    threading.Thread(target=_leave_with, args=(parent,), daemon=True).start()
    bound = socket.socket(fileno=handle)
    run_server(int(bound.getsockname()[1]), bound=bound)


if __name__ == "__main__":
    collect_seldom()
    main(int(sys.argv[1]), int(sys.argv[2]))


Result = TypeVar("Result")
DRAIN_S = 20
ALONE = {
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_SERVER_EPHEMERAL_ENABLED": "false",
    # before it is imported, or it asks the network for prices
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
}


def run_flow(
    home: Home,
    place: str,
    progress: Progress,
    start: Callable[[], Coroutine[Any, Any, Result]],
    warm: Sequence[str] = ("flows.build",),
    beside: Sequence[str] = (),
) -> Result:
    """Run a flow to its end and return what it returns, or what it left in the state it returns.

    Args:
        home: its data folder keeps the private server's database.
        place: sub-folder of that database, one per domain, so that two domains never share one.
        progress: where the run shows how far it is.
        start: imports the flow and calls it; called once a server is there.
        warm: modules that take seconds to import, imported while the server starts.
        beside: modules that are needed later, imported in a thread of their own after that.

    Raises:
        UserError: as the flow raises it, a choice is out of bounds, or the Prefect server that is
            configured cannot be used.
    """
    for name, value in {**QUIET, **ALONE}.items():
        os.environ.setdefault(name, value)
    CURRENT.set(progress)
    if os.environ.get(ADDRESS):
        return _run_on_configured(start)
    progress.stage("server", "running")
    passed_over: list[str] = []

    def meanwhile() -> None:
        # Prefect takes a second to import, which the server is started before.
        configured, passed_over[:] = _configured_server()
        if configured:
            raise _Configured
        _import_all(warm)
        # The first stages wait for DuckDB and for the server; whoever needs a module waits for it.
        threading.Thread(target=_import_early, args=(beside,), daemon=True).start()

    try:
        with local_server(home.data / "prefect" / place, meanwhile) as server:
            progress.stage("server", "done", "; ".join(["private, for this run", *passed_over]))
            return _run_on(server, start)
    except _Configured:
        return _run_on_configured(start)


class _Configured(Exception):
    """Prefect's settings name a server, so the private one that was started is not needed."""


def _run_on_configured(start: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    """Run a flow on the server that Prefect's settings name. Raises UserError if it is no use."""
    _configured_server()
    from flows.server.connection import check_server

    check_server()
    return asyncio.run(_to_the_end(start))


def _run_on(server: PrivateServer, start: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    from prefect.settings import temporary_settings

    address = {"api.url": server.api, "api.auth_string": server.login}
    with temporary_settings(updates=address):
        return asyncio.run(_to_the_end(start))


def _configured_server() -> tuple[str, list[str]]:
    """Return the address of the Prefect server to use, and what is said of one that is not used.

    The address is empty if there is none. PREFECT_API_URL chooses a server. An active Prefect
    profile may be there for other work, so a server that it names is not used unasked.

    Raises UserError if the settings are broken.
    """
    try:
        from prefect.settings import get_current_settings

        address = get_current_settings().api.url or ""
        if not address or ADDRESS in os.environ:
            return address, []
        from flows.server.connection import profile_of_address

        profile = profile_of_address()
        if not profile:
            return address, []
        told = f"the Prefect profile {profile} names {redact(address)}: set {ADDRESS} to use it"
        return "", [told]
    except ValueError as error:  # Prefect reads its settings when it is imported
        lines = [line.strip() for line in str(error).splitlines() if line.startswith("  ")]
        reason = redact(lines[0] if lines else str(error)).partition(" [type=")[0]
        raise UserError(
            "Prefect's settings cannot be used, see its variables PREFECT_... and its "
            f"profiles: {reason}"
        ) from None


def _import_all(modules: Sequence[str]) -> None:
    for module in modules:
        import_module(module)


def _import_early(modules: Sequence[str]) -> None:
    with suppress(ImportError):  # raised again where the module is needed
        _import_all(modules)


async def _to_the_end(start: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    """Run the flow and wait until its task runs are written down.

    Prefect loses the last ones otherwise.

    A choice that the flow's form does not take is a user's mistake. So is, where a request failed,
    a server that is gone.
    """
    import httpx
    from prefect.client.schemas.objects import State
    from prefect.events.worker import EventsWorker
    from prefect.exceptions import ParameterTypeError

    from flows.run_states import result_of

    try:
        returned = await start()
        return await result_of(returned) if isinstance(returned, State) else returned
    except ParameterTypeError as error:
        reason = " ".join(
            line.strip().removeprefix("- ") for line in str(error).splitlines()[1:] if line.strip()
        )
        raise UserError(f"an option is out of bounds: {reason or error}") from None
    except (httpx.HTTPError, RuntimeError):  # Prefect's client raises either
        from flows.server.connection import check_server

        check_server()
        raise
    finally:
        drained = EventsWorker.drain_all(timeout=DRAIN_S)
        if asyncio.iscoroutine(drained):
            await drained

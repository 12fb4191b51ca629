"""Checks that an address is a Dask cluster that can take work (extra: dask)."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from tasks.addresses import connection_problem
from tasks.errors import UserError

LOCAL = "local:"
CONNECT_S = 5.0  # to reach the scheduler's port, and again for its answer
_LOCAL = re.compile(r"local:([1-9]\d{0,2})")
_REMOTE = re.compile(r"(tcp|tls)://[^\s/@?#]+")
_NO_EXTRA = (
    "Dask is not installed: run `make extras` in a clone of the project, "
    "or `pip install 'llm-redial[dask]'`"
)


def check_address(address: str) -> None:
    """Raise UserError unless this is local:N, tcp://HOST:PORT or tls://HOST:PORT."""
    if not _LOCAL.fullmatch(address) and not _is_remote(address):
        raise UserError(
            f"{address[:80]!r} is not a valid Dask scheduler address: "
            "give tcp://HOST:PORT of a scheduler, or local:N for N processes here"
        )


def local_processes(address: str) -> int | None:
    """Return N of local:N, None for the address of a scheduler."""
    match = _LOCAL.fullmatch(address)
    return int(match[1]) if match else None


def check_cluster(address: str) -> None:
    """Raise UserError unless the extra is installed and the cluster can take work.

    At a scheduler's address a Dask scheduler that has workers must answer.

    Takes seconds at most.
    """
    check_address(address)
    check_installed()
    if local_processes(address) is None:
        find_workers(address)


def check_installed() -> None:
    """Raise UserError when the extra is not installed."""
    if find_spec("prefect_dask") is None:
        raise UserError(_NO_EXTRA)


def find_workers(address: str) -> Mapping[str, Any]:
    """Return a scheduler's workers by their addresses.

    Raises UserError when it does not answer, or has none.
    """
    place = urlsplit(address)
    try:
        with socket.create_connection((place.hostname or "", place.port or 0), timeout=CONNECT_S):
            pass
        with ThreadPoolExecutor(1) as thread:  # the caller's may run an event loop
            identity = thread.submit(asyncio.run, _identity(address)).result()
    except (OSError, ValueError, TypeError) as error:
        problem = connection_problem(error, CONNECT_S)
        raise UserError(f"no Dask scheduler answers at {address}: {problem}") from None
    if identity.get("type") != "Scheduler":
        raise UserError(
            f"no Dask scheduler answers at {address}: "
            f"that is a {identity.get('type', 'process')} of a cluster"
        )
    if not identity["workers"]:
        raise UserError(
            f"the Dask scheduler at {address} has no workers: "
            f"start some with `dask worker {address}`"
        )
    workers: Mapping[str, Any] = identity["workers"]
    return workers


def check_api_reachable(api: str, workers: Mapping[str, Any]) -> None:
    """Raise UserError when only this machine reaches the Prefect server that workers would use."""
    if not _is_loopback(urlsplit(api).hostname or ""):
        return
    others = sorted(
        host for worker in workers if not _is_this_machine(host := urlsplit(worker).hostname or "")
    )
    if others:
        raise UserError(
            f"the Dask worker on {others[0]} cannot reach the Prefect server at {api}: "
            "set PREFECT_API_URL to one that all workers reach"
        )


def _is_remote(address: str) -> bool:
    if not _REMOTE.fullmatch(address):
        return False
    try:
        place = urlsplit(address)
        return bool(place.hostname and place.port)
    except ValueError:
        return False


async def _identity(address: str) -> dict[str, Any]:
    """Ask whoever listens there who they are, in Dask's protocol."""
    import distributed

    reach: Any = distributed.rpc
    async with reach(address, timeout=CONNECT_S) as scheduler:
        answer: dict[str, Any] = await asyncio.wait_for(scheduler.identity(), CONNECT_S)
    return answer


def _is_loopback(host: str) -> bool:
    return host in {"localhost", "::1"} or host.startswith("127.")


def _is_this_machine(host: str) -> bool:
    """Return True if an address can be listened on here."""
    with suppress(OSError):
        family, kind, protocol, _, place = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.bind(place)
            return True
    return False

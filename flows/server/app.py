"""Prefect's server behind the guard that all local servers here share.

Prefect itself checks neither Host nor Origin.

`python -m flows.server.app PORT [ADDRESS]` takes the place of `prefect server start --port PORT
--host ADDRESS`. It also starts
crashed runs again, see `crash_recovery`.
"""

from __future__ import annotations

import os
import socket
import sys
from contextlib import suppress

from flows.server.fresh_database import create_database
from flows.server.gc_thread import collect_in_own_thread, collect_seldom
from flows.server.login import SERVER_LOGIN, allowed_hosts, own_origins
from tasks.web import NO_FRAMES, LocalGuard

LOOPBACK = "127.0.0.1"
# Which run holds which slot must outlive the server: a run whose slot nobody knows ends itself
# within minutes.
LEASES = (
    "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE",
    "prefect.server.concurrency.lease_storage.filesystem",
)


def run_server(port: int, address: str = LOOPBACK, bound: socket.socket | None = None) -> None:
    """Serve Prefect's API and UI until ended.

    Settings come from the environment, as for `prefect server start`.

    Args:
        port: TCP port.
        address: which addresses of this machine are listened to; loopback alone by default.
        bound: a socket that is bound to the port already.
    """
    _set_environment(port)
    import uvicorn
    from prefect.server.api.server import create_app
    from prefect.settings import get_current_settings

    settings = get_current_settings().server
    create_database(_database_url())
    if _is_sqlite():
        collect_in_own_thread()
    config = uvicorn.Config(
        LocalGuard(create_app(final=True), allowed_hosts(), NO_FRAMES),
        host=address,
        port=port,
        lifespan="on",
        log_level=settings.logging_level.lower(),
        timeout_keep_alive=settings.api.keepalive_timeout,
        ws_ping_interval=settings.api.websocket_ping_interval,
        ws_ping_timeout=settings.api.websocket_ping_timeout,
    )
    server = uvicorn.Server(config)
    with suppress(KeyboardInterrupt):
        server.run(sockets=[bound] if bound else None)
    if not server.started:
        sys.exit(1)


def _set_environment(port: int) -> None:
    """Set what Prefect serves; it reads its settings when it is imported."""
    os.environ |= {
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": own_origins(port),
        "PREFECT_SERVER_API_PORT": str(port),
    }


def _database_url() -> str:
    from prefect.server.database.dependencies import provide_database_interface

    return str(provide_database_interface().database_config.connection_url)


def _is_sqlite() -> bool:
    from prefect.server.database.dependencies import provide_database_interface

    return bool(provide_database_interface().dialect.name == "sqlite")


def main(port: int, address: str = LOOPBACK) -> None:
    """Serve, and look after crashed runs."""
    _set_environment(port)
    os.environ.setdefault(*LEASES)
    from flows.server.api import ServerApi
    from flows.server.crash_recovery import recover_crashed_runs

    recover_crashed_runs(
        ServerApi.at(f"http://{LOOPBACK}:{port}/api", os.environ.get(SERVER_LOGIN, ""))
    )
    run_server(port, address)


if __name__ == "__main__":
    collect_seldom()
    main(int(sys.argv[1]), *sys.argv[2:3])

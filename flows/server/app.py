"""Prefect's server on loopback, behind the guard that all local servers here share.

Prefect itself checks neither Host nor Origin.

`python -m flows.server.app PORT` takes the place of `prefect server start --port PORT`.
"""

from __future__ import annotations

import os
import sys

from flows.garbage import collect_aside
from flows.server.login import allowed_hosts, own_origins
from tasks.web import NO_FRAMES, LocalGuard

LOOPBACK = "127.0.0.1"


def run_server(port: int) -> None:
    """Serve Prefect's API and UI on loopback until ended.

    Settings come from the environment, as for `prefect server start`.
    """
    # Prefect reads its settings when it is imported.
    os.environ |= {
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": own_origins(port),
        "PREFECT_SERVER_API_PORT": str(port),
    }
    import uvicorn
    from prefect.server.api.server import create_app
    from prefect.settings import get_current_settings

    collect_aside()
    settings = get_current_settings().server
    uvicorn.run(
        LocalGuard(create_app(final=True), allowed_hosts(), NO_FRAMES),
        host=LOOPBACK,
        port=port,
        lifespan="on",
        log_level=settings.logging_level.lower(),
        timeout_keep_alive=settings.api.keepalive_timeout,
        ws_ping_interval=settings.api.websocket_ping_interval,
        ws_ping_timeout=settings.api.websocket_ping_timeout,
    )


if __name__ == "__main__":
    run_server(int(sys.argv[1]))

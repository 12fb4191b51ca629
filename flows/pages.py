"""Serves what people look at (Data Docs, reports, release cards) on loopback, so that links in the Prefect UI open in a browser."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from tasks.settings import Home

FOLDERS = ("docs", "reports", "releases")
ADDRESS = "REDIAL_PAGES_URL"


def pages_app(home: Home) -> Starlette:
    """Return a web application that serves the data folder's pages and nothing else of it."""
    routes = []
    for name in FOLDERS:
        (home.data / name).mkdir(parents=True, exist_ok=True)
        routes.append(Mount(f"/{name}", StaticFiles(directory=home.data / name, html=True)))
    return Starlette(routes=routes)


def address_of(home: Home, page: Path) -> str:
    """Return the address under which a page opens: on the pages server if one is named in the environment, else its file."""
    served = os.environ.get(ADDRESS)
    if served and page.is_relative_to(home.data):
        return f"{served.rstrip('/')}/{quote(page.relative_to(home.data).as_posix())}"
    return page.as_uri()


def main(port: int, data: Path) -> None:
    """Serve the pages of a data folder on loopback until ended."""
    import uvicorn

    uvicorn.run(pages_app(Home.find(data)), host="127.0.0.1", port=port, log_level="error")


if __name__ == "__main__":
    import sys

    main(int(sys.argv[1]), Path(sys.argv[2]))

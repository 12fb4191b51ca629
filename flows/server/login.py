"""The login of a Prefect server and its pages, and the names it may be reached by.

It lives in the environment alone.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping

from tasks.errors import UserError

SERVER_LOGIN = (
    "PREFECT_SERVER_API_AUTH_STRING"  # user:password, as the server and the pages ask for it
)
CLIENT_LOGIN = "PREFECT_API_AUTH_STRING"  # the same, as workers and commands send it
HOSTS = "REDIAL_ALLOWED_HOSTS"
USER = "redial"


def new_login() -> str:
    """Return a login that nobody can guess: 192 random bits behind a fixed user."""
    return f"{USER}:{secrets.token_urlsafe(24)}"


def choose_login(environment: Mapping[str, str], wanted: bool = True) -> str:
    """Return the login of a server that is to be started, empty if none is wanted.

    It is the environment's, else a new one.

    Raises:
        UserError: none is wanted and the environment names one, or the one it names is not
            user:password.
    """
    given = environment.get(SERVER_LOGIN, "")
    if given and not wanted:
        raise UserError(
            f"--no-login contradicts {SERVER_LOGIN}, which is set: leave out one of them"
        )
    if given and not all(given.partition(":")):
        raise UserError(f"{SERVER_LOGIN} must be written as user:password")
    return given or (new_login() if wanted else "")


def with_login(environment: Mapping[str, str], login: str) -> dict[str, str]:
    """Return an environment in which a server asks for a login and its clients send it.

    There is none in it if the login is empty.
    """
    others = {
        name: value
        for name, value in environment.items()
        if name not in {SERVER_LOGIN, CLIENT_LOGIN}
    }
    return {**others, SERVER_LOGIN: login, CLIENT_LOGIN: login} if login else others


def allowed_hosts() -> tuple[str, ...]:
    """Return the names besides loopback that servers answer to, such as a reverse proxy's.

    They come from REDIAL_ALLOWED_HOSTS, separated by commas.
    """
    return tuple(name.strip() for name in os.environ.get(HOSTS, "").split(",") if name.strip())


def own_origins(port: int) -> str:
    """Return the origins of a server's own pages, as Prefect's CORS setting takes them."""
    local = [f"http://{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")]
    return ",".join([*local, *(f"https://{name}" for name in allowed_hosts())])

"""Where the Prefect server of `redial serve` keeps its state.

That is a SQLite file by default, PostgreSQL for more than one person.

The address of a database holds a password. It goes to the server's process alone, through its
environment, and is in no command line, log or message of ours.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from urllib.parse import urlsplit

from tasks.errors import UserError

SETTING = "PREFECT_SERVER_DATABASE_CONNECTION_URL"
# Where the address is looked for, first to last; the last is Prefect's older name.
VARIABLES = ("REDIAL_DATABASE", SETTING, "PREFECT_API_DATABASE_CONNECTION_URL")
POSTGRESQL = "postgresql+asyncpg"
SQLITE = "sqlite+aiosqlite"
CONNECT_S = 10.0


def choose_database(option: str | None, environment: Mapping[str, str]) -> str:
    """Return the address of the server's database: the option's, else the environment's.

    It is empty for the default.

    Raises:
        UserError: it is not an address of a kind that Prefect takes. The message does not repeat
            it.
    """
    url = option or next((environment[name] for name in VARIABLES if environment.get(name)), "")
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        scheme, host = parts.scheme, parts.hostname if parts.port != 0 else None
    except ValueError:  # such as a password with a bracket in it
        scheme, host = "", None
    if scheme == SQLITE or (scheme == POSTGRESQL and host):
        return url
    raise UserError(
        f"the database must be written as {POSTGRESQL}://USER:PASSWORD@HOST:PORT/NAME, with "
        "special characters of the "
        f"password percent-encoded, or as {SQLITE}:///PATH"
    )


def without_database(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without any database's address.

    It is for processes that only talk to the server.
    """
    return {name: value for name, value in environment.items() if name not in VARIABLES}


def with_database(environment: Mapping[str, str], url: str) -> dict[str, str]:
    """Return the environment of a server that keeps its state in this database.

    An empty address means its default one.
    """
    others = without_database(environment)
    return {**others, SETTING: url} if url else others


def check_database(url: str) -> None:
    """Raise UserError when a PostgreSQL database cannot be opened, without the password."""
    if url.startswith(POSTGRESQL):
        asyncio.run(_open_once(url))


async def _open_once(url: str) -> None:
    import asyncpg
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.ext.asyncio import create_async_engine
    from sqlalchemy.pool import NullPool

    parts = urlsplit(url)
    place = f"{parts.hostname}:{parts.port or 5432}"
    try:
        engine = create_async_engine(url, poolclass=NullPool, connect_args={"timeout": CONNECT_S})
        async with engine.connect():
            pass
    except (OSError, TimeoutError):
        raise UserError(
            f"no PostgreSQL server answers at {place}: start it, or name another in REDIAL_DATABASE"
        ) from None
    except asyncpg.InvalidCatalogNameError:
        raise UserError(
            f"there is no database {parts.path[1:]!r} at {place}: create it with createdb"
        ) from None
    except (
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
        SQLAlchemyError,
        TypeError,
        ValueError,
    ) as error:
        raise UserError(
            f"the PostgreSQL server at {place} lets nobody in with this address "
            f"({type(error).__name__})"
        ) from None

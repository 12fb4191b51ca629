"""A Prefect server's SQLite database from a ready schema, in place of Prefect's hundred migrations.

Those take 5 s of computing at the first start of `redial serve` and of every domain's private
server. The schema is what they come to, with the revision it is at: Prefect does the later ones
itself.

`python -m flows.server.fresh_database` writes prefect_schema.sql again, for the installed Prefect.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

SCHEMA = Path(__file__).with_name("prefect_schema.sql")
_REVISION = re.compile(r"""INSERT INTO "alembic_version" VALUES\('(\w+)'\)""")


def create_database(url: str) -> bool:
    """Create a server's database, and return True if that was needed.

    Nothing is done where the database is there or is not a SQLite file, and where the installed
    Prefect does not know the revision of the schema.

    Args:
        url: the database's address as SQLAlchemy takes it.
    """
    from sqlalchemy.engine import make_url

    place = make_url(url)
    if place.get_backend_name() != "sqlite" or place.database in (None, "") or ":memory:" in url:
        return False
    path, schema = Path(str(place.database)), SCHEMA.read_text("utf-8")
    if path.exists() or not _is_known(schema):
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{path.name}.new")
    aside.unlink(missing_ok=True)
    with closing(sqlite3.connect(aside)) as con:
        con.executescript(schema)
    aside.replace(path)
    return True


def _is_known(schema: str) -> bool:
    """Return True if the installed Prefect has the migration that the schema ends with."""
    import prefect.server.database._migrations as migrations

    revision = _REVISION.findall(schema)[-1]
    versions = Path(migrations.__path__[0]) / "versions" / "sqlite"
    line = f'revision = "{revision}"'
    return any(line in file.read_text("utf-8") for file in versions.glob("*.py"))


def migrated_schema(path: Path) -> str:
    """Return, as SQL, the database that Prefect's own migrations make at a path."""
    from prefect.server.database.configurations import AioSqliteConfiguration
    from prefect.server.database.interface import PrefectDBInterface
    from prefect.server.database.orm_models import AioSqliteORMConfiguration
    from prefect.server.database.query_components import AioSqliteQueryComponents
    from prefect.settings import temporary_settings

    url = f"sqlite+aiosqlite:///{path}"
    with temporary_settings(updates={"server.database.connection_url": url}):
        database = PrefectDBInterface(
            database_config=AioSqliteConfiguration(connection_url=url),
            query_components=AioSqliteQueryComponents(),
            orm=AioSqliteORMConfiguration(),
        )
        asyncio.run(database.create_db())
    with closing(sqlite3.connect(path)) as con:
        return "".join(f"{statement}\n" for statement in con.iterdump())


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        SCHEMA.write_text(migrated_schema(Path(folder) / "prefect.db"), "utf-8")

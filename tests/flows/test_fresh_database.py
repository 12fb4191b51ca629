"""The database that a server starts with is the one that Prefect's own migrations make."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from flows.server.fresh_database import SCHEMA, create_database, migrated_schema


def content(path: Path) -> str:
    with closing(sqlite3.connect(path)) as con:
        return "".join(f"{statement}\n" for statement in con.iterdump())


def lines_of(schema: str) -> list[str]:
    """Return a schema's lines in an order of their own: SQLAlchemy lists a table's constraints in any."""
    return sorted(line.strip().rstrip(",").strip() for line in schema.splitlines())


@pytest.mark.heavy
def test_the_schema_is_what_the_installed_prefect_s_migrations_make(tmp_path: Path) -> None:
    """When it is not, `python -m flows.server.fresh_database` writes it again."""
    made = migrated_schema(tmp_path / "migrated.db")
    assert lines_of(made) == lines_of(SCHEMA.read_text("utf-8"))


def test_prefect_s_migrations_have_nothing_left_to_do(tmp_path: Path) -> None:
    path = tmp_path / "below" / "prefect.db"
    assert create_database(f"sqlite+aiosqlite:///{path}")
    made = content(path)
    assert lines_of(made) == lines_of(SCHEMA.read_text("utf-8"))
    assert migrated_schema(path) == made
    assert [each.name for each in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    "url",
    [
        "sqlite+aiosqlite:///:memory:",
        "sqlite+aiosqlite:///file::memory:?cache=shared&uri=true",
        "postgresql+asyncpg://user:password@localhost/prefect",
    ],
)
def test_other_databases_are_left_to_prefect(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert not create_database(url)
    assert not list(tmp_path.iterdir())


def test_a_database_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "prefect.db"
    path.write_bytes(b"")
    assert not create_database(f"sqlite+aiosqlite:///{path}")
    assert path.read_bytes() == b""


def test_a_schema_of_a_later_prefect_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = tmp_path / "later.sql"
    text = SCHEMA.read_text("utf-8")
    revision = text.partition('INSERT INTO "alembic_version" VALUES(\'')[2][:12]
    later.write_text(text.replace(revision, "0123456789ab"), "utf-8")
    monkeypatch.setattr("flows.server.fresh_database.SCHEMA", later)
    assert not create_database(f"sqlite+aiosqlite:///{tmp_path / 'prefect.db'}")

"""The database of `redial serve`: SQLite by itself, PostgreSQL when it is named; its password is shown nowhere."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from flows.server.database import (
    SETTING,
    VARIABLES,
    check_database,
    choose_database,
    with_database,
    without_database,
)
from tasks.errors import UserError
from tests.cli.test_mistakes import assert_told, redial
from tests.flows.test_postgres import runs_in
from tests.support.model_process import model_server
from tests.support.postgres import PASSWORD, postgres, programs
from tests.support.served import Served, demo_like, processes, serving, until

GIVEN = "postgresql+asyncpg://ann:s3cret-pass@db.example.org:5432/prefect"
needs_postgres = pytest.mark.skipif(programs() is None, reason="no PostgreSQL here")


def test_an_option_goes_before_the_environment_and_ours_before_prefects() -> None:
    others = dict.fromkeys(VARIABLES, GIVEN.replace("ann", "bob"))
    assert choose_database(GIVEN, others) == GIVEN
    for place, name in enumerate(VARIABLES):
        environment = {
            **dict.fromkeys(VARIABLES[place:], "sqlite+aiosqlite:////tmp/x.db"),
            name: GIVEN,
        }
        assert choose_database(None, environment) == GIVEN
    assert choose_database(None, {}) == ""


@pytest.mark.parametrize(
    "url",
    [
        "mysql://ann:s3cret-pass@db/prefect",
        "postgresql://ann:s3cret-pass@db/prefect",  # a driver that does not wait for answers
        "postgresql+asyncpg:///s3cret-pass",
        "postgresql+asyncpg://ann:s3cret-pass[@db/prefect",
        "postgresql+asyncpg://ann:s3cret-pass@db:seven/prefect",
        "s3cret-pass",
    ],
)
def test_what_is_no_database_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(UserError, match="must be written as") as refused:
        choose_database(url, {})
    assert "s3cret-pass" not in str(refused.value)
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


def test_only_the_server_is_given_the_address() -> None:
    environment = {"PATH": "/bin", **dict.fromkeys(VARIABLES, GIVEN)}
    assert without_database(environment) == {"PATH": "/bin"}
    assert with_database(environment, GIVEN) == {"PATH": "/bin", SETTING: GIVEN}
    assert with_database(environment, "") == {"PATH": "/bin"}


def test_a_server_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    done = redial(
        tmp_path,
        "serve",
        REDIAL_DATABASE="postgresql+asyncpg://ann:s3cret-pass@127.0.0.1:9/prefect",
    )
    assert_told(done, "no PostgreSQL server answers at 127.0.0.1:9", tmp_path)
    assert "s3cret-pass" not in done.stdout + done.stderr


def test_a_database_of_another_kind_is_one_line(tmp_path: Path) -> None:
    done = redial(tmp_path, "serve", "--database", "mysql://ann:s3cret-pass@db/prefect")
    assert_told(done, "postgresql+asyncpg://", tmp_path)
    assert "s3cret-pass" not in done.stdout + done.stderr


def test_other_machines_are_let_in_only_with_a_login(tmp_path: Path) -> None:
    assert_told(
        redial(tmp_path, "serve", "--no-login", "--listen", "0.0.0.0"),
        "leave out --listen",
        tmp_path,
    )


# --- against PostgreSQL


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with postgres() as url:
        yield url


@needs_postgres
def test_what_postgresql_refuses_is_said_without_the_password(database: str) -> None:
    check_database(database)
    for url, words in (
        (database.replace(quote(PASSWORD), "s3cret-pass"), "lets nobody in"),
        (database.replace("prefect:", "nobody:"), "lets nobody in"),
        (database.removesuffix("postgres") + "elsewhere", "there is no database 'elsewhere'"),
    ):
        with pytest.raises(UserError, match=words) as refused:
            check_database(url)
        assert PASSWORD not in str(refused.value) and "s3cret-pass" not in str(refused.value)


@needs_postgres
@pytest.mark.heavy
def test_serve_works_on_postgresql_and_shows_its_password_nowhere(
    database: str, tmp_path: Path
) -> None:
    """Started, stopped in the middle of a build and started again: what it keeps is in PostgreSQL alone."""
    with model_server(answers="mock", latency_s=1.0) as model:
        generate = {
            "model": "openai/mock",
            "api_base": model.address,
            "limits": {"concurrency": 2, "probe": False},
        }
        demo_like(tmp_path, "ours", title="Ours", briefs={"max_dialogues": 16}, generate=generate)
        with serving(tmp_path, REDIAL_DATABASE=database) as served:
            run_id = served.start("build/ours", domain="ours")
            until(lambda: model.billed() >= 4, 180)
            commands = processes_with_words()
            settings = served.client.get("/admin/settings").text
            printed = served.told
            environments = [environment_of(pid) for pid in processes(tmp_path)]
        with serving(tmp_path, REDIAL_DATABASE=database) as served:
            run = served.wait(run_id, among={"COMPLETED", "FAILED"})
            assert run["state"]["name"] == "Completed", served.logs(run_id)
            printed += served.told
    assert asyncio.run(runs_in(database)) == 1
    assert not list(tmp_path.rglob("prefect/serve/*.db"))
    secrets = (PASSWORD, quote(PASSWORD))
    assert not any(secret in text for secret in secrets for text in (commands, settings, printed))
    assert sum(quote(PASSWORD) in environment for environment in environments) == 1  # the server's
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [
        path for path in kept if any(secret.encode() in path.read_bytes() for secret in secrets)
    ] == []


def processes_with_words() -> str:
    """Return every command line of this machine, as any user sees them."""
    return subprocess.run(
        ["ps", "-eww", "-o", "args"], capture_output=True, text=True, check=True
    ).stdout


def environment_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/environ").read_text("utf-8", errors="replace")
    except OSError:
        return ""


def test_by_default_the_state_lies_in_the_data_folder(served: Served) -> None:
    assert list((served.data / "prefect" / "serve").glob("*.db"))

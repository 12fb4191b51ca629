"""A command imports what it needs and no more: what takes seconds to import is not waited for.

How long commands take is measured by `python -m tests.benchmarks.start_up`.
"""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest
import typer

from flows.cli import app, commands
from flows.cli.commands import COMMANDS
from tasks.settings import Home
from tasks.warehouse import open_warehouse
from tests.support.imported import imported
from tests.support.report_warehouse import fill

LARGE = ("polars", "prefect", "litellm", "great_expectations", "pandas", "numpy", "pyarrow")
LARGE_OR_NEEDED = (*LARGE, "pydantic", "duckdb")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """The data folder of a domain `demo` with dialogues, and the id of one."""
    home = Home(data=tmp_path_factory.mktemp("data"))
    with open_warehouse(home.warehouse("demo")) as con:
        fill(con, 40)
        found = con.execute("SELECT min(dialogue_id) FROM utterances").fetchone()
    assert found
    return str(home.data), found[0]


def test_the_help_imports_no_large_library() -> None:
    assert imported(LARGE_OR_NEEDED, "--help") == []


@pytest.mark.parametrize(
    "words", [["funnel", "demo"], ["list"], ["show"]], ids=lambda words: words[0]
)
def test_a_command_that_looks_imports_no_large_library(
    filled: tuple[str, str], words: list[str]
) -> None:
    data, dialogue = filled
    chosen = [*words, dialogue] if words == ["show"] else words
    assert imported(LARGE, "--data", data, *chosen) == []


def test_the_summaries_are_those_of_the_commands() -> None:
    group = typer.main.get_command(app)
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        told = " ".join(command.help.partition("\n\n")[0].split())
        assert told == COMMANDS[name].summary, name


def test_every_registered_command_is_in_the_table() -> None:
    for command in COMMANDS.values():
        import_module(command.module)
    registered = typer.main.get_group(app).registered  # type: ignore[attr-defined]
    assert set(registered) == set(COMMANDS)
    folder = Path(commands.__file__).parent
    registering = {
        f"flows.cli.{path.stem}"
        for path in folder.glob("*.py")
        if re.search(r"\bapp\.(command|add_typer)\(", path.read_text(encoding="utf-8"))
    }
    # That module's commands are registered through one that adds to them.
    assert registering - {"flows.cli.evaluate"} <= {one.module for one in COMMANDS.values()}

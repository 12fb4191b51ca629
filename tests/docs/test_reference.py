"""The generated pages of docs/reference are made from the code.

`python -m tests.docs.test_reference` writes them again.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import click
import duckdb
import pytest
import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from flows.cli import app
from flows.options import BuildOptions
from tasks.evaluation.finetune import LoraSettings
from tasks.settings import Domain
from tasks.warehouse import TABLES, create_tables
from tests.support.provider_quirks import QUIRKS

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference"


def cell(value: object) -> str:
    return " ".join(str(value).replace("|", "\\|").split())


def commands() -> str:
    lines = [
        "# Commands",
        "",
        "Every command has `--help`. `redial --data FOLDER COMMAND` uses another data folder than",
        "`data/`.",
        "",
    ]
    for path, command in walk("redial", typer.main.get_command(app)):
        lines += [f"## {path}", "", *wrapped(command.help), "", *wrapped(command.epilog), ""]
        rows = [row(parameter) for parameter in command.params if parameter.name != "help"]
        lines += (
            ["| argument or option | what | default |", "|---|---|---|", *rows, ""] if rows else []
        )
    return "\n".join(lines).rstrip() + "\n"


def wrapped(text: str | None) -> list[str]:
    """Return the lines of a paragraph."""
    return textwrap.wrap(cell(text or ""), 100, break_long_words=False, break_on_hyphens=False)


def walk(path: str, command: Any) -> Iterator[tuple[str, Any]]:
    if hasattr(command, "commands"):
        for name, below in sorted(command.commands.items()):
            yield from walk(f"{path} {name}", below)
    else:
        yield path, command


def row(parameter: Any) -> str:
    option = parameter.param_type_name == "option"
    name = ", ".join(parameter.opts) if option else parameter.name.upper()
    default = (
        parameter.default
        if option
        and parameter.default not in (None, False, ...)
        and not callable(parameter.default)
        else ""
    )
    return f"| `{name}` | {cell(getattr(parameter, 'help', '') or '')} | {cell(default)} |"


def settings() -> str:
    lines = [
        "# Settings",
        "",
        "A domain file in `data/domains/` holds these; an unknown key is refused. On the command line,",
        "`--set preprocess.core=fixpoint` overrides one. Defaults are the paper's numbers if it gives any.",
        "",
        *field_rows(Domain),
        "",
        "## Settings of local fine-tuning",
        "",
        "A YAML file of `redial evaluate finetune --base local/FILE.yaml` holds these",
        "([how](../how-to/evaluate.md#fine-tuning)). Folders are looked for beside the file first.",
        "",
        *field_rows(LoraSettings),
    ]
    return "\n".join(lines) + "\n"


def field_rows(model: type[BaseModel]) -> list[str]:
    """Return a table of a model's fields."""
    rows = [
        f"| `{name}` | {cell(what)} | {cell(default)} |" for name, what, default in fields(model)
    ]
    return ["| setting | what | default |", "|---|---|---|", *rows]


def fields(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, str, str]]:
    for name, field in model.model_fields.items():
        below = inner(field)
        if below is not None:
            yield from fields(below, f"{path}{name}.")
        else:
            default = "required" if field.is_required() else f"`{field.default}`"
            choices = (
                [str(choice) for choice in get_args(field.annotation)]
                if get_origin(field.annotation) is Literal
                else []
            )
            what = (
                f"{field.description} ({', '.join(choices)})"
                if choices
                else str(field.description or "")
            )
            yield f"{path}{name}", what, default


def tables() -> str:
    """Return the page of tables: an overview, then each table's columns as DuckDB has them."""
    con = duckdb.connect()
    create_tables(con)
    lines = [
        "# Tables",
        "",
        "One DuckDB file per domain, `data/warehouse/<domain>.duckdb`. `tasks/warehouse/tables.py` defines",
        "every table; `tasks/lineage/columns.yaml` says where each column comes from, and",
        "`expectations/facts.yaml` describes the columns of `dialogue_facts` and `utterance_facts`.",
        "",
        "| table | one row is | key |",
        "|---|---|---|",
    ]
    for table in TABLES.values():
        lines.append(
            f"| [`{table.name}`](#{table.name}) | {table.grain} | {', '.join(table.key)} |"
        )
    for table in TABLES.values():
        lines += ["", f"## {table.name}", "", "| column | type |", "|---|---|"]
        for name, kind, *_ in con.execute(f"DESCRIBE {table.name}").fetchall():
            lines.append(f"| `{name}` | {cell(kind)} |")
    return "\n".join(lines) + "\n"


def provider_replies() -> str:
    lines = [
        "# Provider replies",
        "",
        "What providers and local servers send that is not a plain answer, and what comes of it.",
        "Each row is a test against a server on loopback (`tests/llm/test_provider_quirks.py`): one",
        "request, with two retries allowed. An *answer* is stored and used again; a reply that holds",
        "none is kept for the bill and never used as an answer, and its brief ends as `failed` with",
        "this cause, to be asked again by the next build. `fatal` ends the run at once.",
        "",
        "A run ends early when its first 8 replies hold no answer, or none that can be read",
        "(`generate.limits.stop_after_unusable`), or later 20 of the last 25: at most these and the",
        "calls in flight are paid for. In batch mode no further batch is sent after one of which",
        "four fifths are of no use. The first 8 dialogues are also judged before the rest is asked",
        "for: if all of them break the same rule, the run ends",
        "(`generate.limits.stop_after_rejected`); of a long run later parts are judged as well, and",
        "20 of the last 25 dialogues that break the same rule end it. The line that says so has the",
        "commonest cause and one of the answers; 0 switches either off.",
        "",
        "*The line has* says by which words the line about it is known: that of a failure, or the",
        "one about a parameter that is left out.",
        "",
        "| reply | outcome | requests | billed | the line has |",
        "|---|---|---|---|---|",
    ]
    for name, quirk in QUIRKS.items():
        reply, said = (cell(text).replace("<", "&lt;") for text in (name, quirk.text))
        lines.append(f"| {reply} | {quirk.outcome} | {quirk.requests} | {quirk.billed} | {said} |")
    lines += ["", *ENVIRONMENT.splitlines()]
    return "\n".join(lines) + "\n"


ENVIRONMENT = """\
## The environment, and the window

What surrounds the server, each tested (`tests/llm/test_environment.py`, `tests/llm/test_probe.py`,
`tests/flows/test_connection.py`):

| what is there | what happens |
|---|---|
| `HTTP_PROXY`, and a server on loopback | it is asked directly, whatever `NO_PROXY` says |
| `AZURE_API_KEY` without `AZURE_API_BASE` | nothing is sent: `needs AZURE_API_BASE` |
| `AZURE_API_BASE` alone | nothing is sent: `needs AZURE_API_KEY (or AZURE_AD_TOKEN)` |
| `AZURE_AD_TOKEN` in place of a key | the token is sent |
| `PREFECT_API_URL` of a server that is not there | `no Prefect server answers at`, exit code 2 |
| a Prefect profile that names a server | it is said and not used: `the Prefect profile NAME names` |
| a window smaller than the prompt, and no error | the probe sees it by the tokens counted, far below the forecast: `the server cut a prompt of about` |
| a window that the server or its error names | it is taken over; what does not fit is not sent: `not sent: the prompt has about` |
"""


def inner(field: FieldInfo) -> type[BaseModel] | None:
    for kind in (field.annotation, *get_args(field.annotation)):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
    return None


PAGES = {
    "commands.md": commands,
    "settings.md": settings,
    "tables.md": tables,
    "provider-replies.md": provider_replies,
}


@pytest.mark.parametrize("page", PAGES)
def test_a_generated_page_is_up_to_date(page: str) -> None:
    assert (REFERENCE / page).read_text(encoding="utf-8") == PAGES[page]()


def test_every_setting_says_what_it_is() -> None:
    assert [name for name, what, _ in fields(Domain) if not what] == []


def test_every_command_has_help_and_an_example() -> None:
    for path, command in walk("redial", typer.main.get_command(app)):
        assert command.help, path
        assert (command.epilog or "").startswith(f"Example: {' '.join(path.split())}"), path
        assert isinstance(command, click.Command) or command.params is not None


def test_every_choice_of_a_build_says_what_it_is() -> None:
    assert all(field.description for field in BuildOptions.model_fields.values())


if __name__ == "__main__":
    for name, content in PAGES.items():
        (REFERENCE / name).write_text(content(), encoding="utf-8")

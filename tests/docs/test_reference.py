"""docs/commands.md and docs/settings.md are the code's own words; `python -m tests.docs.test_reference` writes them anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import click
import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from flows.cli import app
from flows.options import BuildOptions
from tasks.settings import Domain

DOCS = Path(__file__).resolve().parents[2] / "docs"


def cell(value: object) -> str:
    return " ".join(str(value).replace("|", "\\|").split())


def commands() -> str:
    lines = [
        "# Commands",
        "",
        "Every command takes `--help`. `redial --data FOLDER COMMAND` works on another data folder than `data/`.",
        "",
    ]
    for path, command in walk("redial", typer.main.get_command(app)):
        lines += [f"## {path}", "", cell(command.help or ""), "", cell(command.epilog or ""), ""]
        rows = [row(parameter) for parameter in command.params if parameter.name != "help"]
        lines += (
            ["| argument or option | what | default |", "|---|---|---|", *rows, ""] if rows else []
        )
    return "\n".join(lines).rstrip() + "\n"


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
        "A domain file in `data/domains/` holds these; an unknown key is refused. On the command line, `--set preprocess.core=fixpoint`",
        "lays one over the file. Defaults are the paper's numbers where it gives any.",
        "",
        "| setting | what | default |",
        "|---|---|---|",
    ]
    return (
        "\n".join(
            [
                *lines,
                *(
                    f"| `{name}` | {cell(what)} | {cell(default)} |"
                    for name, what, default in fields(Domain)
                ),
            ]
        )
        + "\n"
    )


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


def inner(field: FieldInfo) -> type[BaseModel] | None:
    for kind in (field.annotation, *get_args(field.annotation)):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
    return None


def test_every_command_and_option_is_documented() -> None:
    assert (DOCS / "commands.md").read_text(encoding="utf-8") == commands()


def test_every_setting_is_documented() -> None:
    assert (DOCS / "settings.md").read_text(encoding="utf-8") == settings()


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
    (DOCS / "commands.md").write_text(commands(), encoding="utf-8")
    (DOCS / "settings.md").write_text(settings(), encoding="utf-8")

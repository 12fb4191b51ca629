"""The `redial` command: its options common to all, and how it ends. A user's mistake is one line and exit code 2."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from flows.cli.console import ERR
from tasks.errors import UserError
from tasks.settings import Home

app = typer.Typer(
    name="redial",
    help="Build, judge and release conversational-recommendation datasets from what users really did.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

DomainArgument = Annotated[str, typer.Argument(help="Name of a domain: a file in data/domains, without .yaml", show_default=False)]
JsonOption = Annotated[bool, typer.Option("--json", help="Answer in JSON, for a program to read")]


@app.callback()
def common(
    ctx: typer.Context,
    data: Annotated[Path | None, typer.Option(help="Data folder to read and write, in place of data/ (or REDIAL_DATA)")] = None,
) -> None:
    """Build, judge and release conversational-recommendation datasets from what users really did."""
    ctx.obj = Home.find(data)


def main() -> None:
    """Run the command line; turn what the user can put right into one line and exit code 2."""
    try:
        app()
    except UserError as error:
        _end(2, str(error))
    except OSError as error:
        _end(2, f"{error.filename or 'the disk'}: {error.strerror or error}")
    except KeyboardInterrupt:
        _end(130, "stopped; nothing that was paid for is lost, run the same command again to go on")


def _end(code: int, line: str) -> None:
    """Write one line and leave at once: a live traceback keeps DuckDB objects, about which the interpreter complains when it ends."""
    ERR.print(f"redial: {line}", markup=False)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)

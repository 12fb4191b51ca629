"""The `redial` command: its options common to all, and how it ends.

A user's mistake is one line and exit code 2.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from typer.exceptions import TyperException

from flows.cli.commands import Commands
from flows.cli.completion import complete_corpus, complete_dialogue, complete_domain
from flows.cli.console import ERR, OUT
from flows.server.gc_thread import collect_seldom
from tasks.errors import UserError

_INTERRUPTED = 130  # what typer answers with, as a shell does, when a command was stopped by Ctrl-C
_TERMINATED = 143  # 128 + SIGTERM, as a shell says it
_STOPPED = "stopped; nothing that was paid for is lost, run the same command again to go on"


class _Terminated(BaseException):
    """SIGTERM, raised in the main thread so that what was started is ended."""


app = typer.Typer(
    name="redial",
    cls=Commands,
    help="Build, judge and release conversational-recommendation datasets from what users "
    "really did.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

DomainArgument = Annotated[
    str,
    typer.Argument(
        help="Name of a domain: a file in data/domains, without .yaml",
        show_default=False,
        autocompletion=complete_domain,
    ),
]
DialogueArgument = Annotated[
    str,
    typer.Argument(
        help="A dialogue's id, or the first digits of it; DOMAIN/ID where several domains have it",
        show_default=False,
        autocompletion=complete_dialogue,
    ),
]
ReleaseArgument = Annotated[
    str,
    typer.Argument(
        help="A domain's name (its latest release), or a release's version or folder",
        show_default=False,
        autocompletion=complete_corpus,
    ),
]
OfDomainOption = Annotated[
    str,
    typer.Option(
        "--domain",
        help="Search this domain alone",
        show_default=False,
        autocompletion=complete_domain,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Answer in JSON, for a program to read")]


def comma_list(text: str) -> list[str]:
    """Return the words of an option that takes several, with commas between them."""
    return [word.strip() for word in text.split(",") if word.strip()]


def _show_version(wanted: bool) -> None:
    """Show which version this is, then end.

    That is the package's version, a hash of the code and data files that run, and the commit
    where it is known.
    """
    if wanted:
        from tasks.runs import code_commit, code_version

        version, _, code = code_version().partition("+")
        commit = code_commit()
        OUT.print(
            f"redial {version} (code {code}{f', commit {commit}' if commit else ''})", markup=False
        )
        raise typer.Exit


@app.callback()
def common(
    ctx: typer.Context,
    data: Annotated[
        Path | None,
        typer.Option(help="Data folder to read and write, in place of data/ (or REDIAL_DATA)"),
    ] = None,
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Show the version and end", callback=_show_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Choose the data folder that the command works on."""
    # Not before: the settings take a tenth of a second, which `redial --help` has no use for.
    from tasks.addresses import keep_loopback_off_proxies
    from tasks.settings import Home

    keep_loopback_off_proxies(os.environ)
    ctx.obj = Home.find(data)


def main() -> None:
    """Run the command line; turn what the user can correct into one line and exit code 2."""
    signal.signal(signal.SIGTERM, _raise_terminated)
    collect_seldom()
    try:
        code = app(prog_name="redial", standalone_mode=False)
    except UserError as error:
        _end(2, str(error))
    except TyperException as error:
        _end(2, _misused(error))
    except OSError as error:
        _end(2, f"{error.filename or 'the disk'}: {error.strerror or error}")
    except KeyboardInterrupt:
        code = _INTERRUPTED
    except BaseException as error:
        if not _is_termination(error):
            raise
        code = _TERMINATED
    _end(code or 0, _STOPPED if code in (_INTERRUPTED, _TERMINATED) else "")


def _raise_terminated(number: int, frame: object) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a second one ends the process at once
    raise _Terminated


def _is_termination(error: BaseException) -> bool:
    """Return True if SIGTERM ended the command.

    We raise it, or Prefect does within a flow.
    """
    if isinstance(error, _Terminated):
        return True
    exceptions = sys.modules.get("prefect.exceptions")  # not imported here: it takes a second
    return exceptions is not None and isinstance(error, exceptions.TerminationSignal)


def _misused(error: TyperException) -> str:
    """Return what is wrong with the way a command was called, and the way out.

    The text is empty if the command's help was shown instead.
    """
    message = error.format_message().strip().rstrip(".")
    if not message:
        return ""
    context = getattr(error, "ctx", None)
    if context and context.parent and getattr(error, "option_name", None) == "--data":
        return (
            "--data stands before the command: redial --data FOLDER "
            f"{context.command_path.removeprefix('redial ')} ..."
        )
    command = context.command_path if context else "redial"
    return f"{message}; `{command} --help` tells how it is called"


def _end(code: int, line: str) -> None:
    """Write one line, if any, and leave at once.

    What must be ended was ended on the way here. Taking the interpreter down piece by piece would
    take half a second more, and DuckDB's extension module complains of objects that are still
    there.
    """
    if line:
        ERR.print(f"redial: {line}", markup=False)
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)

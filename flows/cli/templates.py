"""`redial templates`: look at the dialogue templates, prove them legal, make more."""

from __future__ import annotations

import typer

from flows.cli.app import app

templates = typer.Typer(help="Look at dialogue templates, prove them legal, make more from the grammar.", no_args_is_help=True)
app.add_typer(templates, name="templates")

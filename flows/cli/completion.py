"""What a shell completes after `redial`: names of domains and releases, and ids of dialogues.

A data folder is only read.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from tasks.settings import Home

MOST = 50  # ids offered: more would only push the prompt out of sight


def complete_domain(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the domains whose name begins so."""
    return _beginning(_home(ctx).domain_files(), incomplete)


def complete_dialogue(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return ids that begin so, as `ID` or `DOMAIN/ID`.

    Warehouses that are being written are left out.
    """
    from tasks.dialogue_store import ids_beginning

    return ids_beginning(_home(ctx), incomplete, MOST)


def complete_corpus(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return domains and releases (DOMAIN/VERSION, DOMAIN/latest) that begin so."""
    home = _home(ctx)
    names = list(home.domain_files())
    for latest in (home.data / "releases").glob("*/latest"):
        domain = latest.parent
        names += [
            f"{domain.name}/{place.name}"
            for place in domain.iterdir()
            if not place.name.startswith(".")
        ]
    return _beginning(names, incomplete)


def _beginning(names: Iterable[str], incomplete: str) -> list[str]:
    return sorted(name for name in names if name.startswith(incomplete))


def _home(ctx: typer.Context) -> Home:
    """Return the data folder that is meant.

    While a shell asks, no command has run that would have chosen it.
    """
    from tasks.settings import Home

    given = ctx.find_root().params.get("data")
    return Home.find(Path(given) if given else None)

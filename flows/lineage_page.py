"""`redial lineage --page`: finds what is meant and writes the page about it."""

from __future__ import annotations

from pathlib import Path

from flows.trace import trace
from tasks.errors import UserError
from tasks.files import write_atomically
from tasks.lineage import (
    DialogueLineage,
    attempt_outcomes,
    dialogue_lineage,
    example_dialogue,
    lineage_page,
    read_counts,
)
from tasks.settings import Home
from tasks.warehouse import read_warehouse


def write_lineage_page(home: Home, of: str, path: Path, domain: str = "") -> Path:
    """Write the page about a domain, a dialogue or a release, and return its path.

    A domain's page shows the path of the first dialogue that was accepted, a release's that of its
    example.

    Raises:
        UserError: there is no such thing, or the file cannot be written.
    """
    traced = None if of in home.domain_files() else trace(home, of, domain)
    domain = traced.domain if traced else of
    with read_warehouse(home.warehouse(domain)) as con:
        if not isinstance(traced, DialogueLineage):
            shown = traced.example if traced else example_dialogue(con)
            traced = dialogue_lineage(con, domain, shown) if shown else None
        outcomes = attempt_outcomes(con, traced.dialogue_id) if traced else {}
        page = lineage_page(domain, read_counts(con), traced, outcomes)
    try:
        return write_atomically(path, page)
    except OSError as error:
        raise UserError(
            f"the page cannot be written to {path}: {error.strerror or error}"
        ) from None

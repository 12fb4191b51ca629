"""`redial lineage`: how a dialogue or a release came about, from its sources on.

Requests are made again, so that the prompts can be shown that were sent.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from tasks.dialogue_store import find_dialogue
from tasks.errors import UserError
from tasks.files import write_atomically
from tasks.lineage import (
    DialogueLineage,
    Rebuilt,
    ReleaseLineage,
    attempt_outcomes,
    attempts_at,
    dialogue_lineage,
    example_dialogue,
    lineage_page,
    read_counts,
    release_lineage,
    settings_asked_with,
)
from tasks.quality import load_suites, rule_sentences
from tasks.release import find_release
from tasks.reports import replay
from tasks.settings import Domain, Home
from tasks.warehouse import Connection, read_warehouse


def trace(home: Home, of: str, domain: str = "") -> DialogueLineage | ReleaseLineage:
    """Trace a release by any of its names, or a dialogue by its id, in one domain if one is given.

    Raises UserError.
    """
    release = None if domain else find_release(home, of)
    if release is not None:
        if release.domain is None:
            raise UserError(
                f"{release.path} is not among the releases in {home.data}, "
                "whose warehouses tell where releases come from"
            )
        with read_warehouse(home.warehouse(release.domain)) as con:
            return release_lineage(con, release.domain, release.version)
    dialogue = find_dialogue(home, of, domain)
    with read_warehouse(home.warehouse(dialogue.domain)) as con:
        config = settings_asked_with(con, dialogue.dialogue_id)
        rules = _rule_names(home, config) if config else []
        rebuilt = _rebuild(con, home, config, dialogue.dialogue_id) if config else {}
        return dialogue_lineage(con, dialogue.domain, dialogue.dialogue_id, rules, rebuilt)


def _rule_names(home: Home, domain: Domain) -> list[str]:
    suites = load_suites(home, domain.quality.suites, domain.quality.severities)
    return sorted(rule_sentences(suites))


def _rebuild(
    con: Connection, home: Home, domain: Domain, dialogue_id: str
) -> dict[int, list[Rebuilt]]:
    """Make every request of each attempt again; one that is not what was asked has no key."""
    rebuilt: dict[int, list[Rebuilt]] = {}
    for attempt in attempts_at(con, dialogue_id):
        with suppress(UserError):  # a profile that is gone: its prompts cannot be made again
            asked = replay(con, home, domain, dialogue_id, attempt)
            rebuilt[attempt] = [
                Rebuilt(one.request_key if one.same else "", one.messages) for one in asked
            ]
    return rebuilt


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

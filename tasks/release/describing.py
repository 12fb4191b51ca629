"""What describes a release beside its data: contracts, facts, card, Croissant, checksums."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tasks.release.card import CARD, card
from tasks.release.contracts import CONTRACTS, write_contracts
from tasks.release.croissant import write_croissant
from tasks.release.facts import write_facts
from tasks.release.files import TABLES
from tasks.release.integrity import SUMS, sums_of


def describe(
    folder: Path,
    counts: Mapping[str, int],
    facts: Mapping[str, Any],
    *,
    domain: str,
    more: str = "",
) -> None:
    """Write the description of a release whose data are written.

    Args:
        folder: the release.
        counts: rows of each published table.
        facts: those in `CARD_FACTS` are stated; `license`, `language` and `pseudonyms` count too.
        domain: the domain's name.
        more: Markdown for the card's end.
    """
    tables, title = folder / TABLES, str(facts.get("title") or domain)
    write_contracts(folder / CONTRACTS, tables, domain=domain, title=title)
    write_facts(folder, domain, facts)
    pseudonyms = bool(facts.get("pseudonyms"))
    text = card(domain, counts, facts, tables, pseudonyms=pseudonyms, more=more)
    (folder / CARD).write_text(text, encoding="utf-8", newline="\n")
    licence, language = str(facts.get("license", "")), str(facts.get("language", ""))
    write_croissant(folder, tables, title=title, licence=licence, language=language)
    (folder / SUMS).write_text(sums_of(folder), encoding="utf-8", newline="\n")

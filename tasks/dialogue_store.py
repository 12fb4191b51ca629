"""Finds a dialogue by its id, whichever domain it belongs to, and reads it whole for a person to look at."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import duckdb

from tasks.errors import UserError
from tasks.settings import Home
from tasks.verdicts import BRIEF_VERDICTS
from tasks.warehouse import read_warehouse

_ID = re.compile(r"[0-9a-f]{4,16}")


@dataclass(frozen=True)
class Found:
    """A dialogue's whole id and its domain."""

    domain: str
    dialogue_id: str


@dataclass(frozen=True)
class Shown:
    """One dialogue as a person reads it: its brief, its items, its utterances at the attempt that counts."""

    domain: str
    dialogue_id: str
    user_id: str
    position: int
    template_id: str
    verdict: str
    attempt: int
    items: list[dict[str, Any]]
    utterances: list[dict[str, Any]]


def find_dialogue(home: Home, dialogue_id: str) -> Found:
    """Find a dialogue by its id or the id's first digits (at least four).

    Raises:
        UserError: no such dialogue in any warehouse, more than one, or the text is no id.
    """
    if not _ID.fullmatch(dialogue_id):
        raise UserError(
            f"{dialogue_id[:80]!r} is not a dialogue id: 16 hexadecimal digits, or the first of them"
        )
    found = []
    for path in sorted((home.data / "warehouse").glob("*.duckdb")):
        with read_warehouse(path) as con:
            rows = con.execute(
                "SELECT dialogue_id FROM briefs WHERE starts_with(dialogue_id, ?) LIMIT 2",
                [dialogue_id],
            ).fetchall()
            found += [Found(path.stem, row[0]) for row in rows]
    if not found:
        raise UserError(
            f"there is no dialogue {dialogue_id} in {home.data / 'warehouse'}: `redial build DOMAIN` makes them"
        )
    if len(found) > 1:
        raise UserError(
            f"more than one dialogue begins with {dialogue_id}: give more of the id's digits"
        )
    return found[0]


def read_dialogue(con: duckdb.DuckDBPyConnection, found: Found) -> Shown:
    """Read a dialogue at the attempt its verdict names, or the last one parsed.

    Raises UserError when the id is not there.
    """
    brief = con.execute(
        f"""
        WITH {BRIEF_VERDICTS},
        last_attempt AS (SELECT dialogue_id, max(attempt) AS attempt FROM dialogues GROUP BY dialogue_id)
        SELECT b.user_id, b.position, b.template_id, v.verdict, coalesce(v.attempt, l.attempt, 0)
        FROM briefs b
        JOIN brief_verdicts v USING (dialogue_id)
        LEFT JOIN last_attempt l USING (dialogue_id)
        WHERE b.dialogue_id = ?
        """,
        [found.dialogue_id],
    ).fetchall()
    if not brief:
        raise UserError(f"there is no dialogue {found.dialogue_id} in {found.domain}")
    user_id, position, template_id, verdict, attempt = brief[0]
    items = con.execute(
        "SELECT slot, item_id, title, collection FROM brief_items WHERE dialogue_id = ? ORDER BY slot",
        [found.dialogue_id],
    ).fetchall()
    utterances = con.execute(
        "SELECT turn, role, text, goals, item_ids FROM utterances WHERE dialogue_id = ? AND attempt = ? ORDER BY turn",
        [found.dialogue_id, attempt],
    ).fetchall()
    return Shown(
        found.domain,
        found.dialogue_id,
        user_id,
        position,
        template_id,
        verdict,
        attempt,
        [dict(zip(("slot", "item_id", "title", "collection"), row, strict=True)) for row in items],
        [
            dict(zip(("turn", "role", "text", "goals", "item_ids"), row, strict=True))
            for row in utterances
        ],
    )

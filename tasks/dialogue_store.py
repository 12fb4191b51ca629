"""Finds a dialogue by its id in any domain, and reads all of it for people to look at."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from tasks.errors import UserError
from tasks.settings import DOMAIN_NAME, Home
from tasks.verdicts import BRIEF_VERDICTS
from tasks.warehouse import read_warehouse, rows

MOST_CANDIDATES = 8  # listed if several dialogues begin with an id
_ID = re.compile(r"[0-9a-f]{4,16}")
_BEGINNING = (
    "SELECT dialogue_id FROM briefs WHERE starts_with(dialogue_id, ?) ORDER BY dialogue_id LIMIT ?"
)

_BRIEF = f"""
WITH {BRIEF_VERDICTS},
last_attempt AS (
    SELECT dialogue_id, max(attempt) AS attempt
    FROM dialogues
    GROUP BY dialogue_id
)
SELECT b.user_id, b.position, b.template_id, v.verdict, coalesce(v.attempt, l.attempt, 0)
FROM briefs b
JOIN brief_verdicts v USING (dialogue_id)
LEFT JOIN last_attempt l USING (dialogue_id)
WHERE b.dialogue_id = ?
"""
_ITEMS = """
SELECT slot, item_id, title, collection
FROM brief_items
WHERE dialogue_id = ?
ORDER BY slot
"""
_UTTERANCES = """
SELECT turn, role, text, goals, item_ids
FROM utterances
WHERE dialogue_id = ? AND attempt = ?
ORDER BY turn
"""


@dataclass(frozen=True)
class Found:
    """A dialogue's whole id and its domain."""

    domain: str
    dialogue_id: str


@dataclass(frozen=True)
class Shown:
    """One dialogue as people read it: its brief, its items, the utterances of its last attempt.

    `attempt` is the one its verdict names, or else the last one parsed; 0 if there is none.
    """

    domain: str
    dialogue_id: str
    user_id: str
    position: int
    template_id: str
    verdict: str
    attempt: int
    items: list[dict[str, Any]]
    utterances: list[dict[str, Any]]


def find_dialogue(home: Home, name: str, domain: str = "") -> Found:
    """Find a dialogue by its id, the id's first digits (at least four), or DOMAIN/ID.

    The whole id that an earlier version gave a dialogue finds it too. A warehouse that cannot be
    read now is ignored if another one has the dialogue.

    Args:
        home: whose warehouses are searched.
        name: the id, its first digits, or DOMAIN/ID.
        domain: search this domain only.

    Raises:
        UserError: no such dialogue, more than one, or the text is no id.
    """
    domain, dialogue_id = _split(name, domain)
    paths = [home.warehouse(domain)] if domain else _warehouses(home)
    candidates: list[Found] = []
    problems: list[UserError] = []
    for path in paths:
        try:
            with read_warehouse(path) as con:
                candidates += [Found(path.stem, one) for one in _ids(con, path.stem, dialogue_id)]
        except UserError as problem:
            problems.append(problem)
    if len(candidates) > 1:
        raise _ambiguous(dialogue_id, candidates)
    if candidates:
        return candidates[0]
    if problems:
        raise problems[0]
    where = f"the warehouse of {domain}" if domain else str(home.data / "warehouse")
    raise UserError(
        f"there is no dialogue {dialogue_id} in {where}: `redial build {domain or 'DOMAIN'}` "
        "makes them"
    )


def ids_beginning(home: Home, text: str, most: int) -> list[str]:
    """Return the dialogues whose id, or DOMAIN/ID, begins with a text, for a shell to complete.

    They are written as the text is: with a domain if it has one. Warehouses that cannot be read now
    are ignored.

    Args:
        home: where the warehouses are.
        text: what was typed.
        most: the largest number of dialogues to return.
    """
    domain, slash, beginning = text.rpartition("/")
    paths = [path for path in _warehouses(home) if not slash or path.stem == domain]
    ids: list[str] = []
    for path in paths:
        with suppress(UserError), read_warehouse(path) as con:
            matches = con.execute(_BEGINNING, [beginning, most - len(ids)]).fetchall()
            ids += [f"{domain}{slash}{dialogue_id}" for (dialogue_id,) in matches]
    return ids


def _split(name: str, domain: str) -> tuple[str, str]:
    """Return the domain that is meant, or an empty text for any, and the id or its first digits.

    Raises UserError.
    """
    before, slash, dialogue_id = name.rpartition("/")
    if domain and not DOMAIN_NAME.fullmatch(domain):
        raise UserError(
            f"{domain[:80]!r} is not a domain name: use small letters, digits, dashes and "
            "underscores"
        )
    if not _ID.fullmatch(dialogue_id) or (slash and not DOMAIN_NAME.fullmatch(before)):
        raise UserError(
            f"{name[:80]!r} is not a dialogue id: 16 hexadecimal digits, or the first of them; or "
            "DOMAIN/ID"
        )
    if before and domain and before != domain:
        raise UserError(
            f"{name[:80]!r} names the domain {before}, and --domain {domain}: leave one of them out"
        )
    return before or domain, dialogue_id


def _warehouses(home: Home) -> list[Path]:
    paths = sorted((home.data / "warehouse").glob("*.duckdb"))
    return [path for path in paths if DOMAIN_NAME.fullmatch(path.stem)]


def _ids(con: duckdb.DuckDBPyConnection, domain: str, dialogue_id: str) -> list[str]:
    """Return the ids in one warehouse that begin so, or else the one of this earlier id."""
    if found := _beginning(con, dialogue_id):
        return found
    # Rarely needed, and what plans briefs takes long to import.
    from tasks.briefs import id_since_earlier

    return _beginning(con, id_since_earlier(domain, dialogue_id))


def _beginning(con: duckdb.DuckDBPyConnection, prefix: str) -> list[str]:
    matches = con.execute(_BEGINNING, [prefix, MOST_CANDIDATES + 1]).fetchall()
    return [match for (match,) in matches]


def _ambiguous(dialogue_id: str, candidates: Sequence[Found]) -> UserError:
    named = ", ".join(f"{one.domain}/{one.dialogue_id}" for one in candidates[:MOST_CANDIDATES])
    more = " and more" if len(candidates) > MOST_CANDIDATES else ""
    return UserError(
        f"more than one dialogue begins with {dialogue_id}: {named}{more}; give one of them as "
        "DOMAIN/ID"
    )


def brief_items(con: duckdb.DuckDBPyConnection, dialogue_id: str) -> list[dict[str, Any]]:
    """Return slot, item_id, title and collection of each item of a brief, by slot."""
    return rows(con, _ITEMS, [dialogue_id])


def read_dialogue(con: duckdb.DuckDBPyConnection, found: Found) -> Shown:
    """Read a dialogue at the attempt its verdict names, or the last one parsed.

    Raises UserError when the id is not there.
    """
    brief = con.execute(_BRIEF, [found.dialogue_id]).fetchall()
    if not brief:
        raise UserError(f"there is no dialogue {found.dialogue_id} in {found.domain}")
    user_id, position, template_id, verdict, attempt = brief[0]
    return Shown(
        found.domain,
        found.dialogue_id,
        user_id,
        position,
        template_id,
        verdict,
        attempt,
        brief_items(con, found.dialogue_id),
        rows(con, _UTTERANCES, [found.dialogue_id, attempt]),
    )

"""Takes users out of releases: each that holds them gets a new version without them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from tasks.erasure.traces import Traces
from tasks.errors import UserError
from tasks.machine import this_machine
from tasks.release import (
    Part,
    latest_release,
    place_release,
    pseudonym,
    read_facts,
    read_parts,
    write_derived,
)
from tasks.settings import Home

_DIALOGUES = "SELECT dialogue_id, user_id FROM part_dialogues"
_SAID = "SELECT dialogue_id, text FROM part_utterances"


@dataclass(frozen=True)
class Affected:
    """A release that holds something of the users.

    Attributes:
        domain: the folder that it is in: a domain, or a merged dataset.
        own: ids of the users' dialogues in it, as it has them.
        retold: ids of dialogues of others that go as well.
        kept: how many dialogues are left.
    """

    domain: str
    path: Path
    own: frozenset[str]
    retold: frozenset[str]
    kept: int


def find_affected(
    home: Home, domain: str, traces: Traces, secret: bytes | None
) -> Iterator[Affected]:
    """Yield each release of a domain, or merged from it, that holds something of the users.

    Args:
        home: where the releases are.
        domain: the domain.
        traces: what tells that something is of the users.
        secret: the key of the domain's pseudonyms, if there is one.
    """
    names = _names(domain, traces, secret)
    dialogues = traces.retold | {
        pseudonym(secret, "dialogue", one) for one in traces.retold if secret is not None
    }
    for folder in sorted((home.data / "releases").glob("*/*")):
        if (folder / "parquet").is_dir() and _is_of(folder, domain):
            found = _affected(folder, names, dialogues, traces)
            if found.own or found.retold:
                yield found


def _names(domain: str, traces: Traces, secret: bytes | None) -> frozenset[str]:
    """Return what users may be called in releases: their ids, pseudonyms, and both in merges."""
    names = set(traces.users)
    if secret is not None:
        names |= {pseudonym(secret, "user", user) for user in traces.users}
    return frozenset(names | {f"{domain}/{name}" for name in names})


def _is_of(folder: Path, domain: str) -> bool:
    if folder.parent.name == domain:
        return True
    made_of = read_facts(folder).get("made_of", [])
    return any(str(one).partition("/")[0] == domain for one in made_of)


def _affected(
    folder: Path, names: frozenset[str], dialogues: frozenset[str], traces: Traces
) -> Affected:
    with duckdb.connect(config=this_machine().duckdb_settings) as con:
        read_parts(con, [Part(folder.parent.name, folder)])
        users = dict(con.execute(_DIALOGUES).fetchall())
        own = {dialogue for dialogue, user in users.items() if user in names}
        retold = {dialogue for dialogue in users if dialogue in dialogues}
        said = con.execute(_SAID).fetchall()
        retold |= {dialogue for dialogue, text in said if traces.in_words(text)}
    others = frozenset(retold) - own
    kept = len(users) - len(own) - len(others)
    return Affected(folder.parent.name, folder, frozenset(own), others, kept)


def replace_release(home: Home, affected: Affected) -> str:
    """Write the version of a release without the users; return it, empty if nothing is left.

    The old version stays until `remove_release`.
    """
    if not affected.kept:
        return ""
    gone = affected.own | affected.retold
    facts = read_facts(affected.path)
    facts["erased"] = "yes"
    with duckdb.connect(config=this_machine().duckdb_settings) as con:
        read_parts(con, [Part(affected.domain, affected.path)])
        con.register("erased", pa.table({"dialogue_id": pa.array(sorted(gone), pa.string())}))
        con.execute(
            "CREATE TABLE chosen AS "
            "SELECT dialogue_id FROM part_dialogues ANTI JOIN erased USING (dialogue_id)"
        )
        written = place_release(
            home,
            affected.domain,
            lambda folder: write_derived(con, folder, facts, domain=affected.domain),
            is_latest=_is_latest(home, affected),
        )
    return written.version


def remove_release(home: Home, affected: Affected) -> None:
    """Remove the old version of a release; if it was the only one there is no latest any more."""
    if _is_latest(home, affected):
        (home.releases(affected.domain) / "latest").unlink()
    aside = affected.path.with_name(f".aside-{affected.path.name}")
    affected.path.replace(aside)
    shutil.rmtree(aside)


def _is_latest(home: Home, affected: Affected) -> bool:
    try:
        return latest_release(home, affected.domain) == affected.path
    except UserError:
        return False

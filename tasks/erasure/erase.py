"""Erases users, step by step, so that a killed erasure is finished by the same command.

Tombstones are written first, so that nothing is taken in again; the warehouse, which tells what
the users wrote, is cleaned last.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Literal

import duckdb

from tasks.erasure.pages import (
    clean_logs,
    names_user,
    remove_evaluations,
    remove_exports,
    remove_pages,
)
from tasks.erasure.releases import Affected, find_affected, remove_release, replace_release
from tasks.erasure.server_history import clean_server_history
from tasks.erasure.traces import Traces, files_below, find_traces, known_users
from tasks.erasure.warehouse import erase_answers, erase_rows, note_replaced, rewrite_file
from tasks.errors import UserError
from tasks.llm import fetch_journals, recover_journals, store_of
from tasks.release import pseudonym_key
from tasks.settings import Home, load_domain
from tasks.tombstones import Tombstones, read_tombstones, tombstone_file
from tasks.warehouse import domain_lock, open_warehouse, read_warehouse

Others = Literal["drop", "rewrite"]
BEYOND: Final = (
    "copies that were handed out, and exports outside the data folder",
    "what a provider logged of requests, and batches that wait there",
    "source files, which are yours; later ingests leave these users out",
    "a Prefect server elsewhere, or one that keeps its history in PostgreSQL",
)
"""What no command can erase."""
_TARGETS = """
WITH gone AS (SELECT unnest($gone) AS dialogue_id)
SELECT user_id, target_item_id FROM briefs SEMI JOIN gone USING (dialogue_id)
"""


@dataclass(frozen=True)
class Plan:
    """What is about to be erased.

    Attributes:
        traces: what tells that something is of the users.
        affected: releases that hold something of them.
        tombstones: of the domain, without these users yet.
        targets: users and targets of others' dialogues that retell the users' reviews.
        unknown: users of whom nothing is here.
    """

    home: Home
    domain: str
    traces: Traces
    affected: tuple[Affected, ...]
    tombstones: Tombstones
    targets: tuple[tuple[str, str], ...]
    unknown: tuple[str, ...]

    def counts(self) -> dict[str, int]:
        """Return how much is about to go."""
        return {
            "users": len(self.traces.users),
            "reviews": len(self.traces.reviews),
            "dialogues": len(self.traces.own),
            "dialogues of others": len(self.traces.retold),
            "releases replaced": len(self.affected),
        }


@dataclass
class Erased:
    """What was erased.

    Attributes:
        removed: how much, by place.
        versions: the new version of each release, by DOMAIN/VERSION; empty if nothing was left.
        left: files of the data folder that still name a user.
        beyond: what no command can erase.
    """

    removed: dict[str, int] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    beyond: Sequence[str] = BEYOND

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON data."""
        return {**vars(self), "beyond": list(self.beyond)}


def read_ids(path: Path) -> list[str]:
    """Return the ids in a file, one a line. Raises UserError if it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read as a file of ids: {error}") from None
    return [line.strip() for line in text.splitlines() if line.strip()]


def erase_users(
    home: Home,
    domain: str,
    users: Sequence[str],
    *,
    others: Others,
    confirm: Callable[[Plan], bool],
) -> Erased | None:
    """Erase users from a domain's warehouse, journals, pages, exports and releases.

    Args:
        home: the data folder.
        domain: the domain's name.
        users: ids as in the source.
        others: what becomes of dialogues of others that retell their reviews: `drop` for good, or
            `rewrite` by the next build, with another review.
        confirm: is shown what is about to go; nothing is touched unless it returns True.

    Returns:
        None where it was not confirmed.

    Raises:
        UserError: nothing of any user is here, a build is running, or something cannot be read.
    """
    load_domain(home, domain)
    with domain_lock(home, domain):
        plan = plan_erasure(home, domain, users)
        if not confirm(plan):
            return None
        return _erase(plan, others)


def plan_erasure(home: Home, domain: str, users: Sequence[str]) -> Plan:
    """Return what is to be erased; only left journals are loaded. The caller holds the domain."""
    wanted = list(dict.fromkeys(user for user in users if user))
    if not wanted:
        raise UserError("name at least one user to erase")
    secret = pseudonym_key(home, domain).secret
    tombstones = read_tombstones(home, domain, secret)
    path = home.warehouse(domain)
    traces, targets, known = Traces(frozenset(wanted)), [], frozenset[str]()
    if path.is_file() and path.stat().st_size:
        journals = home.journals(domain)
        fetch_journals(store_of(load_domain(home, domain).generate.journals, journals), journals)
        with open_warehouse(path) as con:
            recover_journals(con, journals)
            traces = find_traces(con, wanted)
            gone = {"gone": sorted(traces.retold)}
            targets = con.execute(_TARGETS, gone).fetchall()
            known = known_users(con, wanted)
    affected = tuple(find_affected(home, domain, traces, secret))
    if not known and not affected and not any(map(tombstones.has_user, wanted)):
        raise UserError(f"nothing of {wanted[0][:80]!r} is in {domain!r}: check the id")
    unknown = () if affected else tuple(user for user in wanted if user not in known)
    own = traces.own | {one for release in affected for one in release.own}
    retold = traces.retold | {one for release in affected for one in release.retold}
    traces = replace(traces, own=own, retold=retold - own)
    return Plan(home, domain, traces, affected, tombstones, tuple(targets), unknown)


def _erase(plan: Plan, others: Others) -> Erased:
    home, domain, done = plan.home, plan.domain, Erased()
    # First, because it refuses while a server runs.
    done.removed["rows of run histories"] = clean_server_history(home, plan.traces)
    tombstones = plan.tombstones.with_users(plan.traces.users)
    if others == "drop":
        tombstones = tombstones.with_briefs(plan.targets)
    tombstones.write(home, domain)
    names = {domain, *(one.path.name for one in plan.affected)}
    names |= {one.domain for one in plan.affected}
    done.removed["exports"] = remove_exports(home, names, plan.traces)
    done.removed["pages"] = remove_pages(home, domain, plan.traces)
    done.removed["files of evaluations"] = remove_evaluations(home, plan.traces)
    _erase_releases(plan, done)
    done.removed["lines of logs"] = clean_logs(home, domain, plan.traces)
    done.removed["answers of evaluations"] = _erase_evaluations(plan)
    _erase_warehouse(plan, done)
    done.left = _left(home, plan.traces)
    done.removed = {place: count for place, count in done.removed.items() if count}
    return done


def _erase_releases(plan: Plan, done: Erased) -> None:
    """Replace each release; the new version is on record before the old one goes."""
    for affected in plan.affected:
        version = replace_release(plan.home, affected)
        if affected.domain == plan.domain and version:
            _note(plan, {affected.path.name: version})
        remove_release(plan.home, affected)
        done.versions[f"{affected.domain}/{affected.path.name}"] = version


def _note(plan: Plan, versions: Mapping[str, str]) -> None:
    path = plan.home.warehouse(plan.domain)
    if path.is_file():
        with open_warehouse(path) as con:
            note_replaced(con, versions)


def _erase_evaluations(plan: Plan) -> int:
    """Delete answers of evaluations, which are in warehouses of no domain."""
    erased = 0
    domains = plan.home.domain_files()
    for path in sorted((plan.home.data / "warehouse").glob("*.duckdb")):
        if path.stem in domains:
            continue
        with domain_lock(plan.home, path.stem), open_warehouse(path) as con:
            recover_journals(con, plan.home.journals(path.stem))
            gone = erase_answers(con, plan.traces)
        if gone:
            _rewrite(path)
        erased += gone
    return erased


def _erase_warehouse(plan: Plan, done: Erased) -> None:
    path = plan.home.warehouse(plan.domain)
    backups = sorted(path.parent.glob(f"{path.name}.layout-*"))
    for backup in backups:  # of `redial upgrade`, which took over what was paid for
        backup.unlink()
    done.removed["copies of earlier warehouses"] = len(backups)
    if path.is_file():
        with open_warehouse(path) as con:
            done.removed |= erase_rows(con, plan.traces)
        _rewrite(path)


def _rewrite(path: Path) -> None:
    try:
        rewrite_file(path)
    except (OSError, duckdb.Error) as error:
        raise UserError(
            f"{path} was not written again ({error}): run the same command again, or bytes of "
            "deleted rows stay in it"
        ) from None


def _left(home: Home, traces: Traces) -> list[str]:
    """Return the files below the data folder that still name a user."""
    known = tombstone_file(home, "-").parent
    files = (path for path in files_below(home.data) if path.parent != known)
    found = [path for path in files if names_user(path, traces) or _knows_user(path, traces)]
    return [path.relative_to(home.data).as_posix() for path in found]


def _knows_user(path: Path, traces: Traces) -> bool:
    """Return True if a file is a warehouse that has anything of a user; its bytes are packed."""
    if path.suffix != ".duckdb":
        return False
    try:
        with read_warehouse(path) as con:
            return bool(known_users(con, sorted(traces.users)))
    except UserError:  # a build holds it, or it is of another version: its bytes were read
        return False

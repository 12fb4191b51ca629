"""Makes again what `redial select` and `merge` made, from the releases that it was made of."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb

from tasks.derive.merge import merge_releases
from tasks.derive.select import Selection, select_dialogues
from tasks.errors import UserError
from tasks.machine import this_machine
from tasks.release import FoundRelease, find_release, read_facts
from tasks.settings import Home

_APART = "SELECT count(*) FROM read_parquet($path) WHERE starts_with(user_id, $front)"


def remake(home: Home, release: FoundRelease, aside: Path) -> Path:
    """Make a release of other releases again.

    Args:
        home: where those are.
        release: the release, which says what it was made of.
        aside: a folder to make it in.

    Returns:
        Its folder.

    Raises:
        UserError: users were erased from it, or a release that it was made of is not here.
    """
    facts = read_facts(release.path)
    if facts.get("erased"):
        raise UserError(
            f"users were erased from {release.path}, so it cannot be made again: it holds what is "
            "left of an earlier release"
        )
    parents = [_parent(home, release, str(name)) for name in facts.get("made_of", ())]
    if not parents:
        raise UserError(f"{release.path} does not say which releases it was made of")
    if "selected" in facts:
        place = aside / "selected"
        (parent,) = parents
        select_dialogues(parent, Selection.of_words(facts["selected"]), place)
        return place
    other = Home.find(aside)
    apart = _users_apart(release, facts)
    name = str(facts.get("title") or release.named)
    return merge_releases(other, parents, name, users_apart=apart).release.path


def is_derived(release: FoundRelease) -> bool:
    """Return True if a release was made of other releases, or of what is left of one."""
    facts = read_facts(release.path)
    return bool(facts.get("made_of") or facts.get("erased"))


def _parent(home: Home, release: FoundRelease, name: str) -> FoundRelease:
    found = find_release(home, name)
    if found is None:
        raise UserError(
            f"{release.path} was made of the release {name[:200]}, which is not here: put a copy "
            f"of it into {home.data / 'releases'}"
        )
    return found


def _users_apart(release: FoundRelease, facts: Mapping[str, Any]) -> bool:
    """Return True if each user's id has a domain's name in front."""
    first = str(facts["made_of"][0]).partition("/")[0]
    path = str(release.path / "parquet" / "users.parquet")
    with duckdb.connect(config=this_machine().duckdb_settings) as con:
        rows = con.execute(_APART, {"path": path, "front": f"{first}/"}).fetchall()
    return bool(rows[0][0])

"""Several releases as one dataset, as the paper's release of four domains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from tasks.errors import UserError
from tasks.exports import Compared, comparison_markdown, table_3
from tasks.machine import this_machine
from tasks.release import (
    FoundRelease,
    Part,
    ReleaseInfo,
    place_release,
    read_facts,
    read_parts,
    write_derived,
)
from tasks.settings import DOMAIN_NAME, Home
from tasks.statistics import folder_statistics

_COMPARED = ("model", "profile", "rollout", "seed", "suites", "language", "license", "pseudonyms")
_SHARED_USERS = """
WITH parts AS (SELECT user_id, count(DISTINCT part) AS parts FROM part_users GROUP BY user_id)
SELECT count(*) FROM parts WHERE parts > 1
"""


@dataclass(frozen=True)
class Merged:
    """A merged dataset.

    Attributes:
        release: where it is.
        shared_users: users who are in more than one of the parts.
        conflicts: one sentence for each fact in which the parts differ.
        table_3: Table 3, one column a part and the total.
    """

    release: ReleaseInfo
    shared_users: int
    conflicts: tuple[str, ...]
    table_3: list[dict[str, Any]]


def merge_releases(
    home: Home, sources: Sequence[FoundRelease], name: str, *, users_apart: bool = False
) -> Merged:
    """Write several releases as one, among the releases of `name`.

    Items' ids get their domain's name in front. A user of one id is one person in all of them, with
    one history, unless `users_apart` is set.

    Raises:
        UserError: the name is no name or a domain's, there are fewer than two releases, two are of
            one domain, or one cannot be read.
    """
    names = [source.domain or source.named for source in sources]
    _check(home, name, names)
    parts = [Part(own, source.path) for own, source in zip(names, sources, strict=True)]
    facts = [read_facts(source.path) for source in sources]
    conflicts = tuple(_conflicts(names, facts))
    made_of = [f"{own}/{source.version}" for own, source in zip(names, sources, strict=True)]
    tables: list[list[dict[str, Any]]] = []

    def counted(folder: Path) -> str:
        folders = {part.name: part.folder for part in parts} | {"Total": folder}
        compared = [
            Compared(own, None, True, folder_statistics(place)) for own, place in folders.items()
        ]
        tables.append(table_3(compared))
        return _section(comparison_markdown(tables[-1]), conflicts)

    with duckdb.connect(config=this_machine().duckdb_settings) as con:
        read_parts(con, parts, keep_items_apart=True, keep_users_apart=users_apart)
        con.execute("CREATE TABLE chosen AS SELECT dialogue_id FROM part_dialogues")
        shared = int(con.execute(_SHARED_USERS).fetchall()[0][0])
        merged = _merged_facts(facts) | {"title": name, "made_of": made_of}
        release = place_release(
            home,
            name,
            lambda folder: write_derived(con, folder, merged, domain=name, more=counted),
        )
    return Merged(release, shared, conflicts, tables[-1])


def _check(home: Home, name: str, names: Sequence[str]) -> None:
    if not DOMAIN_NAME.fullmatch(name):
        raise UserError(
            f"{name[:80]!r} is no name for a dataset: use small letters, digits, dashes and "
            "underscores"
        )
    if name in home.domain_files():
        raise UserError(f"{name!r} is a domain, whose releases stay apart: choose another --name")
    if len(names) < 2:
        raise UserError("name at least two releases to merge")
    repeated = [own for own in names if names.count(own) > 1]
    if repeated:
        raise UserError(f"{repeated[0]!r} is named twice: merge one release of each domain")


def _conflicts(names: Sequence[str], facts: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return one sentence for each fact in which the parts differ."""
    sentences = []
    for fact in _COMPARED:
        values = {own: _shown(given.get(fact)) for own, given in zip(names, facts, strict=True)}
        if len(set(values.values())) > 1:
            listed = ", ".join(f"{value} in {own}" for own, value in values.items())
            sentences.append(f"{fact} differs: {listed}")
    return sentences


def _shown(value: Any) -> str:
    if value is None or value == "":
        return "none"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _merged_facts(facts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the facts in which all parts agree; models are listed, and any pseudonyms count."""
    first = facts[0]
    agreed = {
        fact: value for fact, value in first.items() if all(one.get(fact) == value for one in facts)
    }
    models = dict.fromkeys(str(one["model"]) for one in facts if one.get("model"))
    if models:
        agreed["model"] = ", ".join(models)
    agreed["pseudonyms"] = any(one.get("pseudonyms") for one in facts)
    return agreed


def _section(table: str, conflicts: Sequence[str]) -> str:
    said = "".join(f"- {sentence}\n" for sentence in conflicts)
    differ = f"\nThe parts differ:\n\n{said}" if said else ""
    return f"\n## Table 3\n\n{table}{differ}"

"""Reads lineage from a warehouse, and writes down what a release contains."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import duckdb
from pydantic import ValidationError

from tasks.errors import UserError
from tasks.lineage import queries
from tasks.lineage.records import Asked, AttemptLineage, DialogueLineage, Rebuilt, ReleaseLineage
from tasks.settings import Domain
from tasks.verdicts import ACCEPTED
from tasks.warehouse import rows

Row = dict[str, Any]


def settings_asked_with(con: duckdb.DuckDBPyConnection, dialogue_id: str) -> Domain | None:
    """Return the settings of the run that last asked for a dialogue; None if they are not known."""
    recorded = con.execute(queries.CONFIG, [dialogue_id]).fetchall()
    try:
        return Domain.model_validate_json(recorded[0][0]) if recorded else None
    except ValidationError:
        return None  # settings of an older version, which today's code cannot read


def attempts_at(con: duckdb.DuckDBPyConnection, dialogue_id: str) -> list[int]:
    """Return the numbers of the attempts that were made at a dialogue, in order."""
    return [row["attempt"] for row in rows(con, queries.ATTEMPTS, [dialogue_id])]


def asked_requests(con: duckdb.DuckDBPyConnection, dialogue_id: str) -> list[Row]:
    """Return a dialogue's requests in order, one row each, with what is known of the answer.

    `turn` and `side` say what a dual rollout asked for; they are None for a whole dialogue.
    """
    return rows(con, queries.ASKED, [dialogue_id])


def note_release(
    con: duckdb.DuckDBPyConnection, version: str, run_id: str, config_hash: str, code_version: str
) -> None:
    """Write down that a release was written or confirmed, and which dialogues are in it."""
    con.execute("DELETE FROM releases WHERE version = ?", [version])
    con.execute("DELETE FROM released_dialogues WHERE version = ?", [version])
    con.execute(
        f"INSERT INTO releases WITH {ACCEPTED} SELECT ?, ?, ?, ?, count(*), ? FROM accepted",
        [version, run_id, config_hash, code_version, datetime.now(UTC)],
    )
    con.execute(
        f"""
        INSERT INTO released_dialogues
        WITH {ACCEPTED} SELECT ?, dialogue_id, attempt FROM accepted
        """,
        [version],
    )


def dialogue_lineage(
    con: duckdb.DuckDBPyConnection,
    domain: str,
    dialogue_id: str,
    rules: Sequence[str] = (),
    rebuilt: Mapping[int, Sequence[Rebuilt]] | None = None,
) -> DialogueLineage:
    """Trace one dialogue.

    Args:
        con: the domain's warehouse.
        domain: its name.
        dialogue_id: 16 hexadecimal digits.
        rules: names of the rules attempts are judged by.
        rebuilt: each attempt's requests made again, in order.

    Raises:
        UserError: the warehouse has no such brief.
    """
    briefs = rows(con, queries.BRIEF, [dialogue_id])
    if not briefs:
        raise UserError(f"there is no dialogue {dialogue_id} in {domain}")
    brief = briefs[0]
    verdict = brief.pop("verdict")
    attempts = _attempts(con, dialogue_id, rules, rebuilt or {})
    releases = rows(con, queries.RELEASES_OF_DIALOGUE, [dialogue_id])
    run_ids = [row["run_id"] for row in releases]
    for attempt in attempts:
        run_ids += [request.run_id for request in attempt.asked]
    runs = _runs(con, run_ids)
    reviews = rows(con, queries.REVIEWS, [dialogue_id])
    return DialogueLineage(
        domain, dialogue_id, verdict, _sources(runs), reviews, brief, attempts, releases, runs
    )


def release_lineage(con: duckdb.DuckDBPyConnection, domain: str, version: str) -> ReleaseLineage:
    """Trace one release by its version. Raises UserError if the warehouse has none of it."""
    releases = rows(con, "SELECT * FROM releases WHERE version = ?", [version])
    if not releases:
        raise UserError(f"the warehouse of {domain} knows no release {version!r}")
    release = releases[0]
    asked_by = [row[0] for row in con.execute(queries.RUNS_OF_RELEASE, [version]).fetchall()]
    runs = _runs(con, [release["run_id"], *asked_by])
    templates, reviews = con.execute(queries.COUNTS_OF_RELEASE, [version]).fetchall()[0]
    attempts = dict(con.execute(queries.ATTEMPTS_OF_RELEASE, [version]).fetchall())
    ((first,),) = con.execute(
        "SELECT min(dialogue_id) FROM released_dialogues WHERE version = ?", [version]
    ).fetchall()
    models = rows(con, queries.MODELS_OF_RELEASE, [version])
    return ReleaseLineage(
        domain,
        release,
        _sources(runs),
        runs,
        models,
        attempts,
        int(templates),
        int(reviews),
        first or "",
    )


def _attempts(
    con: duckdb.DuckDBPyConnection,
    dialogue_id: str,
    rules: Sequence[str],
    rebuilt: Mapping[int, Sequence[Rebuilt]],
) -> list[AttemptLineage]:
    asked: dict[int, list[Asked]] = defaultdict(list)
    for row in asked_requests(con, dialogue_id):
        attempt, place = row.pop("attempt"), row.pop("place")
        requests = rebuilt.get(attempt, [])
        prompt = None
        if len(requests) >= place and requests[place - 1].request_key == row["request_key"]:
            prompt = requests[place - 1].messages
        asked[attempt].append(Asked(**row, prompt=prompt))
    broken: dict[int, list[Row]] = defaultdict(list)
    for row in rows(con, queries.BROKEN, [dialogue_id]):
        broken[row.pop("attempt")].append(row)
    return [
        _attempt(row, asked[row["attempt"]], rules, broken[row["attempt"]])
        for row in rows(con, queries.ATTEMPTS, [dialogue_id])
    ]


def _attempt(
    row: Row, asked: Sequence[Asked], rules: Sequence[str], broken: Sequence[Row]
) -> AttemptLineage:
    broken_rules = {fault["rule"] for fault in broken}
    passed = []
    if row.pop("judged"):
        passed = [rule for rule in rules if rule not in broken_rules]
    return AttemptLineage(**row, asked=asked, passed=passed, broken=broken)


def _runs(con: duckdb.DuckDBPyConnection, run_ids: Sequence[str | None]) -> list[Row]:
    wanted = sorted({run_id for run_id in run_ids if run_id})
    runs = []
    for row in rows(con, queries.RUNS, [wanted]):
        sources = json.loads(row["sources"] or "{}")
        counts = json.loads(row["counts"] or "{}")
        runs.append({**row, "sources": sources, "counts": counts})
    return runs


def _sources(runs: Sequence[Row]) -> list[Row]:
    """Return the source files of the last of some runs."""
    if not runs:
        return []
    return [{"file": name, "sha256": digest} for name, digest in runs[-1]["sources"].items()]

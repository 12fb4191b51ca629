"""The lineage page: one HTML file that needs nothing else, with the pipeline and one dialogue's path as SVG and as tables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb

from tasks.lineage.graph import (
    AttemptOutcome,
    Counts,
    path_drawing,
    pipeline_drawing,
    stage_reads_and_writes,
)
from tasks.lineage.records import DialogueLineage
from tasks.verdicts import BRIEF_VERDICTS
from tasks.warehouse import TABLES, one_row, rows
from tasks.web import environment, inline_style

_PAGES = Path(__file__).with_name("pages")
_NEWEST = "SELECT version, dialogues FROM releases ORDER BY made_at DESC, version LIMIT 1"
_RUN = "SELECT config, sources FROM runs ORDER BY started_at DESC, run_id LIMIT 1"
_EXAMPLE = f"""
WITH {BRIEF_VERDICTS}
SELECT dialogue_id FROM brief_verdicts JOIN briefs USING (dialogue_id)
ORDER BY verdict <> 'accepted', brief_order LIMIT 1
"""
_KEYS = ("dialogue_id", "attempt")


def lineage_page(
    domain: str,
    counts: Counts,
    traced: DialogueLineage | None,
    outcomes: Mapping[int, AttemptOutcome],
) -> str:
    """Return the page.

    Args:
        domain: the domain's name.
        counts: what its warehouse holds.
        traced: the dialogue whose path is shown; None where there is none yet.
        outcomes: what each of its attempts came to.
    """
    return (
        environment(_PAGES)
        .get_template("lineage.html")
        .render(
            style=inline_style(_PAGES / "lineage.css"),
            domain=domain,
            counts=counts,
            pipeline=pipeline_drawing(counts),
            stages=stage_reads_and_writes(),
            grains={name: table.grain for name, table in TABLES.items()},
            traced=traced,
            outcomes=outcomes,
            path=path_drawing(traced, outcomes) if traced else None,
            cut=_cut,
        )
    )


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def read_counts(con: duckdb.DuckDBPyConnection) -> Counts:
    """Read what the boxes of the pipeline say.

    A table that a warehouse of an earlier version lacks has no rows.
    """
    there = {row["table_name"] for row in rows(con, "SELECT table_name FROM duckdb_tables()")}
    tables = {name: _count(con, name) if name in there else 0 for name in TABLES}
    stages = {
        row["stage"]: int(row["rows"])
        for row in rows(con, "SELECT stage, rows FROM stages ORDER BY stage")
    }
    run = next(iter(rows(con, _RUN)), {"config": None, "sources": None})
    release: dict[str, Any] = next(iter(rows(con, _NEWEST)), {"version": "", "dialogues": 0})
    model = str(json.loads(run["config"] or "{}").get("generate", {}).get("model", "model"))
    sources = {
        str(name): str(digest) for name, digest in json.loads(run["sources"] or "{}").items()
    }
    return Counts(
        tables, stages, sources, str(release["version"]), int(release["dialogues"]), model
    )


def example_dialogue(con: duckdb.DuckDBPyConnection) -> str | None:
    """Return the dialogue to show where none was named: the first that was accepted, else the first brief; None without one."""
    found = rows(con, _EXAMPLE)
    return str(found[0]["dialogue_id"]) if found else None


def attempt_outcomes(con: duckdb.DuckDBPyConnection, dialogue_id: str) -> dict[int, AttemptOutcome]:
    """Return what each attempt at a dialogue came to."""
    said = rows(
        con,
        "SELECT attempt, count(*) AS utterances FROM utterances WHERE dialogue_id = ? GROUP BY "
        "attempt",
        [dialogue_id],
    )
    facts = {
        row["attempt"]: _facts(row)
        for row in rows(con, "SELECT * FROM dialogue_facts WHERE dialogue_id = ?", [dialogue_id])
    }
    utterances = {row["attempt"]: int(row["utterances"]) for row in said}
    return {
        one: AttemptOutcome(utterances.get(one, 0), facts.get(one, {}))
        for one in sorted({*utterances, *facts})
    }


def _facts(row: Mapping[str, Any]) -> dict[str, int]:
    return {name: int(value) for name, value in row.items() if name not in _KEYS and value}


def _count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    return int(one_row(con, f"SELECT count(*) AS rows FROM {table}")["rows"])

"""The lineage page: the pipeline and one dialogue's path, as SVG and as tables.

It is one HTML file that needs nothing else.
"""

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
_UTTERANCES = """
SELECT attempt, count(*) AS utterances FROM utterances WHERE dialogue_id = ? GROUP BY attempt
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
        counts: what is in its warehouse.
        traced: the dialogue whose path is shown; None where there is none yet.
        outcomes: what each of its attempts came to.
    """
    template = environment(_PAGES).get_template("lineage.html")
    return template.render(
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


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def read_counts(con: duckdb.DuckDBPyConnection) -> Counts:
    """Read what the boxes of the pipeline say.

    A table that a warehouse of an earlier version lacks has no rows.
    """
    present = {row["table_name"] for row in rows(con, "SELECT table_name FROM duckdb_tables()")}
    tables = {name: _count(con, name) if name in present else 0 for name in TABLES}
    records = rows(con, "SELECT stage, rows FROM stages ORDER BY stage")
    stages = {row["stage"]: int(row["rows"]) for row in records}
    run = next(iter(rows(con, _RUN)), {"config": None, "sources": None})
    release: dict[str, Any] = next(iter(rows(con, _NEWEST)), {"version": "", "dialogues": 0})
    model = str(json.loads(run["config"] or "{}").get("generate", {}).get("model", "model"))
    hashes = json.loads(run["sources"] or "{}")
    sources = {str(name): str(digest) for name, digest in hashes.items()}
    return Counts(
        tables, stages, sources, str(release["version"]), int(release["dialogues"]), model
    )


def example_dialogue(con: duckdb.DuckDBPyConnection) -> str | None:
    """Return the dialogue to show where none was named; None without a brief.

    It is the first that was accepted, else the first brief.
    """
    examples = rows(con, _EXAMPLE)
    return str(examples[0]["dialogue_id"]) if examples else None


def attempt_outcomes(con: duckdb.DuckDBPyConnection, dialogue_id: str) -> dict[int, AttemptOutcome]:
    """Return what each attempt at a dialogue came to."""
    counts = rows(con, _UTTERANCES, [dialogue_id])
    utterances = {row["attempt"]: int(row["utterances"]) for row in counts}
    judged = rows(con, "SELECT * FROM dialogue_facts WHERE dialogue_id = ?", [dialogue_id])
    facts = {row["attempt"]: _facts(row) for row in judged}
    return {
        attempt: AttemptOutcome(utterances.get(attempt, 0), facts.get(attempt, {}))
        for attempt in sorted({*utterances, *facts})
    }


def _facts(row: Mapping[str, Any]) -> dict[str, int]:
    return {name: int(value) for name, value in row.items() if name not in _KEYS and value}


def _count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    return int(one_row(con, f"SELECT count(*) AS rows FROM {table}")["rows"])

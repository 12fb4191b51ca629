"""A brief whose dialogue was rejected, with what was written and what was wrong with it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import duckdb

from tasks.briefs.values import Brief
from tasks.prompts import Finding


@dataclass(frozen=True)
class BriefToRepair(Brief):
    """A brief, the rejected dialogue as it was answered, and the rejecting rules it broke."""

    previous: str = ""
    findings: tuple[Finding, ...] = ()


def load_repairs(
    con: duckdb.DuckDBPyConnection, briefs: Sequence[Brief], attempt: int, sentences: Mapping[str, str]
) -> list[BriefToRepair]:
    """Join briefs with what their attempt before `attempt` was rejected for.

    Args:
        con: the domain's warehouse, judged up to the attempt before.
        briefs: briefs whose dialogue was rejected then.
        attempt: the attempt about to be made, from 2.
        sentences: what each rule says, by name.
    """
    ids = [brief.dialogue_id for brief in briefs]
    texts = dict(
        con.execute(
            "SELECT dialogue_id, text FROM transcripts WHERE attempt = ? AND dialogue_id IN (SELECT unnest(?))", [attempt - 1, ids]
        ).fetchall()
    )
    found: dict[str, list[Finding]] = defaultdict(list)
    for dialogue_id, rule, turn, evidence in con.execute(_FINDINGS, [attempt - 1, ids]).fetchall():
        found[dialogue_id].append(Finding(rule, turn, evidence or "", sentences.get(rule, rule)))
    return [
        BriefToRepair(**_values(brief), previous=texts.get(brief.dialogue_id) or "", findings=tuple(found[brief.dialogue_id]))
        for brief in briefs
    ]


def _values(brief: Brief) -> dict[str, Any]:
    return {field.name: getattr(brief, field.name) for field in fields(Brief)}


_FINDINGS = """
SELECT dialogue_id, rule, turn, evidence
FROM rejections
WHERE severity = 'reject' AND attempt = ? AND dialogue_id IN (SELECT unnest(?))
ORDER BY dialogue_id, turn NULLS FIRST, rule
"""

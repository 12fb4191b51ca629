"""Lineage: from a released dialogue back to its source lines, from a release to its runs.

In: a domain's warehouse. Out: records, texts, a page, and OpenLineage events. Start with
`dialogue_lineage` and `release_lineage`.
"""

from tasks.lineage.columns import EXTERNAL, ColumnRef, Made, StageColumns, kind_of, stage_columns
from tasks.lineage.graph_page import attempt_outcomes, example_dialogue, lineage_page, read_counts
from tasks.lineage.reader import (
    asked_requests,
    attempts_at,
    dialogue_lineage,
    note_release,
    release_lineage,
    settings_asked_with,
)
from tasks.lineage.records import Asked, AttemptLineage, DialogueLineage, Rebuilt, ReleaseLineage
from tasks.lineage.text import dialogue_lines, release_lines, release_markdown

__all__ = [
    "asked_requests",
    "EXTERNAL",
    "Asked",
    "AttemptLineage",
    "ColumnRef",
    "DialogueLineage",
    "Made",
    "Rebuilt",
    "ReleaseLineage",
    "StageColumns",
    "attempt_outcomes",
    "attempts_at",
    "dialogue_lineage",
    "dialogue_lines",
    "example_dialogue",
    "kind_of",
    "lineage_page",
    "note_release",
    "read_counts",
    "release_lineage",
    "release_lines",
    "release_markdown",
    "settings_asked_with",
    "stage_columns",
]

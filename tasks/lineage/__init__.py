"""Lineage: from a released dialogue back to the source lines it rests on, and from a release to the runs that made it."""

from tasks.lineage.reader import (
    attempts_at,
    dialogue_lineage,
    note_release,
    release_lineage,
    settings_asked_with,
)
from tasks.lineage.records import Asked, AttemptLineage, DialogueLineage, Rebuilt, ReleaseLineage
from tasks.lineage.text import dialogue_lines, release_lines, release_markdown

__all__ = [
    "Asked",
    "AttemptLineage",
    "DialogueLineage",
    "Rebuilt",
    "ReleaseLineage",
    "attempts_at",
    "dialogue_lineage",
    "dialogue_lines",
    "note_release",
    "release_lineage",
    "release_lines",
    "release_markdown",
    "settings_asked_with",
]

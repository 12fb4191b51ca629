"""OpenLineage: what a build reads and writes, as events of the open standard.

Needs the extra `openlineage`.

Imported by itself, not by `tasks.lineage`: the client takes half a second to import, and most
builds send nothing.
"""

from tasks.lineage.openlineage.events import (
    ended_run,
    ended_stage,
    lost_run,
    started_run,
    started_stage,
)
from tasks.lineage.openlineage.names import Source, build_sources, run_uuid, stage_uuid
from tasks.lineage.openlineage.reading import (
    ReleaseFiles,
    StageState,
    TableState,
    lost_runs,
    read_stage,
    release_files,
)
from tasks.lineage.openlineage.values import ABORT, COMPLETE, FAIL, BuildRun, StageRun

__all__ = [
    "ABORT",
    "COMPLETE",
    "FAIL",
    "BuildRun",
    "ReleaseFiles",
    "Source",
    "StageRun",
    "StageState",
    "TableState",
    "build_sources",
    "ended_run",
    "ended_stage",
    "lost_run",
    "lost_runs",
    "read_stage",
    "release_files",
    "run_uuid",
    "stage_uuid",
    "started_run",
    "started_stage",
]

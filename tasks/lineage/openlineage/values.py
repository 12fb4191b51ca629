"""What events are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from tasks.lineage.openlineage.names import Source

COMPLETE: Final = "COMPLETE"
FAIL: Final = "FAIL"
ABORT: Final = "ABORT"


@dataclass(frozen=True)
class BuildRun:
    """One run of a build.

    Attributes:
        namespace: of jobs and of warehouse tables.
        domain: the domain's name.
        run_id: as in the table `runs`.
        config_hash: hash of the settings; code: version and hash of the checkout.
        model: who writes.
        sources: the source files, with their hashes.
        source_columns: names of the columns of `reviews` and of `metadata`, by what they stand for.
    """

    namespace: str
    domain: str
    run_id: str
    config_hash: str
    code: str
    model: str
    sources: tuple[Source, ...]
    source_columns: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)


@dataclass(frozen=True)
class StageRun:
    """One stage of a build.

    `time` counts how often it has begun in it; `why` says why it is redone, if it is.
    """

    run: BuildRun
    stage: str
    time: int = 1
    why: str = ""

"""What a build came to, as a value a program can read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tasks.funnel import Rows


@dataclass(frozen=True)
class BuildResult:
    """The end of a build.

    Attributes:
        state: "completed", or "budget", "breaker", "batch", "worker" when asking ended early, or
            "failed".
        message: why it ended early or failed, in one line.
        release: folder of the release; None when the run ended before there was one.
        funnel: one row per way a brief ended.
        rules: one row per broken rule and attempt.
        causes: one row per cause of failed and rejected briefs, with an example.
        stages: from source lines to released dialogues, how many of each there are.
        set_aside: one row per kind of source line that is not used.
        might_likes: one row per reason why a MIGHT_LIKES item has no brief, and one for those that
            have.
        attempts: one row per attempt.
        statistics: Table 3 for what was released.
        cost: calls, tokens and dollars.
        pages: what a person looks at, by name: the newest report and Data Docs of the domain.
        run_pages: the same of this run alone, which later runs leave as they are, and the list of
            runs.
        history: one row a run of the domain that asked for something, this one last.
        alerts: the thresholds of the domain's settings that this run is beyond, one line each.
        key_file: where the key of the pseudonyms was generated and is kept; None where there are
            none, or the environment has it.
    """

    domain: str
    run_id: str
    state: str
    message: str
    release: Path | None
    version: str
    config_hash: str
    code_version: str
    funnel: Rows
    rules: Rows
    stages: Rows
    set_aside: Rows
    might_likes: Rows
    attempts: Rows
    statistics: dict[str, Any]
    cost: dict[str, Any]
    pages: Mapping[str, Path]
    run_pages: Mapping[str, Path] = field(default_factory=dict)
    history: Rows = field(default_factory=list)
    alerts: tuple[str, ...] = ()
    key_file: Path | None = None
    causes: Rows = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return the result as JSON data."""
        data = asdict(self)
        data["release"] = str(self.release) if self.release else None
        data["key_file"] = str(self.key_file) if self.key_file else None
        for pages in ("pages", "run_pages"):
            data[pages] = {name: str(page) for name, page in getattr(self, pages).items()}
        return data

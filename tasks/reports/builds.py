"""The newest build of a warehouse: when it ran, how it ended, and with which settings.

The settings may differ from the domain file's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import duckdb
from pydantic import ValidationError

from tasks.settings import Domain, Home, load_domain
from tasks.warehouse import rows

_LAST = """
SELECT run_id, config, config_hash, code_version, state, started_at, finished_at, counts
FROM runs ORDER BY started_at DESC, run_id LIMIT 1
"""
_ENDINGS: Final[Mapping[str, str]] = {
    "completed": "completed",
    "budget": "ended at its budget",
    "batch": "ended while the provider worked on a batch",
    "breaker": "ended because the provider was down",
    "worker": "ended because a sending process was lost",
    "failed": "failed",
}


@dataclass(frozen=True)
class LastBuild:
    """The newest build of a warehouse; the texts are empty where none is on record.

    `domain` has the settings it ran with; source files are named in it, without their place.
    `release` is the version it wrote or confirmed, empty where it released nothing. Times are UTC.
    """

    domain: Domain
    run_id: str = ""
    config_hash: str = ""
    code_version: str = ""
    state: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    release: str = ""

    @property
    def ending(self) -> str:
        """How and when it ended, as a person reads it; empty where no build is on record."""
        if not self.run_id:
            return ""
        if self.finished_at:
            return f"{_ENDINGS.get(self.state, self.state)} {_minute(self.finished_at)}"
        if self.state == "lost":
            return f"started {_minute(self.started_at)} and was lost with its process"
        return f"started {_minute(self.started_at)} and has not ended"


def last_build(con: duckdb.DuckDBPyConnection, home: Home, name: str) -> LastBuild:
    """Return the newest build.

    Without one, or with one whose settings this version cannot read, the domain file's settings are
    used.

    Raises:
        UserError: the domain file is needed and is not there or is wrong.
    """
    runs = rows(con, _LAST)
    if not runs:
        return LastBuild(load_domain(home, name))
    run = runs[0]
    try:
        domain = Domain.model_validate_json(run["config"])
    except (ValidationError, TypeError):
        domain = load_domain(home, name)
    return LastBuild(
        domain=domain,
        run_id=run["run_id"],
        config_hash=run["config_hash"] or "",
        code_version=run["code_version"] or "",
        state=run["state"] or "",
        started_at=run["started_at"],
        finished_at=run["finished_at"],
        release=_release(run["counts"]),
    )


def main_settings(domain: Domain) -> dict[str, str]:
    """Return the settings by which a domain's runs differ, by name, as a person reads them."""
    generate, limit = domain.generate, domain.briefs.max_dialogues
    return {
        "model": generate.named_models,
        "profile": f"{generate.profile}, {generate.rollout} rollout",
        "attempts": f"at most {generate.max_attempts}",
        "suites": ", ".join(domain.quality.suites),
        "templates": domain.briefs.templates,
        "dialogues": f"at most {limit:,}" if limit else "as many as can be planned",
        "seed": str(domain.seed),
    }


def _release(counts: str | None) -> str:
    """Return the release that a run's counts name.

    Runs that did not end, and those of earlier versions, name none.
    """
    try:
        named = json.loads(counts or "{}").get("release", "")
    except (ValueError, AttributeError):
        return ""
    return named if isinstance(named, str) else ""


def _minute(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else "at an unknown time"

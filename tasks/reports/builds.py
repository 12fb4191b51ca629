"""The build a warehouse holds: when it ran and with which settings, which are not those of the domain file if options were laid over it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb

from tasks.reports.asking import rows
from tasks.settings import Domain, Home, load_domain

_LAST = "SELECT run_id, config, config_hash, code_version, state, finished_at FROM runs ORDER BY started_at DESC LIMIT 1"


@dataclass(frozen=True)
class LastBuild:
    """The newest build of a warehouse; the texts are empty where none is on record.

    `domain` holds the settings it ran with; source files are named in it, not placed.
    """

    domain: Domain
    run_id: str
    config_hash: str
    code_version: str
    state: str
    finished_at: datetime | None


def last_build(con: duckdb.DuckDBPyConnection, home: Home, name: str) -> LastBuild:
    """Return the newest build. Without one, or with one whose settings this version cannot read, the domain file's settings stand in.

    Raises:
        UserError: the domain file is needed and is not there or is wrong.
    """
    found = rows(con, _LAST)
    if not found:
        return LastBuild(load_domain(home, name), "", "", "", "", None)
    run = found[0]
    try:
        domain = Domain.model_validate(_settings(run["config"]))
    except (ValueError, TypeError, KeyError, AttributeError):  # a ValidationError is a ValueError
        domain = load_domain(home, name)
    return LastBuild(domain, run["run_id"], run["config_hash"] or "", run["code_version"] or "", run["state"] or "", run["finished_at"])


def _settings(text: str) -> Any:
    """Return stored settings as they were before JSON made texts of the numbers that weights go by."""
    settings = json.loads(text)
    weights = settings["briefs"]["weights"]
    return {**settings, "briefs": {**settings["briefs"], "weights": {int(number): weight for number, weight in weights.items()}}}

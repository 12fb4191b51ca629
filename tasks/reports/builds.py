"""The build a warehouse holds: when it ran and with which settings, which are not those of the domain file if options were laid over it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import duckdb
from pydantic import ValidationError

from tasks.settings import Domain, Home, load_domain
from tasks.warehouse import rows

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
        domain = Domain.model_validate_json(run["config"])
    except (ValidationError, TypeError):
        domain = load_domain(home, name)
    return LastBuild(domain, run["run_id"], run["config_hash"] or "", run["code_version"] or "", run["state"] or "", run["finished_at"])

"""The record of runs: which code and settings worked on which sources, when, and what came out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import duckdb

from tasks.fingerprint import code_hash, settings_hash
from tasks.redaction import redact_address
from tasks.settings import Domain


@dataclass(frozen=True)
class Run:
    """One run of a flow. `config_hash` leaves out what changes speed alone; `code_version` names the very code."""

    run_id: str
    flow_run_id: str
    flow: str
    config_hash: str
    config: Mapping[str, Any]
    code_version: str


def describe_run(run_id: str, flow_run_id: str, flow: str, domain: Domain) -> Run:
    """Describe a run about to start. The configuration holds no secret: keys come from the environment alone."""
    return Run(run_id, flow_run_id, flow, config_hash(domain), portable(domain), code_version())


def portable(domain: Domain) -> dict[str, Any]:
    """Return the configuration as JSON data in which sources are named, not placed: no folder of this machine, no signature."""
    config = domain.model_dump(mode="json")
    for kind in ("reviews", "metadata"):
        for source in config["sources"][kind]:
            source["path"] = source["path"].rsplit("/", 1)[-1]
            source["url"] = redact_address(source["url"], {}) if source["url"] else None
    return config


def config_hash(domain: Domain) -> str:
    """Return the hash of a domain's settings; equal in any folder and on any machine."""
    return settings_hash(portable(domain))


def code_version() -> str:
    """Return the package's version and a hash over the pipeline's source text."""
    return f"{version('llm-redial')}+{code_hash(['tasks'])[:12]}"


def start_run(con: duckdb.DuckDBPyConnection, run: Run, sources: Mapping[str, str]) -> None:
    """Write a run down as running. `sources` maps each source file's name to its SHA-256.

    The caller holds the domain, so whatever else is still written down as running was lost with its process.
    """
    con.execute("UPDATE runs SET state = 'lost' WHERE state = 'running'")
    con.execute("DELETE FROM runs WHERE run_id = ?", [run.run_id])
    con.execute(
        "INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL, 'running', NULL)",
        [
            run.run_id,
            run.flow_run_id,
            run.flow,
            run.config_hash,
            json.dumps(run.config, sort_keys=True),
            run.code_version,
            json.dumps(dict(sources), sort_keys=True),
            datetime.now(UTC),
        ],
    )


def finish_run(con: duckdb.DuckDBPyConnection, run_id: str, state: str, counts: Mapping[str, Any]) -> None:
    """Write down how a run ended (completed, budget, batch, breaker, worker or failed) and what it counted."""
    con.execute(
        "UPDATE runs SET finished_at = ?, state = ?, counts = ? WHERE run_id = ?",
        [datetime.now(UTC), state, json.dumps(dict(counts), sort_keys=True, default=str), run_id],
    )

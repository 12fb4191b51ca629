"""The record of runs: which code and settings worked on which sources, when, and what came out.

Two things are called code here. A run's `code_version` is the whole project as it was when the run
began: it says which checkout ran. A release's code is what made its rows and its files, and nothing
else: see `origin_of_release`.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from itertools import chain
from typing import Any

import duckdb

from tasks.code_identity import PROJECT
from tasks.fingerprint import ID_LENGTH, file_hash, fingerprint, settings_hash
from tasks.redaction import redact_address
from tasks.settings import Domain
from tasks.stage_inputs import StageInputs
from tasks.warehouse import read_inputs, read_record

_CODE = ("tasks/**/*", "flows/**/*", "goal_specs/**/*", "expectations/**/*", "requirements.lock")
_KINDS = frozenset({".py", ".yaml", ".html", ".css", ".js", ".lock"})


@dataclass(frozen=True)
class Run:
    """One run of a flow.

    `config_hash` leaves out what only changes speed and cost; `code_version` names the checkout.
    """

    run_id: str
    flow_run_id: str
    flow: str
    config_hash: str
    config: Mapping[str, Any]
    code_version: str


def describe_run(run_id: str, flow_run_id: str, flow: str, domain: Domain) -> Run:
    """Describe a run about to start.

    The configuration has no secret: keys only come from the environment.
    """
    return Run(run_id, flow_run_id, flow, config_hash(domain), portable(domain), code_version())


def portable(domain: Domain) -> dict[str, Any]:
    """Return the configuration as JSON data without folders of this machine and signatures.

    Sources are listed by the names of their files.
    """
    config = domain.model_dump(mode="json", exclude={"lineage", "machine"})
    for kind in ("reviews", "metadata"):
        for source in config["sources"][kind]:
            source["path"] = source["path"].rsplit("/", 1)[-1]
            source["url"] = redact_address(source["url"], {}) if source["url"] else None
    return config


def config_hash(domain: Domain) -> str:
    """Return the hash of a domain's settings; equal in any folder and on any machine."""
    return settings_hash(portable(domain))


@cache
def code_version() -> str:
    """Return the package's version and a hash over the project: code, data files and the lock.

    They count as this process first found them.
    """
    paths = chain.from_iterable(map(PROJECT.glob, _CODE))
    files = [path for path in paths if path.suffix in _KINDS and path.is_file()]
    hashes = {path.relative_to(PROJECT).as_posix(): file_hash(path) for path in files}
    return f"{version('llm-redial')}+{fingerprint(hashes)[:12]}"


def code_commit() -> str:
    """Return the commit that is checked out as `git describe` names it, empty if there is none.

    It ends with `-dirty` if files were changed.
    """
    command = ["git", "-C", str(PROJECT), "describe", "--always", "--dirty", "--exclude=*"]
    if not (PROJECT / ".git").exists():
        # An installed copy may be within another repository.
        return ""
    try:
        described = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.SubprocessError):
        return ""
    return described.stdout.strip() if described.returncode == 0 else ""


@dataclass(frozen=True)
class Origin:
    """What made a release.

    Attributes:
        code: short hash of the code, data files and libraries that made its rows and files.
        run_hash: hash of the same, of the settings that were read and of the sources, 64 hex
            digits.
        mixed: one sentence for each way in which its rows come from several versions of code or
            rows; empty if they come from one.
        libraries: versions of the libraries whose results are stored, by import name.
    """

    code: str
    run_hash: str
    mixed: tuple[str, ...] = ()
    libraries: Mapping[str, str] = field(default_factory=dict)


def origin_of_release(
    con: duckdb.DuckDBPyConnection, writer: StageInputs, sources: Mapping[str, str]
) -> Origin:
    """Return what made the rows that are about to be released, as its stages recorded it.

    Only stages that rows of the release went through count, so only attempts up to the last one
    with an accepted dialogue. What counts is the code these stages reached then, and not which
    checkout ran them, when, or in how many runs: two checkouts that differ in code no stage reaches
    make the same rows, and a fresh build with either makes the same release, byte by byte. Which
    runs and checkouts took part is history, which `redial lineage` shows. The hashes of what stages
    wrote do not count either: a brief that failed in one of two builds, and is in neither release,
    must not distinguish them.

    A build redoes every stage whose code has changed, with one exception: if a run is stopped by a
    budget or by its provider, rows of later attempts stay, if their own code is unchanged. `mixed`
    names those, and any two stages for which a module had different contents.

    Args:
        con: the warehouse after the verdicts.
        writer: what writes the release's files.
        sources: each source file's SHA-256 by name.
    """
    stages = _stages_of_release(con)
    made = {stage: inputs for stage in stages if (inputs := read_inputs(con, stage)) is not None}
    makers = {stage: inputs.maker() for stage, inputs in {**made, "release": writer}.items()}
    settings = {stage: dict(inputs.settings) for stage, inputs in made.items()}
    records = {stage: read_record(con, stage) for stage in stages}
    written = {stage: record.output_hash for stage, record in records.items() if record is not None}
    return Origin(
        code=fingerprint(makers)[:ID_LENGTH],
        run_hash=fingerprint([makers, settings, dict(sources)]),
        mixed=(*_unlike_modules(made), *_older_rows(made, written)),
        libraries=dict(chain.from_iterable(one.made_with().items() for one in made.values())),
    )


def _stages_of_release(con: duckdb.DuckDBPyConnection) -> list[str]:
    query = "SELECT coalesce(max(attempt), 0) FROM verdicts WHERE verdict = 'accepted'"
    (last,) = con.execute(query).fetchall()[0]
    stages = ["ingest", "preprocess", "briefs"]
    stages_of_attempt = ("generate", "dialogues", "judge", "quality")
    for attempt in range(1, last + 1):
        stages += [f"{stage}-{attempt}" for stage in stages_of_attempt]
    return [*stages, "verdicts"]


def _unlike_modules(made: Mapping[str, StageInputs]) -> list[str]:
    """Return one sentence for each module whose content was different for two stages."""
    first: dict[str, tuple[str, str]] = {}
    unlike = []
    for stage, inputs in made.items():
        for module, digest in inputs.code.items():
            before, known = first.setdefault(module, (stage, digest))
            if known != digest:
                unlike.append(f"{stage} ran with another {module} than {before}")
    return unlike


def _older_rows(made: Mapping[str, StageInputs], written: Mapping[str, str]) -> list[str]:
    """Return one sentence for each stage made from rows that have been made again since."""
    older = []
    for stage, inputs in made.items():
        for name, output_hash in inputs.upstream.items():
            if written.get(name, output_hash) != output_hash:
                older.append(f"{stage} was made before {name} was last made")
    return older


_LOST = """
WITH newest AS (
    SELECT run_id, state
    FROM runs
    WHERE run_id <> $before
    ORDER BY started_at DESC, run_id
    LIMIT 1
),
asked AS (
    SELECT run_id FROM stages WHERE stage NOT IN ('ingest', 'preprocess', 'briefs')
    UNION
    SELECT run_id FROM transcripts
)
SELECT run_id
FROM newest
SEMI JOIN asked USING (run_id)
WHERE state = 'running'
"""


@dataclass(frozen=True)
class RecordedRun:
    """What the warehouse has on record of a run; `release` is empty if it released nothing."""

    run_id: str
    flow: str
    state: str
    config: Mapping[str, Any]
    code_version: str
    sources: Mapping[str, str]
    finished_at: datetime | None
    release: str


def newest_run(con: duckdb.DuckDBPyConnection) -> RecordedRun | None:
    """Return the run that began last, or None if there was none."""
    found = con.execute(_NEWEST).fetchall()
    if not found:
        return None
    run_id, flow, state, config, code, sources, finished_at, counts = found[0]
    release = json.loads(counts or "{}").get("release", "")
    return RecordedRun(
        run_id, flow, state, json.loads(config), code, json.loads(sources), finished_at, release
    )


_NEWEST = """
SELECT run_id, flow, state, config, code_version, sources, finished_at, counts
FROM runs
ORDER BY started_at DESC, run_id
LIMIT 1
"""


def end_lost_run(con: duckdb.DuckDBPyConnection, before: str) -> bool:
    """Record as lost every run that is still recorded as running, except the one that starts now.

    The caller holds the domain's lock, so the processes of those runs have ended.

    Returns:
        True if the newest recorded run is one of them and had begun to ask.
    """
    asked = bool(con.execute(_LOST, {"before": before}).fetchall())
    con.execute("UPDATE runs SET state = 'lost' WHERE state = 'running' AND run_id <> ?", [before])
    return asked


def start_run(con: duckdb.DuckDBPyConnection, run: Run, sources: Mapping[str, str]) -> None:
    """Record a run as running. `sources` maps each source file's name to its SHA-256.

    The caller holds the domain's lock.
    """
    end_lost_run(con, run.run_id)
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


def finish_run(
    con: duckdb.DuckDBPyConnection, run_id: str, state: str, counts: Mapping[str, Any]
) -> None:
    """Record how a run ended and what it counted.

    Args:
        con: the domain's warehouse.
        run_id: the run.
        state: completed, budget, batch, breaker, worker or failed.
        counts: what it counted, by name.
    """
    con.execute(
        "UPDATE runs SET finished_at = ?, state = ?, counts = ? WHERE run_id = ?",
        [datetime.now(UTC), state, json.dumps(dict(counts), sort_keys=True, default=str), run_id],
    )

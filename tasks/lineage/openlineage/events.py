"""Events of a build and of its stages: pure functions of what was read.

A stage that was taken from the cache wrote nothing: its COMPLETE has the inputs, no outputs, and
`cached` in our own facet, with the run that wrote what it stands on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState

from tasks.lineage.columns import StageColumns, kind_of, stage_columns
from tasks.lineage.openlineage import facets
from tasks.lineage.openlineage.names import Source, run_uuid, stage_uuid
from tasks.lineage.openlineage.reading import ReleaseFiles, StageState
from tasks.lineage.openlineage.values import ABORT, BuildRun, StageRun
from tasks.quality import Rule
from tasks.warehouse import TABLES

MODEL = "model"
_MODEL_COLUMNS = ("text", "finish_reason", "usage", "model", "id")
_FACTS = ("dialogue_facts", "utterance_facts")


def started_run(run: BuildRun, at: datetime) -> RunEvent:
    """Return the event of a build that begins."""
    return _run_event(run, RunState.START, at, {"llmRedial_build": facets.build_facet(run)})


def ended_run(
    run: BuildRun,
    kind: str,
    at: datetime,
    *,
    state: str,
    message: str = "",
    counts: Mapping[str, Any] | None = None,
    release: ReleaseFiles | None = None,
) -> RunEvent:
    """Return the event of a build that has ended.

    Args:
        run: the build.
        kind: COMPLETE, FAIL or ABORT.
        at: when it ended.
        state: how, as the table `runs` says.
        message: why, if it did not simply end.
        counts: what it counted.
        release: what it released.
    """
    run_facets = {"llmRedial_build": facets.build_facet(run, state, counts)}
    if message:
        run_facets["errorMessage"] = facets.error(message)
    return _run_event(run, RunState[kind], at, run_facets, release)


def lost_run(run: BuildRun, run_id: str, at: datetime) -> RunEvent:
    """Return the event of an earlier build that lost its process before it could send its own."""
    run_facets = {"errorMessage": facets.error("the process of this run was lost before it ended")}
    name, about = facets.build_job(run)
    return _event(
        RunState[ABORT],
        at,
        Run(run_uuid(run_id), run_facets),
        Job(run.namespace, name, about),
        [],
        [],
    )


def started_stage(stage: StageRun, at: datetime) -> RunEvent:
    """Return the event of a stage that begins."""
    name, about = facets.stage_job(stage.run, stage.stage, "")
    ran = Run(
        stage_uuid(stage.run.run_id, stage.stage, stage.time), {"parent": facets.parent(stage.run)}
    )
    stated = stage_columns()[kind_of(stage.stage)]
    inputs = [
        InputDataset(*named) for table in stated.inputs() for named in _names(stage.run, table)
    ]
    return _event(RunState.START, at, ran, Job(stage.run.namespace, name, about), inputs, [])


def ended_stage(
    stage: StageRun,
    kind: str,
    at: datetime,
    state: StageState,
    *,
    cached: bool = False,
    wrote: bool = True,
    message: str = "",
    rules: Sequence[Rule] = (),
    release: ReleaseFiles | None = None,
) -> RunEvent:
    """Return the event of a stage that has ended.

    Args:
        stage: the stage.
        kind: COMPLETE, FAIL or ABORT.
        at: when it ended.
        state: what the warehouse says of it.
        cached: whether its rows were taken over from an earlier run.
        wrote: whether its rows stand; those of a stage that failed were rolled back.
        message: why it failed or was stopped.
        rules: those that its rows are judged by.
        release: for the stage `release`, what was released.
    """
    run, stated = stage.run, stage_columns()[kind_of(stage.stage)]
    version = release.version if release else ""
    run_facets = {
        "parent": facets.parent(run),
        "processing_engine": facets.engine(),
        "llmRedial_stage": facets.stage_facet(
            stage.stage, state, cached=cached, why=stage.why, release=version
        ),
    }
    if message:
        run_facets["errorMessage"] = facets.error(message)
    name, about = facets.stage_job(run, stage.stage, state.code_hash)
    ran = Run(stage_uuid(run.run_id, stage.stage, stage.time), run_facets)
    outputs = list(_outputs(run, stated, state, release)) if wrote and not cached else []
    inputs = list(_inputs(run, stated, state, rules))
    return _event(RunState[kind], at, ran, Job(run.namespace, name, about), inputs, outputs)


def _run_event(
    run: BuildRun,
    kind: RunState,
    at: datetime,
    run_facets: dict[str, Any],
    release: ReleaseFiles | None = None,
) -> RunEvent:
    name, about = facets.build_job(run)
    inputs = [_source_input(run, source) for source in run.sources]
    outputs = list(_files(run, release)) if release and not release.reused else []
    return _event(
        kind,
        at,
        Run(run_uuid(run.run_id), run_facets),
        Job(run.namespace, name, about),
        inputs,
        outputs,
    )


def _event(
    kind: RunState, at: datetime, run: Run, job: Job, inputs: list[Any], outputs: list[Any]
) -> RunEvent:
    event: RunEvent = facets.made(
        RunEvent,
        eventTime=at.isoformat(),
        run=run,
        job=job,
        eventType=kind,
        inputs=inputs,
        outputs=outputs,
    )
    return event


# Inputs.


def _inputs(
    run: BuildRun, stated: StageColumns, state: StageState, rules: Sequence[Rule]
) -> Iterator[InputDataset]:
    """Yield what a stage reads, facts that its own rules judged with the rules' findings."""
    for table in stated.inputs():
        if table.startswith("source:"):
            yield from (
                _source_input(run, source)
                for source in run.sources
                if f"source:{source.kind}" == table
            )
        elif table == MODEL:
            ((namespace, name),) = _names(run, MODEL)
            yield InputDataset(
                namespace,
                name,
                facets={"schema": facets.schema([(one, "") for one in _MODEL_COLUMNS])},
            )
        else:
            yield _table_input(run, table, state)
    if state.gate:
        yield from _judged(run, stated, state, rules)


def _source_input(run: BuildRun, source: Source) -> InputDataset:
    columns = run.source_columns.get(source.kind, {})
    named = [(name, "") for names in columns.values() for name in names]
    about = {"schema": facets.schema(named), "version": facets.version(source.sha256)}
    return InputDataset(source.namespace, source.name, facets=about)


def _table_input(run: BuildRun, table: str, state: StageState) -> InputDataset:
    ((namespace, name),) = _names(run, table)
    statistics = state.tables[table]
    about = {
        "schema": facets.schema(statistics.columns),
        "dataQualityMetrics": facets.metrics(statistics),
    }
    return InputDataset(
        namespace,
        name,
        facets=about,
        inputFacets={"inputStatistics": facets.rows_read(statistics.rows)},
    )


def _judged(
    run: BuildRun, stated: StageColumns, state: StageState, rules: Sequence[Rule]
) -> Iterator[InputDataset]:
    """Yield the tables of facts with the rules that judged them, as assertions are of inputs."""
    for table in _FACTS:
        if state.gate and table in stated.writes:
            judged = _table_input(run, table, state)
            assertions = {
                **(judged.inputFacets or {}),
                "dataQualityAssertions": facets.assertions(state.gate, rules, table),
            }
            yield InputDataset(
                judged.namespace, judged.name, facets=judged.facets, inputFacets=assertions
            )


# Outputs.


def _outputs(
    run: BuildRun, stated: StageColumns, state: StageState, release: ReleaseFiles | None
) -> Iterator[OutputDataset]:
    columns = _columns_read(run, stated)
    for table in stated.writes:
        if table in TABLES:
            yield _table_output(run, stated, table, state, columns)
    if release and not release.reused:
        for file in _files(run, release):
            path = file.name.partition("/")[2]
            if path in stated.writes:
                file.facets = {
                    **(file.facets or {}),
                    "columnLineage": facets.column_lineage(stated, path, columns),
                }
            yield file


def _table_output(
    run: BuildRun, stated: StageColumns, table: str, state: StageState, columns: facets.Inputs
) -> OutputDataset:
    ((namespace, name),) = _names(run, table)
    statistics = state.tables[table]
    about = {
        "schema": facets.schema(statistics.columns),
        "documentation": facets.documentation(TABLES[table].grain),
        "columnLineage": facets.column_lineage(stated, table, columns),
        "dataQualityMetrics": facets.metrics(statistics),
    }
    if state.record and table in state.written:
        about["version"] = facets.version(state.record.output_hash)
    rows = state.written.get(table, statistics.rows)
    return OutputDataset(
        namespace, name, facets=about, outputFacets={"outputStatistics": facets.rows_written(rows)}
    )


def _files(run: BuildRun, release: ReleaseFiles) -> Iterator[OutputDataset]:
    """Yield a release's files.

    Each has the same name in every release; its version is the hash of its content.
    """
    for path, digest in release.hashes.items():
        about = {"version": facets.version(digest)}
        if path in release.columns:
            about["schema"] = facets.schema(release.columns[path])
        yield OutputDataset(run.namespace, f"{run.domain}.release/{path}", facets=about)


# Names and columns.


def _names(run: BuildRun, table: str) -> list[tuple[str, str]]:
    """Return namespace and name of the datasets of a table, of source files, or of the model."""
    if table.startswith("source:"):
        return [
            (source.namespace, source.name)
            for source in run.sources
            if f"source:{source.kind}" == table
        ]
    if table == MODEL:
        return [("model", run.model)]
    return [(run.namespace, f"{run.domain}.{table}")]


def _columns_read(run: BuildRun, stated: StageColumns) -> facets.Inputs:
    columns = {}
    for table in stated.reads():
        kind = table.removeprefix("source:")
        renamed = run.source_columns.get(kind, {}) if kind != table else {}
        columns[table] = [(namespace, name, renamed) for namespace, name in _names(run, table)]
    return columns

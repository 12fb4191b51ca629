"""The facets of our events: the client's own classes, and two of ours with a schema.

Those schemas are in `facets.json`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attr
from openlineage.client.facet_v2 import (
    RunFacet,
    column_lineage_dataset,
    data_quality_assertions_dataset,
    data_quality_metrics_dataset,
    dataset_version_dataset,
    documentation_dataset,
    error_message_run,
    input_statistics_input_dataset,
    job_type_job,
    output_statistics_output_dataset,
    parent_run,
    processing_engine_run,
    schema_dataset,
    source_code_job,
)

from tasks.lineage.columns import Made, StageColumns
from tasks.lineage.openlineage.names import run_uuid
from tasks.lineage.openlineage.reading import StageState, TableState
from tasks.lineage.openlineage.values import BuildRun
from tasks.quality import GateRecord, Rule
from tasks.redaction import one_line

PRODUCER = "urn:llm-redial"
SCHEMAS = f"{PRODUCER}:openlineage:1-0-0"
COPIED, CHANGED, DECIDES = (
    ("DIRECT", "IDENTITY"),
    ("DIRECT", "TRANSFORMATION"),
    ("INDIRECT", "FILTER"),
)
_SEVERITIES = {"reject": "error", "warn": "warn"}
Inputs = Mapping[str, Sequence[tuple[str, str, Mapping[str, tuple[str, ...]]]]]
"""For each table or source that is read: its datasets.

Of each dataset the namespace, the name, and the names of columns that differ from ours.
"""


@attr.define
class StageRunFacet(RunFacet):
    """What our own record has of a stage: was it cached, what were its rows made from."""

    stage: str
    cached: bool
    writtenBy: list[str]  # noqa: N815
    rows: int | None = None
    redoneBecause: str | None = None  # noqa: N815
    inputHash: str | None = None  # noqa: N815
    outputHash: str | None = None  # noqa: N815
    codeHash: str | None = None  # noqa: N815
    releaseVersion: str | None = None  # noqa: N815

    @staticmethod
    def _get_schema() -> str:
        return f"{SCHEMAS}#/$defs/StageRunFacet"


@attr.define
class BuildRunFacet(RunFacet):
    """What the pipeline's own record has of a build: how it ended, its settings and its counts."""

    domain: str
    configHash: str  # noqa: N815
    model: str
    state: str | None = None
    counts: dict[str, Any] = attr.field(factory=dict)

    @staticmethod
    def _get_schema() -> str:
        return f"{SCHEMAS}#/$defs/BuildRunFacet"


def made(kind: Any, *values: Any, **named: Any) -> Any:
    """Return a facet or an event of a class of the client's, signed as ours."""
    return kind(*values, **named, producer=PRODUCER)


def build_job(run: BuildRun) -> tuple[str, dict[str, Any]]:
    """Return the name and the facets of a build as a job."""
    return f"{run.domain}.build", {
        "jobType": made(job_type_job.JobTypeJobFacet, "BATCH", "LLM_REDIAL", "JOB"),
        "sourceCode": made(source_code_job.SourceCodeJobFacet, "python", f"llm-redial {run.code}"),
    }


def stage_job(run: BuildRun, stage: str, code_hash: str) -> tuple[str, dict[str, Any]]:
    """Return the name and the facets of a stage as a job.

    Its code is named by the hash of all that its functions reach.
    """
    code = f"llm-redial {run.code}" + (
        f", of which {stage} reaches {code_hash}" if code_hash else ""
    )
    return f"{run.domain}.build.{stage}", {
        "jobType": made(job_type_job.JobTypeJobFacet, "BATCH", "LLM_REDIAL", "TASK"),
        "sourceCode": made(source_code_job.SourceCodeJobFacet, "python", code),
    }


def parent(run: BuildRun) -> Any:
    """Return the facet that names the build a stage belongs to."""
    job = parent_run.Job(run.namespace, f"{run.domain}.build")
    return made(parent_run.ParentRunFacet, parent_run.Run(run_uuid(run.run_id)), job)


def engine() -> Any:
    """Return the facet that names DuckDB and its version."""
    import duckdb

    return made(processing_engine_run.ProcessingEngineRunFacet, duckdb.__version__, "DuckDB")


def error(message: str) -> Any:
    """Return the facet of a mistake, in one line without secrets."""
    return made(error_message_run.ErrorMessageRunFacet, one_line(message) or "no message", "python")


def version(of: str) -> Any:
    """Return the facet that names a dataset's version: a hash of its content."""
    return made(dataset_version_dataset.DatasetVersionDatasetFacet, of)


def documentation(text: str) -> Any:
    """Return the facet that says what one row is."""
    return made(documentation_dataset.DocumentationDatasetFacet, text, "text/plain")


def schema(columns: Sequence[tuple[str, str]], about: Mapping[str, str] | None = None) -> Any:
    """Return the facet of some columns, each with its type; `about` says what they hold."""
    field = schema_dataset.SchemaDatasetFacetFields
    descriptions = about or {}
    fields = [
        field(name, kind or None, descriptions.get(name), place)
        for place, (name, kind) in enumerate(columns, 1)
    ]
    return made(schema_dataset.SchemaDatasetFacet, fields)


def column_lineage(stated: StageColumns, table: str, inputs: Inputs) -> Any:
    """Return the facet of one table that a stage writes.

    A column that is made from no column, such as a count, has no entry, as the standard asks for
    input fields.
    """
    fields = {
        column: column_lineage_dataset.Fields(_inputs_of(how, inputs))
        for column, how in stated.writes[table].items()
        if how.inputs
    }
    whole = [
        one
        for ref in stated.decides
        for one in _input_fields(ref.table, ref.column, inputs, DECIDES)
    ]
    return made(column_lineage_dataset.ColumnLineageDatasetFacet, fields, whole)


def _inputs_of(how: Made, inputs: Inputs) -> list[Any]:
    kind = COPIED if how.copied else CHANGED
    fields: list[Any] = []
    for ref in how.inputs:
        fields += _input_fields(ref.table, ref.column, inputs, kind)
    return fields


def _input_fields(table: str, column: str, inputs: Inputs, kind: tuple[str, str]) -> list[Any]:
    """Return a column of every dataset of a table.

    There may be several source files, and their names of the column may be others.
    """
    transformation = column_lineage_dataset.Transformation(*kind)
    fields = []
    for namespace, name, renamed in inputs[table]:
        for called in renamed.get(column, ()) if renamed else (column,):
            field = column_lineage_dataset.InputField(namespace, name, called, [transformation])
            fields.append(field)
    return fields


def metrics(state: TableState) -> Any:
    """Return the facet of a table's rows and empty cells."""
    columns = {
        name: data_quality_metrics_dataset.ColumnMetrics(nullCount=nulls, count=state.rows - nulls)
        for name, nulls in state.nulls.items()
    }
    return made(data_quality_metrics_dataset.DataQualityMetricsDatasetFacet, columns, state.rows)


def rows_read(count: int) -> Any:
    """Return the input facet of a table's rows."""
    return made(input_statistics_input_dataset.InputStatisticsInputDatasetFacet, count)


def rows_written(count: int) -> Any:
    """Return the output facet of the rows that a stage wrote."""
    return made(output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet, count)


def assertions(gate: GateRecord, rules: Sequence[Rule], table: str) -> Any:
    """Return the facet of the rules that judged one table of facts.

    Each is there with its column, and with True if no dialogue broke it.
    """
    broken: dict[str, int] = {}
    for suite in gate.suites:
        broken |= {rule.rule: rule.dialogues for rule in suite.rules}
    of_table = (rule for rule in rules if rule.table == table)
    listed = [_assertion(rule, broken[rule.rule]) for rule in of_table if rule.rule in broken]
    return made(data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet, listed)


def _assertion(rule: Rule, broken: int) -> Any:
    return data_quality_assertions_dataset.Assertion(
        assertion=rule.expect,
        success=not broken,
        column=rule.columns[0],
        severity=_SEVERITIES[rule.severity],
        name=rule.rule,
        description=rule.says,
        expected="0 dialogues break it",
        actual=f"{broken} dialogues break it",
        params=dict(rule.kwargs),
    )


def stage_facet(stage: str, state: StageState, *, cached: bool, why: str, release: str) -> Any:
    """Return our own facet of a stage that has ended."""
    record = state.record
    return made(
        StageRunFacet,
        stage=stage,
        cached=cached,
        writtenBy=list(state.written_by),
        rows=record.rows if record else None,
        redoneBecause=one_line(why) or None,
        inputHash=record.input_hash if record else None,
        outputHash=record.output_hash if record else None,
        codeHash=state.code_hash or None,
        releaseVersion=release or None,
    )


def build_facet(run: BuildRun, state: str = "", counts: Mapping[str, Any] | None = None) -> Any:
    """Return our own facet of a build."""
    return made(
        BuildRunFacet, run.domain, run.config_hash, run.model, state or None, dict(counts or {})
    )

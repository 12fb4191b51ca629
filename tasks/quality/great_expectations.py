"""The gate: Great Expectations judges the facts, and the keys it finds failing are the verdict."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from tasks.errors import UserError
from tasks.quality.result_html import html_description, without_rows
from tasks.quality.values import FactTable, Rule, Suite

if TYPE_CHECKING:
    from great_expectations.core import ExpectationSuite

_SEVERITY = {"reject": "critical", "warn": "warning"}
_RESULT_FORMAT = {
    "result_format": "COMPLETE",
    "unexpected_index_column_names": ["row"],
    "exclude_unexpected_values": True,
    "return_unexpected_index_query": False,
    "partial_unexpected_count": 0,
}


@dataclass(frozen=True)
class Failing:
    """One rule and the rows (places in the judged frame) that broke it."""

    rule: Rule
    rows: tuple[int, ...]


class GateError(RuntimeError):
    """The gate could not judge, because of its own tables or Great Expectations."""


def expectation_suite(suite: Suite, table: FactTable) -> ExpectationSuite:
    """Load the rules of a suite that judge one table into Great Expectations.

    Raises:
        UserError: Great Expectations does not accept a rule; by itself it only logs and drops it.
        GateError: it accepted each rule, but not all of them together.
    """
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    from great_expectations.core import ExpectationSuite

    rules = [rule for rule in suite.rules if rule.table == table]
    refused = [rule.rule for rule in rules if not _is_accepted(rule)]
    if refused:
        raise UserError(
            f"suite {suite.name!r}: Great Expectations does not take {', '.join(refused)}; "
            f"check `expect` and `kwargs`"
        )
    loaded = ExpectationSuite(
        name=f"{suite.name}-{table}",
        expectations=[_specification(rule) for rule in rules],
        notes=suite.about,
    )
    if len(loaded.expectations) != len(rules):
        raise GateError(
            f"suite {suite.name!r}: "
            f"{len(loaded.expectations)} of {len(rules)} rules were taken over"
        )
    return loaded


def _is_accepted(rule: Rule) -> bool:
    """Return True if Great Expectations accepts a rule.

    Some it refuses with an error, some it only logs and drops.
    """
    from great_expectations.compatibility.pydantic import ValidationError
    from great_expectations.core import ExpectationSuite
    from great_expectations.exceptions.exceptions import InvalidExpectationConfigurationError

    try:
        suite = ExpectationSuite(name=rule.rule, expectations=[_specification(rule)])
    except (ValidationError, InvalidExpectationConfigurationError):
        return False
    return len(suite.expectations) == 1


def _specification(rule: Rule) -> dict[str, Any]:
    return {
        "type": rule.expect,
        "kwargs": dict(rule.kwargs),
        "severity": _SEVERITY[rule.severity],
        "description": html_description(f"{rule.rule}: {rule.says}"),
        "meta": {"rule": rule.rule, "source": rule.source},
    }


def check_suites(suites: Sequence[Suite]) -> None:
    """Load every rule into Great Expectations, to fail before anything is judged.

    The first time this imports Great Expectations, which takes seconds. Raises UserError.
    """
    for suite in suites:
        expectation_suite(suite, "dialogue_facts")
        expectation_suite(suite, "utterance_facts")


def judge_frame(suite: Suite, table: FactTable, frame: pd.DataFrame) -> tuple[list[Failing], Any]:
    """Judge one table of facts by the rules of a suite that read it.

    Args:
        suite: a checked suite with at least one rule for the table.
        table: which facts these are.
        frame: one row per key, integers and booleans only, no NULL, with its place in a column
            `row`.

    Returns:
        Each rule with the rows that broke it, and Great Expectations' own result without its list
        of rows, for the Data Docs.

    Raises:
        UserError: a rule that Great Expectations does not accept.
        GateError: a rule is missing in the result, failed inside Great Expectations, or names
            another number of rows than it counted.
    """
    loaded = expectation_suite(suite, table)
    result = _validate(loaded, table, frame)
    by_rule = {found.expectation_config.meta["rule"]: found for found in result.results}
    rules = [rule for rule in suite.rules if rule.table == table]
    missing = [rule.rule for rule in rules if rule.rule not in by_rule]
    if missing:
        raise GateError(f"Great Expectations returned no result for {missing[0]!r}")
    failing = [Failing(rule, _failing_rows(rule, by_rule[rule.rule], len(frame))) for rule in rules]
    return failing, without_rows(result)


def _validate(suite: ExpectationSuite, table: str, frame: pd.DataFrame) -> Any:
    import great_expectations as gx
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    nothing_on_disk = InMemoryStoreBackendDefaults(init_temp_docs_sites=False)
    settings = DataContextConfig(
        store_backend_defaults=nothing_on_disk, progress_bars=ProgressBarsConfig(globally=False)
    )
    context = gx.get_context(mode="ephemeral", project_config=settings)
    batch = (
        context.data_sources.add_pandas("facts")
        .add_dataframe_asset(table)
        .add_batch_definition_whole_dataframe("all")
    )
    definition = gx.ValidationDefinition(
        name=suite.name, data=batch, suite=context.suites.add(suite)
    )
    return context.validation_definitions.add(definition).run(
        batch_parameters={"dataframe": frame}, result_format=_RESULT_FORMAT
    )


def _failing_rows(rule: Rule, result: Any, rows: int) -> tuple[int, ...]:
    """Return the rows that broke a rule, after checking that its result adds up."""
    problem = result.exception_info
    # Of one exception this is its description, of several a mapping of descriptions.
    raised = problem.get("raised_exception") if "raised_exception" in problem else bool(problem)
    if raised:
        raise GateError(f"Great Expectations could not judge {rule.rule!r}: {str(problem)[:300]}")
    if "unexpected_count" not in result.result:
        raise GateError(
            f"Great Expectations judged no single rows by {rule.rule!r}: "
            f"its expectation looks at the column as a whole"
        )
    named = _named_rows(result.result.get("unexpected_index_list") or ())
    distinct = len(set(named))
    counted = int(result.result["unexpected_count"])
    judged = int(result.result["element_count"])
    if distinct != counted or judged != rows or (counted == 0) != bool(result.success):
        raise GateError(
            f"rule {rule.rule!r}: {counted} rows of {rows} counted as failing, {distinct} named"
        )
    return tuple(sorted(named))


def _named_rows(entries: Iterable[dict[str, Any]]) -> list[int]:
    """Return the rows that a result lists, one by one or several in one entry."""
    named: list[int] = []
    for entry in entries:
        row = entry["row"]
        named += map(int, row if isinstance(row, list | tuple) else [row])
    return named


def with_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with its place in a column `row`, the key that results name.

    Raises:
        GateError: a NULL, which every rule would let pass.
    """
    if frame.isna().to_numpy().any():
        column = frame.columns[frame.isna().any()][0]
        raise GateError(f"the fact {column!r} is NULL in {int(frame[column].isna().sum())} rows")
    return frame.assign(row=range(len(frame)))

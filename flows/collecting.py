"""Gathers what a build came to from the warehouse."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flows.generation import Written
from flows.results import BuildResult
from flows.stages import Context
from tasks.release import ReleaseInfo
from tasks.reports import report_from_warehouse
from tasks.runs import code_version, config_hash
from tasks.statistics import Statistics, statistics
from tasks.totals import cost_totals, rule_rows, verdict_rows
from tasks.warehouse import read_warehouse


def collect(context: Context, written: Written, release: ReleaseInfo) -> BuildResult:
    """Return the build's result: release, funnel, rules, Table 3, cost and pages."""
    with read_warehouse(context.home.warehouse(context.domain.name)) as con:
        funnel, rules, cost = verdict_rows(con), rule_rows(con), cost_totals(con, context.run_id)
        counted = statistics(con)
    docs = context.home.data_docs(context.domain.name) / "index.html"
    pages = {"data-docs": docs} if docs.is_file() else {}
    pages["report"] = report_from_warehouse(context.home, context.domain.name)
    return BuildResult(
        domain=context.domain.name,
        run_id=context.run_id,
        state=written.stopped.reason if written.stopped else "completed",
        message=str(written.stopped or ""),
        release=release.path,
        version=release.version,
        config_hash=config_hash(context.domain),
        code_version=code_version(),
        funnel=funnel,
        rules=rules,
        statistics=table_3(counted),
        cost=cost,
        pages=pages,
        key_file=release.key_file,
    )


def table_3(counted: Statistics) -> dict[str, Any]:
    """Return statistics under the names of the paper's Table 3."""
    figures = asdict(counted)
    return {
        "#Dialogues": figures["dialogues"],
        "#Utterances": figures["utterances"],
        "#Tokens": figures["tokens"],
        "#4-Grams": figures["four_grams"],
        "#Users": figures["users"],
        "#Items": figures["items"],
        "Avg. #Dialogues per User": counted.dialogues_per_user,
        "Avg. #Utterances per Dialogue": counted.utterances_per_dialogue,
    }

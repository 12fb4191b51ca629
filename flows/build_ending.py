"""The end of a build: its record, its report, and what it came to."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flows.build_result import BuildResult
from flows.generation import Written
from flows.stages import Context
from tasks.funnel import cost_totals, read_funnel
from tasks.release import ReleaseInfo
from tasks.reports import draft_report, publish_report
from tasks.runs import code_version, config_hash, finish_run
from tasks.statistics import Statistics, warehouse_statistics
from tasks.warehouse import open_warehouse, transaction


def finish_build(context: Context, written: Written, release: ReleaseInfo) -> BuildResult:
    """Record how a build ended, write its report and return what it came to. Raises UserError.

    The report shows the state that the record holds. It is drafted within the transaction that
    records the
    end and published after that: a build that is lost before has neither, one whose report cannot
        be written is not on record as completed.
    """
    home, name = context.home, context.domain.name
    state = written.stopped.reason if written.stopped else "completed"
    with open_warehouse(home.warehouse(name)) as con:
        funnel, cost = read_funnel(con), cost_totals(con, context.run_id)
        counted = warehouse_statistics(con)
        with transaction(con):
            counts = {**funnel.counts(), "release": release.version, **cost}
            finish_run(con, context.run_id, state, counts)
            draft = draft_report(con, home, name)
        report = publish_report(home, name, draft)
    docs = home.data_docs(name) / "index.html"
    return BuildResult(
        domain=name,
        run_id=context.run_id,
        state=state,
        message=str(written.stopped or ""),
        release=release.path,
        version=release.version,
        config_hash=config_hash(context.domain),
        code_version=code_version(),
        funnel=funnel.verdicts,
        rules=funnel.rules,
        stages=funnel.stages,
        set_aside=funnel.set_aside,
        might_likes=funnel.might_likes,
        attempts=funnel.attempts,
        statistics=table_3(counted),
        cost=cost,
        pages={**({"data-docs": docs} if docs.is_file() else {}), "report": report},
        key_file=release.key_file,
    )


def record_unfinished(context: Context, state: str) -> None:
    """Record a build that ended before there was a result, with what the warehouse holds by then."""
    with open_warehouse(context.home.warehouse(context.domain.name)) as con:
        finish_run(con, context.run_id, state, read_funnel(con).counts())


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

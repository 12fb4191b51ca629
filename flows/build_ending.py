"""The end of a build: its record, its pages, and what it came to."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from flows.build_result import BuildResult
from flows.stages import Context
from tasks.funnel import Funnel, Rows, cost_totals, read_funnel
from tasks.history import (
    History,
    broken_thresholds,
    history_page,
    history_rows,
    record_figures,
    record_lost,
    write_history,
)
from tasks.release import ReleaseInfo
from tasks.reports import drafted_pages, publish_pages, write_pages
from tasks.runs import code_version, config_hash, end_lost_run, finish_run
from tasks.statistics import Statistics, warehouse_statistics
from tasks.warehouse import transaction

if TYPE_CHECKING:
    from flows.rounds import Written

MOST_RUNS = 50  # in a run's artifact; the page shows all


def finish_build(context: Context, written: Written, release: ReleaseInfo) -> BuildResult:
    """Record how a build ended, write its pages and return what it came to. Raises UserError."""
    state = written.stopped.reason if written.stopped else "completed"
    return _end_build(context, state, str(written.stopped or ""), release)


def finish_unreleased(context: Context, state: str, message: str) -> BuildResult:
    """Record a build that ended before there was a release, and do the same for it all the same.

    Args:
        context: the build.
        state: how it ended, as `finish_run` takes it.
        message: why, in one line; empty if nothing is known.

    Raises:
        UserError: the pages cannot be made or written; how it ended is not on record then.
    """
    return _end_build(context, state, message, None)


def record_unfinished(context: Context, state: str) -> None:
    """Record a build that ended before it asked for anything, with what the warehouse holds."""
    with context.warehouse.use() as con:
        finish_run(con, context.run_id, state, read_funnel(con).counts())


def end_lost_build(context: Context) -> None:
    """Record a build that lost its process before its end, and write the pages of what it left.

    The caller holds the domain and has not begun a build of its own. Raises UserError when the
    pages cannot be made.
    """
    read = context.specifications.read
    with context.warehouse.use() as con:
        if end_lost_run(con, before=context.run_id):
            record_lost(con)
            write_pages(con, context.home, context.domain.name, read)
            write_history(con, context.home, context.domain.name)


def _end_build(
    context: Context, state: str, message: str, release: ReleaseInfo | None
) -> BuildResult:
    """Record the end of a build and publish its pages.

    They show the state that the record holds. They are drafted within the transaction that records
    the end and published after that: a build that is lost before has neither, one whose pages
    cannot be written is not on record as ended.
    """
    home, name, read = context.home, context.domain.name, context.specifications.read
    with context.warehouse.use() as con, ExitStack() as stack:
        funnel, cost = read_funnel(con), cost_totals(con, context.run_id)
        counted = warehouse_statistics(con)
        released = {"release": release.version} if release else {}
        with transaction(con):
            finish_run(con, context.run_id, state, {**funnel.counts(), **released, **cost})
            record_figures(con, context.run_id)
            draft = stack.enter_context(drafted_pages(con, home, name, read))
        pages = publish_pages(home, name, draft, with_history=True)
        history = write_history(con, home, name)
    return BuildResult(
        domain=name,
        run_id=context.run_id,
        state=state,
        message=message,
        release=release.path if release else None,
        version=release.version if release else "",
        config_hash=config_hash(context.domain),
        code_version=code_version(),
        statistics=table_3(counted),
        cost=cost,
        pages=pages.latest,
        run_pages={**pages.run, "history": history_page(home, name)},
        history=history_rows(history)[-MOST_RUNS:],
        **funnel_tables(funnel),
        alerts=_alerts(context, history),
        key_file=release.key_file if release else None,
    )


def funnel_tables(funnel: Funnel) -> dict[str, Rows]:
    """Return the tables of a funnel under the names that a result has for them."""
    return {
        "funnel": funnel.verdicts,
        "rules": funnel.rules,
        "causes": funnel.causes,
        "stages": funnel.stages,
        "set_aside": funnel.set_aside,
        "might_likes": funnel.might_likes,
        "attempts": funnel.attempts,
    }


def _alerts(context: Context, history: History) -> tuple[str, ...]:
    """Return the thresholds that this run is beyond; none of a run that asked for nothing."""
    if not history.points or history.points[-1].run_id != context.run_id:
        return ()
    return tuple(
        broken_thresholds(history.points[-1], history.compared[-1].changes, context.domain.alert)
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

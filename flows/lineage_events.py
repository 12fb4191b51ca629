"""A build's OpenLineage events: one as it and each of its stages begins, one as it ends.

Nothing here can end or slow a build.
"""

from __future__ import annotations

import os
from asyncio import CancelledError
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from prefect.logging import get_run_logger

from flows.build_result import BuildResult
from flows.lineage_sender import EventSender, destination, is_wanted, make_client
from flows.progress import CURRENT
from flows.run_states import EndedEarly
from tasks.ingest import source_columns
from tasks.quality import Rule
from tasks.release import ReleaseInfo, listed_sums
from tasks.runs import code_version, config_hash
from tasks.settings import Domain

if TYPE_CHECKING:
    from flows.stages import Context
    from tasks.lineage.openlineage import BuildRun, ReleaseFiles

COMPLETED: Final = "completed"
NAMESPACE: Final = "OPENLINEAGE_NAMESPACE"  # the variable by which every integration names it


@dataclass
class StageEnding:
    """What is known of a stage as it ends: cached or not, why it was stopped, what was released."""

    cached: bool = False
    stopped: str = ""
    release: ReleaseInfo | None = None


class LineageRecorder:
    """Makes the events of one build and hands them to a sender.

    What goes wrong is counted as an event lost.
    """

    def __init__(self, context: Context, run: BuildRun, sender: EventSender) -> None:
        """Prepare for one build."""
        self.result: BuildResult | None = None  # set by the build that comes to its end
        self._context = context
        self._run = run
        self._sender = sender
        self._times: Counter[str] = Counter()
        self._whys: dict[str, str] = {}
        self._release: ReleaseFiles | None = None

    def start_run(self) -> None:
        """Send that the build begins, and that earlier ones which lost their process are over."""
        from tasks.lineage.openlineage import lost_run, lost_runs, started_run

        context = self._context
        with self._counted():
            if context.home.warehouse(context.domain.name).exists():
                with context.warehouse.use() as con:
                    lost = lost_runs(con, self._run.run_id)
                for run_id in lost:
                    self._sender.send(lost_run(self._run, run_id, _now()))
        self._send(lambda: started_run(self._run, _now()))

    def end_run(self, kind: str, state: str, message: str) -> None:
        """Send that the build has ended."""
        from tasks.lineage.openlineage import ended_run

        counts = _counts(self.result) if self.result else {}
        self._send(
            lambda: ended_run(
                self._run,
                kind,
                _now(),
                state=state,
                message=message,
                counts=counts,
                release=self._release,
            )
        )

    def start_stage(self, stage: str, why: str) -> None:
        """Send that a stage begins."""
        from tasks.lineage.openlineage import StageRun, started_stage

        self._times[stage] += 1
        self._whys[stage] = why
        self._send(
            lambda: started_stage(StageRun(self._run, stage, self._times[stage], why), _now())
        )

    def end_stage(
        self, stage: str, kind: str, ending: StageEnding, message: str = "", *, wrote: bool = True
    ) -> None:
        """Send that a stage has ended, with what the warehouse says of it."""
        from tasks.lineage.openlineage import StageRun, ended_stage, read_stage

        about = StageRun(self._run, stage, self._times[stage], self._whys.get(stage, ""))
        with self._counted():
            if ending.release:
                self._release = _files(ending.release)
            with self._context.warehouse.use() as con:
                state = read_stage(con, stage)
            rules = self._rules() if state.gate else ()
            self._sender.send(
                ended_stage(
                    about,
                    kind,
                    _now(),
                    state,
                    cached=ending.cached,
                    wrote=wrote,
                    message=message,
                    rules=rules,
                    release=self._release if ending.release else None,
                )
            )

    def close(self) -> None:
        """Send what is still queued, for a few seconds at most.

        Say once what became of all events.
        """
        sent = self._sender.close()
        where = destination(self._context.domain.lineage.to)
        CURRENT.get().stage("lineage", "lost" if sent.lost else "done", f"{sent}; {where}")
        if sent.lost:
            get_run_logger().warning("OpenLineage, %s: %s", where, sent)

    def _send(self, make: Callable[[], Any]) -> None:
        with self._counted():
            self._sender.send(make())

    @contextmanager
    def _counted(self) -> Iterator[None]:
        try:
            yield
        # A build must not end for want of an event: it is counted and said.
        except Exception as error:  # noqa: BLE001
            self._sender.lose(f"{type(error).__name__}: {error}")

    def _rules(self) -> tuple[Rule, ...]:
        suites = self._context.specifications.suites
        return tuple(rule for suite in suites for rule in suite.rules)


@contextmanager
def build_events(context: Context) -> Iterator[LineageRecorder | None]:
    """Within the block, send a build's events, if they are wanted anywhere.

    Raises UserError if no client can be made.
    """
    wanted = context.domain.lineage.to
    if not is_wanted(wanted):
        yield None
        return
    run = _build_run(context.domain, context.run_id, context.sources)
    recorder = LineageRecorder(context, run, EventSender(make_client(wanted)))
    recorder.start_run()
    try:
        yield recorder
    except BaseException as error:
        recorder.end_run(*_end_of(error))
        raise
    else:
        state = recorder.result.state if recorder.result else COMPLETED
        message = recorder.result.message if recorder.result else ""
        recorder.end_run("COMPLETE" if state == COMPLETED else "ABORT", state, message)
    finally:
        recorder.close()


@contextmanager
def stage_events(
    recorder: LineageRecorder | None, stage: str, why: str = ""
) -> Iterator[StageEnding]:
    """Within the block, send a stage's events: that it begins, and how it ends.

    `why` says why it is redone, if it is.
    """
    ending = StageEnding()
    if recorder is None:
        yield ending
        return
    recorder.start_stage(stage, why)
    try:
        yield ending
    except BaseException as error:
        kind, _, message = _end_of(error)
        recorder.end_stage(stage, kind, ending, message, wrote=False)
        raise
    recorder.end_stage(stage, "ABORT" if ending.stopped else "COMPLETE", ending, ending.stopped)


def _end_of(error: BaseException) -> tuple[str, str, str]:
    """Return kind, state and message of what an error ended.

    The kind is ABORT where somebody or something stopped it, else FAIL.
    """
    if isinstance(error, EndedEarly):
        return "ABORT", error.reason, str(error)
    if isinstance(error, CancelledError) or not isinstance(error, Exception):
        return "ABORT", "stopped", "the run was stopped"
    return "FAIL", "failed", str(error) or type(error).__name__


def _build_run(domain: Domain, run_id: str, sources: Mapping[str, str]) -> BuildRun:
    from tasks.lineage.openlineage import BuildRun, build_sources

    return BuildRun(
        namespace=os.environ.get(NAMESPACE) or domain.lineage.namespace,
        domain=domain.name,
        run_id=run_id,
        config_hash=config_hash(domain),
        code=code_version(),
        model=domain.generate.model,
        sources=build_sources(domain, sources),
        source_columns=source_columns(domain.sources),
    )


def _files(release: ReleaseInfo) -> ReleaseFiles:
    from tasks.lineage.openlineage import release_files

    return release_files(release.version, release.reused, release.path, listed_sums(release.path))


def _counts(result: BuildResult) -> dict[str, Any]:
    funnel = {str(row["verdict"]): row["briefs"] for row in result.funnel}
    return {**funnel, "version": result.version, "cost": result.cost}


def _now() -> datetime:
    return datetime.now(UTC)

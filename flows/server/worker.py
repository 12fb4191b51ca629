"""A Prefect process worker that runs this project's flows and nothing else.

Prefect lets whoever reaches its API choose what a worker executes: `command` and `env` among a
run's job variables, `pull_steps` and `entrypoint` of a deployment, the base job template of a pool.
This worker takes none of them. Of a run it takes the flow's name, which must be one of FLOWS, and
the parameters, which the flow checks.

`python -m flows.server.worker ...` takes the options of `prefect worker start --pool redial`.
"""

from __future__ import annotations

import os
import sys
from abc import ABC
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

import anyio
import anyio.abc
import httpx
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import ObjectNotFound
from prefect.flows import Flow, load_flow_from_entrypoint
from prefect.runner._flow_run_executor import FlowRunExecutionResult, FlowRunExecutorContext
from prefect.runner._process_manager import ProcessHandle
from prefect.runner._starter_engine import EngineCommandStarter
from prefect.settings import get_current_settings
from prefect.utilities.asyncutils import run_sync_in_worker_thread
from prefect.utilities.dispatch import get_registry_for_type
from prefect.workers.base import BaseWorker
from prefect.workers.process import ProcessJobConfiguration, ProcessWorker, ProcessWorkerResult

from flows.server.api import ServerApi
from flows.server.connection import check_server
from flows.server.instance_lock import LOCK
from flows.server.orphaned_runs import OrphanedRuns, logged_if_away, watch_orphaned_runs
from flows.server.pool import POOL, TYPE, load_template
from flows.server.process_identity import ProcessIdentity, this_process
from flows.server.run_ownership import WORKER_LABEL
from flows.unknown_parameters import refuse_run
from tasks.addresses import keep_loopback_off_proxies
from tasks.errors import UserError
from tasks.machine import limit_libraries, this_machine
from tasks.settings import PROJECT

if TYPE_CHECKING:
    TaskStatus = anyio.abc.TaskStatus

FLOWS = {  # by the names that the flows give themselves
    "backfill": "flows/backfill.py:backfill",
    "build": "flows/build.py:build",
    "evaluate": "flows/evaluation/recommend.py:evaluate_recommend",
    "evaluate-finetune": "flows/evaluation/finetune.py:evaluate_finetune",
    "evaluate-quality": "flows/evaluation/quality.py:evaluate_quality",
    "evaluate-respond": "flows/evaluation/respond.py:evaluate_respond",
    "report": "flows/report.py:report",
}
STOPPED_WITH_WORKER: list[str] = []  # ids of runs


def find_entrypoint(flow: str) -> str:
    """Return where a flow of this project is defined. Raises UserError for any other name."""
    if flow not in FLOWS:
        raise UserError(
            f"this worker runs no flow called {flow[:80]!r}: it runs {', '.join(FLOWS)}"
        )
    return f"{PROJECT}/{FLOWS[flow]}"


async def entrypoint_of(client: PrefectClient, flow_run: FlowRun) -> str:
    """Return where a run's flow is defined, whatever its deployment says.

    Raises UserError when it is none of ours.
    """
    return find_entrypoint((await client.read_flow(flow_run.flow_id)).name)


async def load_flow(flow_run: FlowRun) -> Flow[..., Any]:
    """Return a run's flow, for the hooks that a worker calls when the run's process is lost."""
    async with get_client() as client:
        entrypoint = await entrypoint_of(client, flow_run)
    return await run_sync_in_worker_thread(load_flow_from_entrypoint, entrypoint)


class FixedConfiguration(ProcessJobConfiguration):
    """How a run's process is started: always the same, whatever pool, deployment and run say."""

    @classmethod
    async def from_template_and_values(
        cls,
        base_job_template: dict[str, Any],
        values: dict[str, Any],
        client: PrefectClient | None = None,
    ) -> Self:
        """Return what work_pool.json says on this machine.

        Nothing that came from the server is looked at.
        """
        return cls(**load_template()["job_configuration"], working_dir=PROJECT)


# ABC keeps it out of Prefect's registry until `main` puts it there.
class ProjectWorker(ProcessWorker, ABC):
    """Runs the project's flows, each in a process of its own.

    Also looks after runs that were lost with their worker.
    """

    job_configuration = FixedConfiguration

    async def setup(self) -> None:
        """Register, and look after lost runs from then on."""
        await super().setup()
        watch_orphaned_runs(_configured_api())

    async def _propose_pending_state(self, flow_run: FlowRun) -> bool:
        """Claim a run before it is Pending.

        At no moment is there a run of ours with an unknown worker.
        """
        try:
            await self._claim(flow_run.id)
        except (ObjectNotFound, httpx.HTTPError) as error:
            self._logger.warning(
                "Flow run '%s' could not be claimed: %s", flow_run.id, type(error).__name__
            )
            return False
        return await super()._propose_pending_state(flow_run)

    async def _give_worker_labels_to_flow_run(self, flow_run_id: UUID) -> None:
        """Note at the server which worker process has a run; no other can have it now."""
        await super()._give_worker_labels_to_flow_run(flow_run_id)
        await self._claim(flow_run_id)

    async def _claim(self, flow_run_id: UUID) -> None:
        await self.client.update_flow_run_labels(flow_run_id, {WORKER_LABEL: str(this_process())})

    async def run(
        self,
        flow_run: FlowRun,
        configuration: ProcessJobConfiguration,
        task_status: TaskStatus[Any] | None = None,
    ) -> ProcessWorkerResult:
        """Start the run's process and wait for its end.

        Raises:
            UserError: the run's flow is none of ours.
            RuntimeError: its process did not start.
        """
        entrypoint = await entrypoint_of(self.client, flow_run)
        if await refuse_run(self.client, flow_run) is not None:
            return ProcessWorkerResult(status_code=0, identifier="refused")
        with _noted_if_stopped(str(flow_run.id)):
            result = await _execute(flow_run, entrypoint, configuration, task_status)
        if result is None or result.status_code is None:
            raise RuntimeError("the flow run's process did not start")
        return ProcessWorkerResult(
            status_code=result.status_code, identifier=str(result.handle.pid)
        )


async def _execute(
    flow_run: FlowRun,
    entrypoint: str,
    configuration: ProcessJobConfiguration,
    task_status: TaskStatus[Any] | None,
) -> FlowRunExecutionResult | None:
    """Start a run's process and wait for its end; return None if it did not start."""
    async with FlowRunExecutorContext() as context:
        # The output goes to the worker's own: a run must not hang on a pipe of a worker that is
        # lost.
        starter = EngineCommandStarter(
            entrypoint=entrypoint,
            cwd=PROJECT,
            env=configuration.env,
            stream_output=configuration.stream_output,
            control_channel=context.control_channel,
            # a signal to the worker's group must not reach its runs
            isolate_process_group=True,
            env_overrides_settings=True,
        )
        executor = context.create_executor(
            flow_run, starter, resolve_flow=load_flow, propose_submitting=False
        )
        ended: list[FlowRunExecutionResult | None] = []

        async def execute(
            *, task_status: TaskStatus[ProcessHandle] = anyio.TASK_STATUS_IGNORED
        ) -> None:
            ended.append(await executor.submit(task_status=task_status))

        async with anyio.create_task_group() as group:
            handle: ProcessHandle = await group.start(execute)
            if handle.pid is not None and task_status is not None:
                # Kept at the server as the run's infrastructure; a process that has ended
                # already is known by its number.
                task_status.started(str(ProcessIdentity.of(handle.pid) or handle.pid))
    return ended[0] if ended else None


@contextmanager
def _noted_if_stopped(run_id: str) -> Iterator[None]:
    """Note a run whose process is ended because this worker is asked to end."""
    try:
        yield
    except anyio.get_cancelled_exc_class():
        STOPPED_WITH_WORKER.append(run_id)
        raise


def hand_back_runs() -> None:
    """Let other workers go on with the runs that ended because this worker was asked to end."""
    if STOPPED_WITH_WORKER:
        with logged_if_away():
            OrphanedRuns(_configured_api()).hand_back(STOPPED_WITH_WORKER)


def _configured_api() -> ServerApi:
    settings = get_current_settings().api
    login = settings.auth_string.get_secret_value() if settings.auth_string else ""
    return ServerApi.at(str(settings.url), login)


def main(*options: str) -> None:
    """Start a worker as `prefect worker start` does, with that command's options.

    Where there is no server for it, that is one line. Ended by Ctrl-C or SIGTERM, it ends its runs
    and hands them back, as `redial serve` does for its own workers.
    """
    import runpy

    keep_loopback_off_proxies(os.environ)
    of_serve = LOCK in os.environ
    try:
        limit_libraries(this_machine())
        if not of_serve and "--help" not in options:  # that of `redial serve` waits for its server
            check_server()
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    registry: dict[str, Any] | None = get_registry_for_type(BaseWorker)
    assert registry is not None
    registry[TYPE] = ProjectWorker
    sys.argv = ["prefect", "worker", "start", "--pool", POOL, "--type", TYPE, *options]
    try:
        runpy.run_module("prefect", run_name="__main__", alter_sys=True)
    finally:
        if not of_serve:
            hand_back_runs()


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Puts the deployments of prefect.yaml and of every domain file on the configured server.

What a person changed on the server stays, what the files add is added, and each difference is
reported in one line. What the file said is kept beside each deployment as a variable of the server,
so that every machine that deploys knows it.

`python -m flows.server.deploy` does it once and prints the lines; it takes the place of `prefect
deploy --all`. With --on-line it gets ready, and deploys once it reads a line.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import (
    DeploymentScheduleCreate,
    DeploymentUpdate,
)
from prefect.client.schemas.responses import DeploymentResponse
from prefect.exceptions import ObjectNotFound
from prefect.utilities.schema_tools import ValidationError as SchemaValidationError
from prefect.utilities.schema_tools import validate

from flows.server.connection import check_server
from flows.server.deployment_fields import (
    added_schedules,
    concurrency_options,
    held_fields,
    update_payload,
)
from flows.server.deployment_file import (
    Deployment,
    Schedule,
    fields_of,
    load_deployments,
    schedule_fields,
)
from flows.server.deployment_memory import remember_hashes, remembered_hashes, variable_of
from flows.server.deployment_merge import Difference, compare, hashes_of, merged, schedule_of
from flows.server.deployment_watch import ON_LINE
from flows.server.flow_forms import FlowForm, read_forms
from flows.unknown_parameters import unknown_parameters
from tasks.errors import UserError
from tasks.redaction import one_line
from tasks.settings import Home

REFUSE_UNKNOWN: dict[str, Any] = {"flows.unknown_parameters.refuse_unknown_parameters": {}}


@dataclass(frozen=True)
class Prepared:
    """What is to be deployed, with everything imported that it takes.

    Attributes:
        home: has the files.
        entries: the deployments.
        forms: their flows' forms, by entry point.
        bad: a line for each domain file that is no domain.
    """

    home: Home
    entries: list[Deployment]
    forms: dict[str, FlowForm]
    bad: list[str]


def prepare(home: Home) -> Prepared:
    """Read the files and the flows' forms. Raises UserError when prefect.yaml cannot be used."""
    entries, bad = load_deployments(home)
    entrypoints = list(dict.fromkeys(entry.entrypoint for entry in entries))
    forms = read_forms(entrypoints, home.data / "prefect" / "flow_forms.json")
    return Prepared(home, entries, forms, bad)


async def deploy_all(prepared: Prepared) -> list[str]:
    """Put every deployment on the server.

    Returns a line for each difference, and for each domain file that is no domain.

    Raises:
        UserError: prefect.yaml gives a flow what it does not take, or the server refuses what it
            says.
    """
    lines: list[str] = []
    async with get_client() as client:
        deployer = _Deployer(client, prepared)
        for entry in prepared.entries:
            try:
                lines += await deployer.put(entry)
            except httpx.HTTPStatusError as error:
                raise UserError(
                    f"the server refuses the deployment {entry.name}: "
                    f"{one_line(error.response.text)}"
                ) from None
    return [*_told_made(deployer.made), *lines, *prepared.bad]


def _told_made(made: list[str]) -> list[str]:
    """Return a line about the deployments that were not there before, none if all were."""
    if not made:
        return []
    noun = "deployments" if len(made) > 1 else "deployment"
    return [f"made {len(made):,} {noun}: {', '.join(made)}"]


@dataclass
class _Deployer:
    """Puts deployments one by one. `made` names those that were not there before."""

    client: PrefectClient
    prepared: Prepared
    made: list[str] = field(default_factory=list)

    async def put(self, entry: Deployment) -> list[str]:
        """Make a deployment or bring it up to date.

        Returns a line for each difference between file and server.
        """
        form = self.prepared.forms[entry.entrypoint]
        entry = entry.model_copy(update={"description": entry.description or form.description})
        _check_parameters(entry, form)
        name, file = f"{form.name}/{entry.name}", fields_of(entry)
        remembered = await remembered_hashes(self.client, name)
        try:
            there = await self.client.read_deployment_by_name(name)
        except ObjectNotFound:
            if remembered is not None:
                return [
                    f"{name}: stays deleted, as on the server; `prefect variable delete "
                    f"{variable_of(name)}` has it made again"
                ]
            await self._make(entry, form)
            self.made.append(name)
            await remember_hashes(self.client, name, hashes_of(file))
            return []
        differences = compare(remembered or {}, file, held_fields(there, file, remembered or {}))
        await self._update(entry, there, differences)
        await self._update_code(entry, form, there)
        if remembered != hashes_of(file):
            await remember_hashes(self.client, name, hashes_of(file))
        return [
            f"{name}: {line}"
            for line in (
                *(each.line() for each in differences),
                *added_schedules(there, file, remembered or {}),
            )
        ]

    async def _make(self, entry: Deployment, form: FlowForm) -> None:
        limit = entry.concurrency_limit
        await self.client.create_deployment(
            flow_id=await self.client.create_flow_from_name(form.name),
            name=entry.name,
            description=entry.description,
            tags=list(entry.tags),
            parameters=entry.parameters,
            paused=entry.paused,
            schedules=[_schedule_create(each) for each in entry.schedules],
            concurrency_limit=limit.limit if limit else None,
            concurrency_options=concurrency_options(limit.collision_strategy) if limit else None,
            work_pool_name=entry.work_pool.name,
            work_queue_name=entry.work_pool.work_queue_name,
            **self._code(entry, form),
        )

    def _code(self, entry: Deployment, form: FlowForm) -> dict[str, Any]:
        """Return what of a deployment follows from the code; nobody changes it on the server."""
        here = {
            "prefect.deployments.steps.set_working_directory": {
                "directory": str(self.prepared.home.project)
            }
        }
        return {
            "entrypoint": entry.entrypoint,
            "pull_steps": [here, REFUSE_UNKNOWN],
            "parameter_openapi_schema": form.parameters,
        }

    async def _update_code(
        self, entry: Deployment, form: FlowForm, there: DeploymentResponse
    ) -> None:
        changed = {
            name: value
            for name, value in self._code(entry, form).items()
            if getattr(there, name) != value
        }
        if changed:
            await self.client.update_deployment(there.id, DeploymentUpdate(**changed))

    async def _update(
        self, entry: Deployment, there: DeploymentResponse, differences: list[Difference]
    ) -> None:
        """Write the fields that are taken from the file.

        An update that changes nothing would drop the runs that are scheduled.
        """
        taken = [difference for difference in differences if difference.taken]
        wanted = merged(held_fields(there, fields_of(entry), {}), taken)
        changed = update_payload(wanted, {difference.field for difference in taken}, entry)
        if changed:
            await self.client.update_deployment(there.id, DeploymentUpdate(**changed))
        for slug in {schedule_of(difference.field) for difference in taken} - {""}:
            await self._put_schedule(
                there,
                slug,
                next((each for each in entry.schedules if each.slug == slug), None),
                wanted,
            )

    async def _put_schedule(
        self, there: DeploymentResponse, slug: str, file: Schedule | None, wanted: Mapping[str, Any]
    ) -> None:
        held = next((each for each in there.schedules if each.slug == slug), None)
        if file is None and held is not None:
            await self.client.delete_deployment_schedule(there.id, held.id)
        elif file is not None and held is None:
            await self.client.create_deployment_schedules(there.id, [_schedule_create(file)])
        elif file is not None and held is not None:
            when = f"schedule {slug} when"
            as_file = dict(schedule_fields(slug, file.when(), file.active, file.parameters))
            await self.client.update_deployment_schedule(
                there.id,
                held.id,
                active=wanted[f"schedule {slug} active"],
                schedule=file.when() if wanted[when] == as_file[when] else None,
                parameters=wanted[f"schedule {slug} parameters"],
            )


def _check_parameters(entry: Deployment, form: FlowForm) -> None:
    """Raise UserError for parameters that the flow does not take.

    The server looks at them only when a run is started.
    """
    for parameters in (entry.parameters, *(each.parameters for each in entry.schedules)):
        faults = list(unknown_parameters(form.parameters, parameters))
        try:
            validate(parameters, form.parameters, raise_on_error=True, ignore_required=True)
        except SchemaValidationError as error:
            faults.append(one_line(str(error)))
        if faults:
            raise UserError(f"prefect.yaml, deployment {entry.name}: {'; '.join(faults)}")


def _schedule_create(each: Schedule) -> DeploymentScheduleCreate:
    return DeploymentScheduleCreate(
        schedule=each.when(), active=each.active, parameters=each.parameters, slug=each.slug
    )


def main(*options: str) -> int:
    """Deploy everything, print what differs, and return the exit code."""
    try:
        prepared = prepare(Home.find())
        if ON_LINE in options and not sys.stdin.readline():
            return 0  # `redial serve` has ended
        check_server()
        lines = asyncio.run(deploy_all(prepared))
    except UserError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

"""A deployment on the server: the fields compared with the file's, and how they are changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prefect.client.schemas.objects import ConcurrencyLimitStrategy, ConcurrencyOptions
from prefect.client.schemas.responses import DeploymentResponse

from flows.server.deployment_file import DEFAULT_QUEUE, Deployment, schedule_fields
from flows.server.deployment_merge import schedule_of, shown


def held_fields(
    there: DeploymentResponse, file: Mapping[str, Any], before: Mapping[str, str]
) -> dict[str, Any]:
    """Return what the server holds of a deployment, in the fields of `deployment_file.fields_of`.

    Schedules that a person added have no slug, or one that no file ever had: they are not ours to
    compare.
    """
    limit, options = there.global_concurrency_limit, there.concurrency_options
    schedules = [each for each in there.schedules if each.slug in _slugs(file, before)]
    return {
        "description": there.description or "",
        "paused": there.paused,
        "work queue": there.work_queue_name or DEFAULT_QUEUE,
        **({"concurrency limit": limit.limit} if limit else {}),
        **({"collision strategy": options.collision_strategy.value} if limit and options else {}),
        **{f"tag {tag}": True for tag in there.tags},
        **{f"parameter {name}": value for name, value in there.parameters.items()},
        **{
            name: value
            for each in schedules
            for name, value in schedule_fields(
                each.slug or "", each.schedule, each.active, each.parameters
            )
        },
    }


def _slugs(file: Mapping[str, Any], before: Mapping[str, str]) -> set[str]:
    """Return the schedules that a file has or had."""
    return {schedule_of(name) for name in (*file, *before)} - {""}


def added_schedules(
    there: DeploymentResponse, file: Mapping[str, Any], before: Mapping[str, str]
) -> list[str]:
    """Return a line for each schedule that a person added on the server."""
    added = [each for each in there.schedules if each.slug not in _slugs(file, before)]
    whens = [
        dict(schedule_fields("", each.schedule, each.active, each.parameters))["schedule  when"]
        for each in added
    ]
    return [f"schedule {shown(when)}: stays, as added on the server" for when in whens]


def update_payload(
    wanted: Mapping[str, Any], changed: set[str], entry: Deployment
) -> dict[str, Any]:
    """Return the part of an update that concerns the deployment itself and not its schedules."""
    payload: dict[str, Any] = {}
    if "description" in changed:
        payload["description"] = wanted["description"]
    if "paused" in changed:
        payload["paused"] = wanted["paused"]
    if "work queue" in changed:
        payload |= {"work_pool_name": entry.work_pool.name, "work_queue_name": wanted["work queue"]}
    if changed & {"concurrency limit", "collision strategy"}:
        payload["concurrency_limit"] = wanted.get("concurrency limit")
        payload["concurrency_options"] = concurrency_options(
            wanted.get("collision strategy", "ENQUEUE")
        )
    if any(name.startswith("tag ") for name in changed):
        payload["tags"] = [name.removeprefix("tag ") for name in wanted if name.startswith("tag ")]
    if any(name.startswith("parameter ") for name in changed):
        payload["parameters"] = {
            name.removeprefix("parameter "): value
            for name, value in wanted.items()
            if name.startswith("parameter ")
        }
    return payload


def concurrency_options(strategy: str) -> ConcurrencyOptions:
    """Return what becomes of a run beyond the limit, as Prefect takes it."""
    return ConcurrencyOptions(collision_strategy=ConcurrencyLimitStrategy(strategy))

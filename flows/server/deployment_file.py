"""Which deployments there are to be.

Those of prefect.yaml, and one for every domain file that it does not name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from prefect.client.schemas.schedules import (
    SCHEDULE_TYPES,
    CronSchedule,
    IntervalSchedule,
    RRuleSchedule,
)
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from tasks.errors import UserError
from tasks.settings import Home, load_domain, validation_line

FILE = "prefect.yaml"
PATTERN = "demo"  # the deployment that those of further domains are modelled on
DEFAULT_QUEUE = "default"


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Pool(_Entry):
    """Where runs are sent. It takes no job variables: see work_pool.json."""

    name: str
    work_queue_name: str = DEFAULT_QUEUE


class ConcurrencyLimit(_Entry):
    """How many runs of a deployment there may be at a time, and what becomes of one more."""

    limit: int = Field(ge=1)
    collision_strategy: Literal["ENQUEUE", "CANCEL_NEW"] = "ENQUEUE"


class Schedule(_Entry):
    """When a deployment runs by itself: exactly one of `cron`, `interval` (seconds) and `rrule`."""

    slug: str = ""
    cron: str | None = None
    day_or: bool = True
    interval: float | None = Field(None, gt=0)
    anchor_date: datetime | None = None
    rrule: str | None = None
    timezone: str | None = None
    active: bool = True
    parameters: dict[str, Any] = {}

    @model_validator(mode="after")
    def _of_one_kind(self) -> Self:
        if sum(kind is not None for kind in (self.cron, self.interval, self.rrule)) != 1:
            raise ValueError("a schedule needs one of cron, interval and rrule")
        self.when()
        return self

    def when(self) -> SCHEDULE_TYPES:
        """Return the schedule as Prefect takes it."""
        if self.cron is not None:
            return CronSchedule(cron=self.cron, timezone=self.timezone, day_or=self.day_or)
        if self.rrule is not None:
            return RRuleSchedule(rrule=self.rrule, timezone=self.timezone)
        anchor = {"anchor_date": self.anchor_date} if self.anchor_date else {}
        return IntervalSchedule(
            interval=timedelta(seconds=self.interval or 0), timezone=self.timezone, **anchor
        )


class Deployment(_Entry):
    """One entry of prefect.yaml."""

    name: str = Field(min_length=1)
    entrypoint: str
    description: str | None = None
    tags: list[str] = []
    parameters: dict[str, Any] = {}
    work_pool: Pool
    concurrency_limit: ConcurrencyLimit | None = None
    schedules: list[Schedule] = []
    paused: bool = False

    @field_validator("schedules")
    @classmethod
    def _with_slugs(cls, schedules: list[Schedule]) -> list[Schedule]:
        """Name schedules that have no name by their place; refuse a name that is there twice."""
        named = [
            each if each.slug else each.model_copy(update={"slug": f"schedule-{number}"})
            for number, each in enumerate(schedules, 1)
        ]
        if len({each.slug for each in named}) < len(named):
            raise ValueError("two schedules have the same slug")
        return named


class _File(BaseModel):
    deployments: list[Deployment]


def load_deployments(home: Home) -> tuple[list[Deployment], list[str]]:
    """Return the deployments there are to be, and a line for each file that is no domain yet.

    Raises:
        UserError: prefect.yaml is not there, or says what no deployment has.
    """
    shipped = _load_file(home.project / FILE)
    further_named = _load_file(home.data / FILE) if (home.data / FILE).is_file() else []
    named = list({entry.name: entry for entry in (*shipped, *further_named)}.values())
    pattern = next((entry for entry in named if entry.name == PATTERN), None)
    if pattern is None:
        raise UserError(
            f"{home.project / FILE} has no deployment {PATTERN}, on which those of "
            "further domains are modelled"
        )
    further, bad = [], []
    for domain in sorted(set(home.domain_files()) - {entry.name for entry in named}):
        try:
            load_domain(home, domain)
        except UserError as error:
            bad.append(f"no deployment for {domain}: {error}")
            continue
        own = {
            "name": domain,
            "description": f"Build the domain {domain}.",
            "tags": ["redial"],
            "parameters": {"domain": domain},
        }
        further.append(pattern.model_copy(update=own))
    return [*named, *further], bad


def _load_file(path: Path) -> list[Deployment]:
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
        return _File.model_validate(content).deployments
    except ValidationError as error:
        raise UserError(f"{path}: {validation_line(error, _File)}") from None
    except (OSError, yaml.YAMLError) as error:
        raise UserError(f"{path} cannot be read: {' '.join(str(error).split())}") from None


def fields_of(entry: Deployment) -> dict[str, Any]:
    """Return what people may change of a deployment, as fields to be compared."""
    limit = entry.concurrency_limit
    return {
        "description": entry.description or "",
        "paused": entry.paused,
        "work queue": entry.work_pool.work_queue_name,
        **(
            {"concurrency limit": limit.limit, "collision strategy": limit.collision_strategy}
            if limit
            else {}
        ),
        **{f"tag {tag}": True for tag in entry.tags},
        **{f"parameter {name}": value for name, value in entry.parameters.items()},
        **dict(_schedule_fields(entry)),
    }


def _schedule_fields(entry: Deployment) -> Iterator[tuple[str, Any]]:
    for each in entry.schedules:
        yield from schedule_fields(each.slug, each.when(), each.active, each.parameters)


def schedule_fields(
    slug: str, when: SCHEDULE_TYPES, active: bool, parameters: Mapping[str, Any]
) -> Iterator[tuple[str, Any]]:
    """Yield the fields of one schedule."""
    yield f"schedule {slug} when", _comparable(when)
    yield f"schedule {slug} active", active
    yield f"schedule {slug} parameters", dict(parameters)


def _comparable(when: SCHEDULE_TYPES) -> dict[str, Any]:
    """Return a schedule without the moment it counts from.

    The server sets that where the file leaves it out.
    """
    values: dict[str, Any] = when.model_dump(mode="json", exclude={"anchor_date"})
    if isinstance(when, RRuleSchedule):
        lines = [
            line.removeprefix("RRULE:")
            for line in when.rrule.splitlines()
            if not line.startswith("DTSTART")
        ]
        values["rrule"] = "\n".join(lines)
    return values

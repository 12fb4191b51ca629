"""What a run leaves in the Prefect UI: funnel, statistics, cost, progress, links to the pages a person looks at."""

from __future__ import annotations

import asyncio
import re
import time
from uuid import UUID

from prefect.artifacts import (
    acreate_link_artifact,
    acreate_markdown_artifact,
    acreate_progress_artifact,
    acreate_table_artifact,
    aupdate_progress_artifact,
)

from flows.pages import address_of
from flows.results import BuildResult
from flows.stages import Context

NOTE_EVERY_S = 5.0  # an update costs a request to the server


def key(*parts: str) -> str:
    """Return an artifact key: small letters, digits and dashes, as Prefect asks."""
    return re.sub(r"[^a-z0-9]+", "-", "-".join(parts).lower()).strip("-")


class LiveProgress:
    """The progress artifact of one generation, updated every few seconds."""

    def __init__(self, artifact: UUID) -> None:
        """Take over an artifact that exists."""
        self._artifact = artifact
        self._last = time.monotonic()
        self._task: asyncio.Task[object] | None = None

    @classmethod
    async def start(cls, context: Context) -> LiveProgress:
        """Create the artifact at zero."""
        made = await acreate_progress_artifact(0.0, key=key(context.domain.name, "progress"), description="dialogues asked for")
        return cls(made)

    def note(self, done: int, total: int, cost: str) -> None:
        """Show how far it is; seldom enough not to slow the run."""
        if time.monotonic() - self._last < NOTE_EVERY_S or (self._task and not self._task.done()):
            return
        self._last = time.monotonic()
        share = 100.0 * done / total if total else 100.0
        told = f"{done:,} of {total:,} dialogues, {cost}"
        self._task = asyncio.create_task(aupdate_progress_artifact(self._artifact, share, told))

    async def finish(self, told: str) -> None:
        """Show the end."""
        if self._task:
            await self._task
        await aupdate_progress_artifact(self._artifact, 100.0, told)


async def show_result(context: Context, result: BuildResult) -> None:
    """Leave the run's tables and links."""
    domain = context.domain.name
    for name, rows, told in (
        ("funnel", result.funnel, f"Funnel of {domain}: every brief and how it ended"),
        ("rules", result.rules, f"Rules broken in {domain}, by attempt"),
    ):
        await acreate_table_artifact(table=rows, key=key(domain, name), description=told)
    await acreate_markdown_artifact(_summary(result), key=key(domain, "summary"), description=f"What this run of {domain} made")
    for name, page in result.pages.items():
        address = address_of(context.home, page)
        await acreate_link_artifact(address, link_text=f"{name} of {domain}", key=key(domain, name), description=f"{name} of {domain}")


def _summary(result: BuildResult) -> str:
    facts = {
        "run": result.run_id,
        "state": result.state,
        "release": result.version,
        "settings hash": result.config_hash,
        "code": result.code_version,
        **result.cost,
    }
    rows = [f"| {name} | {_cell(value)} |" for name, value in facts.items()]
    figures = [f"| {name} | {_cell(value)} |" for name, value in result.statistics.items()]
    return "\n".join(["| run | |", "|---|---|", *rows, "", "| Table 3 | |", "|---|---|", *figures])


def _cell(value: object) -> str:
    text = f"{value:,.4f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
    return text.replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")

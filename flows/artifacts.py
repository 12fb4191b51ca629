"""What a run leaves in the Prefect UI: funnel, statistics, cost, progress, links to pages."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from prefect.artifacts import (
    acreate_link_artifact,
    acreate_markdown_artifact,
    acreate_progress_artifact,
    acreate_table_artifact,
    aupdate_progress_artifact,
)

from flows.build_result import BuildResult
from flows.figures import figure, table_rows
from flows.server.static_pages import address_of, browse_address
from flows.stages import Context
from tasks.lineage import release_lineage, release_markdown
from tasks.web import markdown_code, markdown_table

PAGES = {
    "data-docs": "Data Docs",
    "report": "Report",
    "runs": "All runs",
    "history": "History",
    "browse": "Dialogues",
}
NOTE_EVERY_S = 5.0  # an update costs a request to the server


def key(*parts: str) -> str:
    """Return an artifact key: small letters, digits and dashes, as Prefect asks."""
    return re.sub(r"[^a-z0-9]+", "-", "-".join(parts).lower()).strip("-")


class LiveProgress:
    """The progress artifact of one generation, updated every few seconds while the run goes on."""

    def __init__(self, context: Context) -> None:
        """Begin to create the artifact at zero."""
        made = acreate_progress_artifact(
            0.0, key=key(context.domain.name, "progress"), description="dialogues asked for"
        )
        self._artifact: asyncio.Task[UUID] = asyncio.create_task(made)
        self._last = time.monotonic()
        self._update: asyncio.Task[object] | None = None

    def note(self, done: int, total: int, cost: str) -> None:
        """Show how far it is; seldom enough not to slow the run."""
        if time.monotonic() - self._last < NOTE_EVERY_S or (
            self._update and not self._update.done()
        ):
            return
        self._last = time.monotonic()
        share = 100.0 * done / total if total else 100.0
        self._update = asyncio.create_task(
            self._show(share, f"{done:,} of {total:,} dialogues, {cost}")
        )

    async def finish(self, description: str) -> None:
        """Show the end."""
        if self._update:
            await self._update
        await self._show(100.0, description)

    async def _show(self, share: float, description: str) -> None:
        await aupdate_progress_artifact(await self._artifact, share, description)


async def show_result(context: Context, result: BuildResult) -> None:
    """Leave the run's tables, texts and links. The caller holds the domain."""
    domain = context.domain.name
    texts = [
        ("summary", _summary(result), f"What this run of {domain} made, what it cost, Table 3")
    ]
    if result.version:
        with context.warehouse.use() as con:
            lineage = release_markdown(release_lineage(con, domain, result.version))
        texts.append(("lineage", lineage, f"What the release of {domain} was made from"))
    links = {
        name: address_of(context.home, page) for name, page in result.run_pages.items()
    } | browse_address(domain)
    await asyncio.gather(
        *(
            acreate_table_artifact(
                table=table_rows(rows), key=key(domain, name), description=description
            )
            for name, rows, description in result_tables(result)
        ),
        *(
            acreate_markdown_artifact(text, key=key(domain, name), description=description)
            for name, text, description in texts
        ),
        link_pages(domain, links),
    )


def result_tables(result: BuildResult) -> tuple[tuple[str, list[dict[str, Any]], str], ...]:
    """Return the tables of a run: name, rows, description."""
    domain = result.domain
    return (
        ("stages", result.stages, f"From source lines to accepted dialogues of {domain}"),
        ("set-aside", result.set_aside, f"Source lines of {domain} that are not used, by kind"),
        (
            "might-likes",
            result.might_likes,
            f"Every MIGHT_LIKES item of {domain}: planned, or why not",
        ),
        ("funnel", result.funnel, f"Every brief of {domain} and how it ended"),
        ("attempts", result.attempts, f"What each attempt brought in {domain}"),
        ("rules", result.rules, f"Rules broken in {domain}, by attempt"),
        ("causes", result.causes, f"Why briefs of {domain} failed or were rejected"),
        ("trends", result.history, f"Runs of {domain} that asked for something"),
    )


async def link_pages(domain: str, addresses: Mapping[str, str]) -> None:
    """Link pages of a domain, by name, from the run."""
    await asyncio.gather(*(_link(domain, name, address) for name, address in addresses.items()))


async def _link(domain: str, name: str, address: str) -> None:
    """Leave a link to a page.

    Where it is not served its place is text: a browser opens no file from another page.
    """
    description = f"{PAGES.get(name, name)} of {domain}"
    if address.startswith(("http://", "https://")):
        await acreate_link_artifact(
            address, link_text=description, key=key(domain, name), description=description
        )
    else:
        await acreate_markdown_artifact(
            f"{description}: {markdown_code(address)}",
            key=key(domain, name),
            description=description,
        )


def _summary(result: BuildResult) -> str:
    facts = {
        "run": result.run_id,
        "state": result.state,
        **({"why": result.message} if result.message else {}),
        "release": result.version or "none",
        "settings hash": result.config_hash,
        "code": result.code_version,
        **result.cost,
        **({"key of the pseudonyms": str(result.key_file)} if result.key_file else {}),
    }
    tables = (("run", facts), ("Table 3", result.statistics))
    return "\n".join(
        markdown_table((head, ""), ((name, figure(value)) for name, value in figures.items()))
        for head, figures in tables
    )

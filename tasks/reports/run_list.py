"""The list of a domain's runs: a row beside each run's pages, and the page that shows them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter

from tasks.reports.page_parts import page_style, page_templates, reports_folder
from tasks.settings import Home

RUNS: Final = "runs.html"
# Written by tasks/history; the list of runs links it where it is there.
HISTORY: Final = "history.html"
_RUN_PAGES: Final = "run-*"


@dataclass(frozen=True)
class RunEntry:
    """One run in the list of runs: texts as a person reads them, and its two main figures.

    Attributes:
        name: what the run's pages are called, without `.html`.
        started_at: ISO 8601, UTC; the list is ordered by it.
        ending: how and when it ended.
        settings_hash: the first 12 hex digits.
        release: version that it wrote or confirmed, or an empty text.
    """

    name: str
    run_id: str
    started_at: str
    ending: str
    settings_hash: str
    model: str
    profile: str
    seed: int
    release: str
    accepted: int
    briefs: int


_ENTRY: Final = TypeAdapter(RunEntry)


def list_runs(home: Home, domain: str) -> list[RunEntry]:
    """Return the runs of a domain whose pages are there, newest first.

    A row that cannot be read is left out.
    """
    entries = map(_read_entry, reports_folder(home, domain).glob(f"{_RUN_PAGES}.json"))
    return sorted(
        (entry for entry in entries if entry),
        key=lambda entry: (entry.started_at, entry.name),
        reverse=True,
    )


def _read_entry(path: Path) -> RunEntry | None:
    try:
        entry = _ENTRY.validate_json(path.read_bytes())
    except (OSError, ValueError):
        return None
    return entry if entry.name == path.stem else None


def render_runs(home: Home, domain: str, *, with_history: bool) -> str:
    """Return the page; `with_history` links the history's page, which need not be there yet."""
    released = {path.name for path in home.releases(domain).glob("*") if path.is_dir()}
    history = HISTORY if with_history or (reports_folder(home, domain) / HISTORY).is_file() else ""
    style = page_style("report.css")
    shown = {
        "name": domain,
        "runs": list_runs(home, domain),
        "released": released,
        "history": history,
        "style": style,
    }
    return page_templates().get_template("runs.html").render(**shown)

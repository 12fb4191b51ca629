"""The first page of the pages server: every domain with its pages, dialogues and releases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tasks.reports.page_parts import page_style, page_templates, reports_folder
from tasks.reports.run_list import RUNS
from tasks.reports.run_pages import LATEST
from tasks.settings import DOMAIN_NAME, Home


@dataclass(frozen=True)
class ServedDomain:
    """What there is to look at of one domain."""

    name: str
    report: bool
    data_docs: bool
    runs: bool
    warehouse: bool
    releases: tuple[str, ...]


def render_served_index(home: Home) -> str:
    """Return the page."""
    shown = {"domains": list(_domains(home)), "style": page_style("report.css")}
    return page_templates().get_template("served.html").render(**shown)


def _domains(home: Home) -> Iterator[ServedDomain]:
    folders = (home.data / name for name in ("docs", "reports", "releases", "warehouse"))
    names: set[str] = set()
    for folder in folders:
        names |= {path.name.removesuffix(".duckdb") for path in folder.glob("*")}
    for name in sorted(filter(DOMAIN_NAME.fullmatch, names)):
        domain = _domain(home, name)
        if domain.report or domain.data_docs or domain.warehouse or domain.releases:
            yield domain


def _domain(home: Home, name: str) -> ServedDomain:
    reports = reports_folder(home, name)
    return ServedDomain(
        name=name,
        report=(reports / LATEST).is_file(),
        data_docs=(home.data_docs(name) / LATEST).is_file(),
        runs=(reports / RUNS).is_file(),
        warehouse=home.warehouse(name).is_file(),
        releases=tuple(_releases(home.releases(name))),
    )


def _releases(folder: Path) -> list[str]:
    return sorted(card.parent.name for card in folder.glob("*/README.md"))

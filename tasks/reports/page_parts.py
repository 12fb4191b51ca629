"""What a domain's pages (report, Data Docs, list of runs) share: templates, styles and places."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import jinja2
from markupsafe import Markup

from tasks.fingerprint import content_id
from tasks.reports.builds import LastBuild
from tasks.settings import Home
from tasks.web import environment, inline_style

HERE: Final = Path(__file__).resolve().parent
_FILE_NAME = re.compile(r"[A-Za-z0-9-]{1,64}")


@dataclass(frozen=True)
class Links:
    """Where a page leads to; empty where there is nothing.

    Addresses are relative, the same from a folder as from the pages server. `browse` is a path of
    the pages server; a page opened as a file does not offer it (see `flows.server.static_pages`).
    """

    report: str
    data_docs: str
    runs: str
    release: str
    browse: str
    domain: str


def page_templates(*folders: Path) -> jinja2.Environment:
    """Return the templates of a domain's pages, and those in more folders.

    Every value put in is escaped.
    """
    return environment(HERE / "pages", *folders)


def page_style(*sheets: str) -> Markup:
    """Return the shared style and some sheets of ours, to be written into a page."""
    return inline_style(*(HERE / "static" / sheet for sheet in sheets))


def run_name(run_id: str) -> str:
    """Return the name of a run's pages: `run-` and its id, or a hash if that is no file name."""
    return f"run-{run_id if _FILE_NAME.fullmatch(run_id) else content_id(run_id)}"


def reports_folder(home: Home, domain: str) -> Path:
    """Return where a domain's reports are: `index.html` is the newest, with one page a run."""
    return home.data / "reports" / domain


def report_links(build: LastBuild) -> Links:
    """Return where a run's report leads to.

    A run's report and its Data Docs name each other, not the newest ones.
    """
    return _links(build, "", f"../../docs/{build.domain.name}/")


def data_docs_links(build: LastBuild) -> Links:
    """Return where a run's Data Docs lead to."""
    return _links(build, f"../../reports/{build.domain.name}/", "")


def _links(build: LastBuild, reports: str, docs: str) -> Links:
    name = build.domain.name
    page = f"{run_name(build.run_id)}.html" if build.run_id else "index.html"
    return Links(
        report=f"{reports}{page}",
        data_docs=f"{docs}{page}",
        runs=f"{reports}runs.html",
        release=f"../../releases/{name}/{build.release}/README.md" if build.release else "",
        browse=f"/domains/{name}",
        domain=name,
    )

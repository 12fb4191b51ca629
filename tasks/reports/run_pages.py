"""A domain's pages on disk.

    reports/DOMAIN/index.html            the newest run's report
    reports/DOMAIN/run-ID.html           a run's report; run-ID.json is its row in the list
    reports/DOMAIN/runs.html             the list of runs
    docs/DOMAIN/index.html               the newest run's Data Docs
    docs/DOMAIN/run-ID.html, run-ID/     a run's Data Docs

Report and Data Docs of a run are made of one state of the warehouse, written beside their place and
moved there together, the copies last: killed at any moment, each page is whole and names its run.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import duckdb

from tasks.errors import UserError
from tasks.files import write_atomically
from tasks.reports.builds import LastBuild
from tasks.reports.data_docs import render_data_docs
from tasks.reports.page_parts import reports_folder, run_name
from tasks.reports.report import Findings, gather, render_report
from tasks.reports.run_list import RUNS, RunEntry, list_runs, render_runs
from tasks.settings import Home, ReadYaml, read_yaml
from tasks.warehouse import read_warehouse

LATEST: Final = "index.html"
_ASIDE: Final = ".aside-pages-"
_LEFT_BEHIND_S: Final = 86_400.0  # a killed process left what is as old as this


@dataclass(frozen=True)
class Drafted:
    """Pages written beside their place.

    Attributes:
        files: paths below `folder` now, and below the data folder once they are published.
    """

    folder: Path
    build: LastBuild
    files: tuple[str, ...]


@dataclass(frozen=True)
class PublishedPages:
    """Where pages are, by name.

    Attributes:
        latest: the newest, which the next run overwrites.
        run: those of this run, and the list of runs.
    """

    latest: Mapping[str, Path]
    run: Mapping[str, Path]


@contextmanager
def drafted_pages(
    con: duckdb.DuckDBPyConnection, home: Home, domain: str, read: ReadYaml = read_yaml
) -> Iterator[Drafted]:
    """Write the pages of a warehouse's last run aside, for `publish_pages` within the block.

    What is not published is removed at its end. The warehouse is only read, so that a read-only
    connection will do. The same warehouse gives the same bytes.

    Raises:
        UserError: suites or goals are not as they should be, or the folder cannot be written.
    """
    findings = gather(con, home, domain, read)
    files = _render(findings, domain)
    with ExitStack() as stack:
        with _written(home):
            _tidy(home)
            folder = tempfile.TemporaryDirectory(prefix=_ASIDE, dir=home.data)
            aside = Path(stack.enter_context(folder))
            _write_files(aside, files)
        yield Drafted(aside, findings.build, tuple(files))


@contextmanager
def _written(home: Home) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UserError(f"the pages cannot be written to {home.data}: {error.strerror}") from None


def _tidy(home: Home) -> None:
    home.data.mkdir(parents=True, exist_ok=True)
    for left in home.data.glob(f"{_ASIDE}*"):
        if left.stat().st_mtime < time.time() - _LEFT_BEHIND_S:
            shutil.rmtree(left, ignore_errors=True)


def _write_files(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _render(findings: Findings, domain: str) -> dict[str, str]:
    """Return every page of a run, by its path below the data folder."""
    build, report = findings.build, render_report(findings)
    docs, below = render_data_docs(build, findings.gates, findings.funnel.causes)
    name = run_name(build.run_id)
    files = {f"docs/{domain}/{name}/{page}": text for page, text in below.items()}
    if build.run_id:
        entry = json.dumps(asdict(_entry(findings)), indent=1, ensure_ascii=False)
        files |= {
            f"docs/{domain}/{name}.html": docs,
            f"reports/{domain}/{name}.html": report,
            f"reports/{domain}/{name}.json": entry,
        }
    return {**files, f"docs/{domain}/{LATEST}": docs, f"reports/{domain}/{LATEST}": report}


def _entry(findings: Findings) -> RunEntry:
    build = findings.build
    verdicts = {row["verdict"]: row["briefs"] for row in findings.funnel.verdicts}
    return RunEntry(
        name=run_name(build.run_id),
        run_id=build.run_id,
        started_at=f"{build.started_at:%Y-%m-%dT%H:%M:%S}" if build.started_at else "",
        ending=build.ending,
        settings_hash=build.config_hash[:12],
        model=build.domain.generate.model,
        profile=build.domain.generate.profile,
        seed=build.domain.seed,
        release=build.release,
        accepted=verdicts["accepted"],
        briefs=sum(verdicts.values()),
    )


def publish_pages(
    home: Home, domain: str, draft: Drafted, *, with_history: bool = False
) -> PublishedPages:
    """Move drafted pages to their place and write the list of runs. Raises UserError.

    Pages of runs that are not kept are removed. With `with_history` the list leads to the page of
    the domain's history, which the caller writes next.
    """
    name = run_name(draft.build.run_id)
    reports, docs = reports_folder(home, domain), home.data_docs(domain)
    with _written(home):
        # Of the same run, before it was started again.
        shutil.rmtree(docs / name, ignore_errors=True)
        for file in draft.files:  # the newest come last
            place = home.data / file
            place.parent.mkdir(parents=True, exist_ok=True)
            (draft.folder / file).replace(place)
        _remove_old(home, domain, draft.build.domain.pages.keep)
        write_atomically(reports / RUNS, render_runs(home, domain, with_history=with_history))
    return published_pages(home, domain, draft.build.run_id)


def published_pages(home: Home, domain: str, run_id: str) -> PublishedPages:
    """Return where the pages of a domain's newest run are, whether or not they are there."""
    reports, docs = reports_folder(home, domain), home.data_docs(domain)
    page = f"{run_name(run_id)}.html" if run_id else LATEST
    return PublishedPages(
        latest={"data-docs": docs / LATEST, "report": reports / LATEST},
        run={"data-docs": docs / page, "report": reports / page, "runs": reports / RUNS},
    )


def write_pages(
    con: duckdb.DuckDBPyConnection, home: Home, domain: str, read: ReadYaml = read_yaml
) -> PublishedPages:
    """Write report, Data Docs and list of runs for a warehouse's last run. Raises UserError."""
    with drafted_pages(con, home, domain, read) as draft:
        return publish_pages(home, domain, draft)


def pages_from_warehouse(home: Home, domain: str) -> PublishedPages:
    """Write a domain's pages from its warehouse as it is.

    Raises UserError when there is no such domain or it is not built.
    """
    home.domain_file(domain)
    with read_warehouse(home.warehouse(domain)) as con:
        return write_pages(con, home, domain)


def _remove_old(home: Home, domain: str, keep: int) -> None:
    """Remove the pages of old runs.

    The newest runs are kept, and of each release the newest run that wrote or confirmed it.
    """
    released = {path.name for path in home.releases(domain).glob("*") if path.is_dir()}
    for place, entry in enumerate(list_runs(home, domain)):
        needed = entry.release in released
        released.discard(entry.release)
        if place < keep or needed:
            continue
        shutil.rmtree(home.data_docs(domain) / entry.name, ignore_errors=True)
        (home.data_docs(domain) / f"{entry.name}.html").unlink(missing_ok=True)
        for file in _report_files(home, domain, entry.name):
            file.unlink(missing_ok=True)


def _report_files(home: Home, domain: str, name: str) -> tuple[Path, Path]:
    """Return a run's files among the reports.

    Its row in the list is last: while that is there, the rest can still be found.
    """
    folder = reports_folder(home, domain)
    return folder / f"{name}.html", folder / f"{name}.json"

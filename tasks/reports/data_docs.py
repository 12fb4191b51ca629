"""Data Docs: what Great Expectations found at each gate.

There is an index page for a run, and a page for each gate and suite.

They are made from the warehouse's record of its gates, and need neither network nor script.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from tasks.funnel import Rows
from tasks.quality import GateRecord, SuiteRecord
from tasks.reports.builds import LastBuild, main_settings
from tasks.reports.page_parts import data_docs_links, page_style, page_templates, run_name


def suite_page_name(gate: GateRecord, suite: SuiteRecord) -> str:
    """Return the file name of one suite's page at one gate."""
    return f"{gate.gate}-{suite.suite}.html"


def render_data_docs(
    build: LastBuild, gates: Sequence[GateRecord], causes: Rows
) -> tuple[str, dict[str, str]]:
    """Return the index page of a run, and by name the pages that it leads to.

    Those are to be in a folder named after the run. `causes` says why briefs have no accepted
    dialogue, as `Funnel.causes` does.
    """
    templates = page_templates()
    shared: dict[str, Any] = {
        "build": build,
        "domain": build.domain,
        "main_settings": main_settings(build.domain),
        "links": data_docs_links(build),
        "style": page_style("report.css", "docs.css"),
        "folder": run_name(build.run_id),
        "suite_page_name": suite_page_name,
    }
    index = templates.get_template("gates.html").render(**shared, gates=gates, causes=causes)
    gate_page = templates.get_template("gate.html")
    pages = {}
    for gate in gates:
        for suite in gate.suites:
            page = gate_page.render(**shared, gate=gate, suite=suite, results=_markup(suite))
            pages[suite_page_name(gate, suite)] = page
    return index, pages


def _markup(suite: SuiteRecord) -> list[tuple[str, Markup]]:
    """Return Great Expectations' own HTML, made when the gate judged.

    It has rules and numbers, and no text of reviews or models.
    """
    return [(table, Markup(html)) for table, html in suite.results]  # noqa: S704

"""Reports: what a person looks at, a page for each domain and a browser over its dialogues."""

from tasks.reports.browser import browser_app, serve_browser
from tasks.reports.report import (
    Findings,
    draft_report,
    gather,
    publish_report,
    render_report,
    report_from_warehouse,
    write_report,
)
from tasks.reports.request_replay import replay

__all__ = [
    "Findings",
    "browser_app",
    "draft_report",
    "gather",
    "publish_report",
    "render_report",
    "replay",
    "report_from_warehouse",
    "serve_browser",
    "write_report",
]

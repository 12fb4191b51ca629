"""Reports: what a person looks at.

In: a domain's warehouse. Out: pages for each run, and a browser over its dialogues. Start with
`write_pages` or the browser.
"""

from tasks.reports.browser import browser_app, serve_browser
from tasks.reports.charts import Series, trend
from tasks.reports.page_parts import page_style, page_templates, reports_folder
from tasks.reports.report import Findings, gather, render_report
from tasks.reports.request_replay import replay
from tasks.reports.run_list import HISTORY, list_runs
from tasks.reports.run_pages import (
    PublishedPages,
    drafted_pages,
    pages_from_warehouse,
    publish_pages,
    published_pages,
    write_pages,
)
from tasks.reports.served_index import render_served_index

__all__ = [
    "HISTORY",
    "Findings",
    "PublishedPages",
    "Series",
    "browser_app",
    "drafted_pages",
    "gather",
    "list_runs",
    "page_style",
    "page_templates",
    "pages_from_warehouse",
    "publish_pages",
    "published_pages",
    "render_report",
    "render_served_index",
    "replay",
    "reports_folder",
    "serve_browser",
    "trend",
    "write_pages",
]

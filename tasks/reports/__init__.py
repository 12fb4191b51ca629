"""Reports: what a person looks at, pages for each run of a domain and a browser over its dialogues."""

from tasks.reports.browser import browser_app, serve_browser
from tasks.reports.report import Findings, gather, render_report
from tasks.reports.request_replay import replay
from tasks.reports.run_pages import PublishedPages, drafted_pages, list_runs, pages_from_warehouse, publish_pages, write_pages
from tasks.reports.served_index import render_served_index

__all__ = [
    "Findings",
    "PublishedPages",
    "browser_app",
    "drafted_pages",
    "gather",
    "list_runs",
    "pages_from_warehouse",
    "publish_pages",
    "render_report",
    "render_served_index",
    "replay",
    "serve_browser",
    "write_pages",
]

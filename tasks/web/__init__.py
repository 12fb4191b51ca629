"""What the local pages share: templates that escape everything, headers, and an application on loopback alone. Belongs to no room."""

from tasks.web.forms import read_form
from tasks.web.guard import NO_FRAMES, LocalGuard
from tasks.web.local import HEADERS, local_app, serve_local
from tasks.web.templates import SHARED, environment
from tasks.web.text import escaped_json, markdown_cell, markdown_code, markdown_table, shortened, visible

__all__ = [
    "HEADERS",
    "NO_FRAMES",
    "SHARED",
    "LocalGuard",
    "environment",
    "escaped_json",
    "local_app",
    "markdown_cell",
    "markdown_code",
    "markdown_table",
    "read_form",
    "serve_local",
    "shortened",
    "visible",
]

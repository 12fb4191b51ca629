"""What the local pages share: templates that escape everything, headers, and an application on loopback alone. Belongs to no room."""

from tasks.web.forms import read_form
from tasks.web.html import (
    SHARED,
    environment,
    escaped_json,
    inline_style,
    markdown_cell,
    markdown_code,
    markdown_table,
    shortened,
    visible,
)
from tasks.web.local_server import HEADERS, local_app, serve_local
from tasks.web.origin_guard import NO_FRAMES, LocalGuard

__all__ = [
    "HEADERS",
    "NO_FRAMES",
    "SHARED",
    "LocalGuard",
    "environment",
    "escaped_json",
    "inline_style",
    "local_app",
    "markdown_cell",
    "markdown_code",
    "markdown_table",
    "read_form",
    "serve_local",
    "shortened",
    "visible",
]

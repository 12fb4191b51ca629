"""What local pages share: templates that escape everything, headers, a server on loopback only."""

from tasks.visible_text import visible
from tasks.web.html import (
    SHARED,
    environment,
    inline_style,
    markdown_cell,
    markdown_code,
    markdown_table,
    shortened,
)
from tasks.web.local_server import HEADERS, local_app, read_form, serve_local
from tasks.web.origin_guard import NO_FRAMES, LocalGuard

__all__ = [
    "HEADERS",
    "NO_FRAMES",
    "SHARED",
    "LocalGuard",
    "environment",
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

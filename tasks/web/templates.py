"""The one way to make an HTML template environment here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from tasks.web.text import shortened, visible

SHARED = Path(__file__).resolve().parent


def environment(*folders: Path) -> jinja2.Environment:
    """Return templates from folders and the shared ones; every value is escaped and its hidden characters are spelled out."""
    loader = jinja2.FileSystemLoader([*folders, SHARED / "pages"])
    made = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, finalize=_shown, trim_blocks=True, lstrip_blocks=True
    )
    made.filters["number"] = number
    made.globals["shortened"] = shortened
    return made


def _shown(value: Any) -> Any:
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def number(value: float | int | None, digits: int = 2) -> str:
    """Return a number as a person reads it: thousands apart, an en dash for none."""
    if value is None:
        return "–"
    return f"{value:,.{digits}f}" if isinstance(value, float) else f"{value:,}"

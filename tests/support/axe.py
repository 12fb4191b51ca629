"""axe-core, run on a page in a browser: what it finds that keeps people from using the page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

GRAVE = {"serious", "critical"}


def grave_findings(page: Any) -> list[str]:
    """Return axe's serious and critical findings on the page that is open, one line each. The page must bypass its content policy."""
    import axe_playwright_python

    script = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text(encoding="utf-8")
    page.evaluate(script)
    found = page.evaluate("axe.run(document)")
    assert found["passes"]
    return [f"{one['id']}: {node['html'][:200]}" for one in found["violations"] if one["impact"] in GRAVE for node in one["nodes"]]

"""The site builds without a warning, shows every page, and loads nothing from elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.docs.pages import DOCS, PROJECT


def test_the_site_builds_and_needs_no_other_host(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    kept = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(
        command, cwd=PROJECT, env=kept, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    pages = {page.relative_to(DOCS) for page in DOCS.rglob("*.md")} - {Path("README.md")}
    for page in pages:
        name = "index" if page.stem == "README" else page.stem
        assert (tmp_path / page.parent / f"{name}.html").is_file()
    for page in tmp_path.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        loaded = re.findall(
            r"<(?:script|img|link)\b[^>]*?(?:src|href)=\"?(https?://[^\s\">]+)", text
        )
        assert loaded == [], page
        assert "](" not in re.sub(r"<(pre|code).*?</\1>", "", text, flags=re.DOTALL), page

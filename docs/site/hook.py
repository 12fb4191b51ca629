"""Lets the site show pages that are outside docs/, and keeps every link working there.

The README is the site's first page. Links to these pages are rewritten; links to other files of the
repository, which a site cannot show, become plain text.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

PROJECT = Path(__file__).resolve().parents[2]
ICON = PROJECT / "tasks" / "web" / "static" / "icon.svg"
OUTSIDE = {
    "README.md": "index.md",
    "ARCHITECTURE.md": "architecture.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "data/demo/README.md": "demo.md",
}
IN_SITE = {**OUTSIDE, "docs/README.md": "index.md"}  # the site's menu takes the place of the list
LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)\s#:]+)(#[^)\s]*)?\)")
PICTURE = re.compile(r"(!\[[^\]]*\]\()([^)\s:]+)(\))")
CODE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are outside docs/, and the icon."""
    for source, place in OUTSIDE.items():
        text = (PROJECT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, place, content=text))
    files.append(File.generated(config, "site/icon.svg", abs_src_path=str(ICON)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Rewrite the links of a page from places in the repository to places in the site."""
    place = page.file.src_uri
    source = next((one for one, shown in OUTSIDE.items() if shown == place), f"docs/{place}")
    parts, code = CODE.split(markdown), CODE.findall(markdown)
    rewritten = [_rewritten(part, source, place) for part in parts]
    return "".join(part + block for part, block in zip(rewritten, [*code, ""], strict=True))


def _rewritten(text: str, source: str, place: str) -> str:
    def link(found: re.Match[str]) -> str:
        words, target, anchor = found[1], found[2], found[3] or ""
        to = _in_site(source, place, target)
        return f"[{words}]({to}{anchor})" if to else words

    def picture(found: re.Match[str]) -> str:
        return f"{found[1]}{_in_site(source, place, found[2])}{found[3]}"

    return PICTURE.sub(picture, LINK.sub(link, text))


def _in_site(source: str, place: str, target: str) -> str:
    """Return where a link leads in the site, as seen from the page; empty if nowhere."""
    path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
    if path in IN_SITE:
        path = IN_SITE[path]
    elif path.startswith("docs/"):
        path = path.removeprefix("docs/")
    else:
        return ""
    return posixpath.relpath(path, posixpath.dirname(place) or ".")

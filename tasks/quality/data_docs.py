"""Data Docs: one page per gate and suite, and an index, readable without internet.

The results are rendered by Great Expectations' own renderers. Its page frame is left out, because
it loads styles and scripts from the network and an index that is blank without them; ours needs one
small style sheet and no script. Everything put in is escaped.
"""

from __future__ import annotations

import html
import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from tasks.errors import UserError
from tasks.quality.values import Rule, Suite

PAGES: Final = Path(__file__).parent / "pages"
_LINK: Final = re.compile(
    r'<a href="\.\./[^"]*" *>(.*?)</a>'
)  # to pages of the frame that is left out
EXAMPLES: Final = 3  # pieces of evidence shown for a rule


@dataclass(frozen=True)
class Example:
    """One piece of evidence shown on a page."""

    dialogue_id: str
    turn: int
    evidence: str


@dataclass(frozen=True)
class RuleFound:
    """One rule at one gate: how many dialogues broke it, and some of the evidence."""

    rule: Rule
    dialogues: int
    examples: Sequence[Example]


@dataclass(frozen=True)
class SuiteFound:
    """One suite at one gate: its rules, and Great Expectations' result per fact table."""

    suite: Suite
    rules: Sequence[RuleFound]
    results: Sequence[tuple[str, Any]]


@dataclass(frozen=True)
class Gate:
    """One gate: a name that is a folder's, a title a person reads, its place among the gates, and what was counted there."""

    gate: str
    title: str
    order: int
    judged: int
    rejected: int


def write_docs(folder: Path, domain: str, gate: Gate, suites: Sequence[SuiteFound]) -> Path:
    """Write the pages of one gate and the index over all gates; return the index page.

    Pages of this gate and of later ones that stood there, from an earlier run, make way.

    Raises:
        UserError: the folder cannot be written.
    """
    made = Environment(loader=FileSystemLoader(PAGES), autoescape=True, keep_trailing_newline=True)
    pages = [
        {
            "suite": found.suite.name,
            "file": f"{found.suite.name}.html",
            "rules": len(found.rules),
            "broken": sum(1 for rule in found.rules if rule.dialogues),
        }
        for found in suites
    ]
    try:
        aside = folder / f".{gate.gate}.part"
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        for found, page in zip(suites, pages, strict=True):
            (aside / str(page["file"])).write_text(
                _page(made, domain, gate, found), encoding="utf-8"
            )
        (aside / "gate.json").write_text(
            json.dumps({**asdict(gate), "pages": pages}), encoding="utf-8"
        )
        for later in [path for path in _written(folder) if _order(path) >= gate.order]:
            shutil.rmtree(later.parent)
        aside.rename(folder / gate.gate)
        shutil.copyfile(PAGES / "docs.css", folder / "docs.css")
        gates = [
            json.loads(path.read_text(encoding="utf-8"))
            for path in sorted(_written(folder), key=_order)
        ]
        index = folder / "index.html"
        index.write_text(
            made.get_template("index.html").render(domain=domain, gates=gates), encoding="utf-8"
        )
    except OSError as error:
        raise UserError(f"the Data Docs cannot be written to {folder}: {error.strerror}") from None
    return index


def _written(folder: Path) -> list[Path]:
    """Return what describes each gate that has pages; folders with a dot are still being written."""
    return [path for path in folder.glob("*/gate.json") if not path.parent.name.startswith(".")]


def _order(described: Path) -> int:
    return int(json.loads(described.read_text(encoding="utf-8"))["order"])


def _page(made: Environment, domain: str, gate: Gate, found: SuiteFound) -> str:
    return made.get_template("gate.html").render(
        domain=domain,
        title=gate.title,
        judged=gate.judged,
        rejected=gate.rejected,
        suite=found.suite,
        rules=found.rules,
        results=[(table, _sections(result)) for table, result in found.results],
    )


def _sections(result: Any) -> list[Markup]:
    """Render a result with Great Expectations' renderers, which expect descriptions to be HTML (`html_description` makes them so)."""
    from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
    from great_expectations.render.view.view import DefaultJinjaSectionView

    document = ValidationResultsPageRenderer().render(result).to_json_dict()
    view = DefaultJinjaSectionView()
    pages = []
    for number, section in enumerate(document["sections"], 1):
        values = {"section": section, "section_loop": {"index": number}}
        page = view.render(values)  # type: ignore[no-untyped-call]
        pages.append(Markup(_LINK.sub(r"\1", page)))
    return pages


def html_description(text: str) -> str:
    """Return a sentence as Great Expectations' renderers take it: HTML, with a dollar sign doubled."""
    return html.escape(text).replace("$", "$$")


def without_rows(result: Any) -> Any:
    """Return a result without its lists of failing rows, which no page should show; what it was judged on stays."""
    for found in result.results:
        found.result.pop("unexpected_index_list", None)
        found.result.pop("unexpected_index_column_names", None)
    return result

"""What the pages name exists: files, modules, settings, columns, variables; their YAML is valid."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tasks.settings import Domain
from tasks.warehouse import TABLES
from tests.docs.pages import DOCS, PAGES, PROJECT, blocks, page_name
from tests.docs.test_reference import fields

SETTINGS = {name for name, _, _ in fields(Domain)}
MAPPINGS = {
    "briefs.weights",
    "quality.severities",
    "alert.rules_above",
    "sources.columns.rating_values",
}
EXAMPLE = {"name": "mine", "sources": {"format": "amazon_2014", "reviews": ["reviews.json"]}}
MADE_BY_READERS = (
    *(f"goal_specs/{folder}/mine.yaml" for folder in ("templates", "prompts")),
    *("expectations/mine.yaml", "tasks/exports/NAME.py"),
)


def spans(page: Path) -> list[str]:
    """Return the code spans of a page."""
    return re.findall(r"`([^`\n]+)`", page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_a_named_file_is_there(page: Path) -> None:
    missing = [
        span
        for span in spans(page)
        if re.fullmatch(r"(?:flows|tasks|tests|goal_specs|expectations|\.ci)/[\w./]+", span)
        and not (PROJECT / span).exists()
        and span not in MADE_BY_READERS
    ]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_a_named_module_is_there(page: Path) -> None:
    named = re.findall(r"\b((?:flows|tasks|tests)(?:\.\w+)+)", page.read_text(encoding="utf-8"))
    for module in named:
        path = PROJECT / module.replace(".", "/")
        parent = path.parent
        places = [path.with_suffix(".py"), path, parent.with_suffix(".py"), parent / "__init__.py"]
        assert any(place.exists() for place in places), module


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_a_named_setting_is_there(page: Path) -> None:
    sections = {name.split(".")[0] for name in SETTINGS if "." in name} - set(TABLES)
    unknown = []
    for span in spans(page):
        named = re.fullmatch(r"(?:--set )?(\w+(?:\.\w+)+)(?:[=:].*)?", span)
        if not named or named[1].split(".")[0] not in sections or named[1].endswith("yaml"):
            continue
        parent = any(name.startswith(f"{named[1]}.") for name in SETTINGS)
        of_mapping = any(named[1].startswith(f"{name}.") for name in MAPPINGS)
        if named[1] not in SETTINGS and not parent and not of_mapping:
            unknown.append(span)
    assert unknown == []


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_a_named_column_is_there(page: Path) -> None:
    unknown = [
        span
        for span in spans(page)
        if (named := re.fullmatch(r"(\w+)\.(\w+)", span))
        and named[1] in TABLES
        and named[1] != "briefs"  # a section of the settings as well
        and named[2] not in TABLES[named[1]].column_names()
    ]
    assert unknown == []


def test_a_named_variable_is_read_somewhere() -> None:
    named = {name for page in PAGES for name in re.findall(r"REDIAL_\w+", page.read_text("utf-8"))}
    files = [
        *(file for room in ("flows", "tasks", "tests") for file in (PROJECT / room).rglob("*.py")),
        PROJECT / "compose.yaml",
        PROJECT / "Makefile",
    ]
    code = "".join(file.read_text(encoding="utf-8") for file in files)
    assert sorted(name for name in named if name not in code) == []


def yaml_examples() -> list[tuple[str, str]]:
    pages = [*(DOCS / "how-to").glob("*.md"), DOCS / "tutorial.md"]
    return [(page.name, block) for page in sorted(pages) for block in blocks(page, "yaml")]


@pytest.mark.parametrize(("page", "block"), yaml_examples())
def test_a_domain_file_shown_is_valid(page: str, block: str) -> None:
    shown: dict[str, Any] = yaml.safe_load(block)
    Domain.model_validate({**EXAMPLE, **shown})

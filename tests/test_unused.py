"""Every function and class of the project is used by the project, not only by tests."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
KEPT = {
    "curate": (
        "made goal_specs/templates/curated.yaml, and tests/templates/test_curated.py holds that "
        "it would again"
    ),
}


def defined_names(path: Path, text: str) -> Iterator[str]:
    """Yield a module's functions and classes, without those that a decorator registers."""
    for node in ast.parse(text, str(path)).body:
        if (
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            and not node.decorator_list
        ):
            yield node.name


def test_every_function_and_class_is_used_by_the_project() -> None:
    files = [path for folder in ("tasks", "flows") for path in (PROJECT / folder).rglob("*.py")]
    texts = {path: path.read_text(encoding="utf-8") for path in files if path.name != "__init__.py"}
    words = {path: re.findall(r"\w+", text) for path, text in texts.items()}
    used: dict[str, int] = {}
    for found in words.values():
        for word in found:
            used[word] = used.get(word, 0) + 1
    unused = {
        f"{path.relative_to(PROJECT)}: {name}"
        for path, text in texts.items()
        for name in defined_names(path, text)
        if used[name] < 2 and name not in KEPT
    }
    assert not unused

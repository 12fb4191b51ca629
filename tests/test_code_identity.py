"""What code a stage reaches, on small trees written here.

The project's own stages are in tests/flows/test_stage_inputs.py.
"""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.code_identity import CodeTree, code_digest, entry_modules, project_code
from tasks.ingest import ingest

PLAIN = '''
"""Module."""
LIMIT = 3

class A:
    """Class."""
    size: int = 1

def f(x, *, y=None):
    """Function."""
    return {**x, "y": y} if x else (lambda z: z[1:2])(y)
'''


def digest_of(text: str) -> str:
    return code_digest(ast.parse(text))


def tree(root: Path, **files: str) -> CodeTree:
    """Write modules named with `__` for a dot and `PKG` for an `__init__`, and read them."""
    for name, text in {"PKG": "", **files}.items():
        path = root / "tasks" / (name.replace("__", "/").replace("PKG", "__init__") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
    return CodeTree(root)


def reached(root: Path, entry: str, **files: str) -> set[str]:
    return {
        name.removeprefix("tasks.")
        for name in tree(root, **files).reached(f"tasks.{entry}").modules
    }


@pytest.mark.parametrize(
    "same",
    [
        PLAIN.replace('"""Function."""', '"""Another\n    word."""'),
        PLAIN.replace('    """Function."""\n', ""),
        PLAIN.replace("LIMIT = 3", "LIMIT = 3  # why\n# more\n\n"),
        PLAIN.replace("LIMIT = 3", "LIMIT = (\n    3\n)\n'''What it is.'''"),
        PLAIN.replace("LIMIT = 3", "LIMIT = 0x3\npass"),
        PLAIN.replace("'", '"'),
    ],
)
def test_what_is_not_executed_does_not_count(same: str) -> None:
    assert digest_of(same) == digest_of(PLAIN)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("LIMIT = 3", "LIMIT = 4"),
        ("LIMIT = 3", "LIMIT = 3.0"),
        ("LIMIT = 3", "LIMIT = '3'"),
        ("LIMIT = 3", "LIMIT = None"),
        ("LIMIT = 3", "LIMIT: int = 3"),
        ("y=None", "y=()"),
        ("*, y=None", "y=None"),
        ("z[1:2]", "z[1::2]"),
        ("{**x, ", "{x: x, "),
        ("def f", "async def f"),
        ('"y": y', '"z": y'),
        ("return {", "yield {"),
    ],
)
def test_what_is_executed_counts(old: str, new: str) -> None:
    assert old in PLAIN
    assert digest_of(PLAIN.replace(old, new, 1)) != digest_of(PLAIN)


@given(st.text(max_size=20), st.text(max_size=20))
def test_unlike_constants_have_unlike_hashes(one: str, other: str) -> None:
    assert (digest_of(f"X = {ascii(one)}") == digest_of(f"X = {ascii(other)}")) == (one == other)


def test_a_name_is_followed_through_a_package_to_where_it_is_defined(tmp_path: Path) -> None:
    found = reached(
        tmp_path,
        "a",
        a="from tasks.room import wanted as w",
        room__PKG=(
            "from tasks.room.one import other\n"
            "from tasks.room.two import inner as wanted\n"
            "__all__ = ['other', 'wanted']"
        ),
        room__one="import tasks.far",
        room__two="from . import three\nfrom .deep import found",
        room__three="",
        room__deep__PKG="from ..deep.well import found",
        room__deep__well="found = 1",
        far="",
    )
    assert found == {"a", "room.two", "room.three", "room.deep.well"}


def test_a_name_that_is_both_a_function_and_a_module_is_found(tmp_path: Path) -> None:
    files = {
        "room__PKG": "from tasks.room.fetch import fetch",
        "room__fetch": "def fetch(): ...",
        "room__side": "",
    }
    assert reached(tmp_path, "a", a="from tasks.room import fetch", **files) == {"a", "room.fetch"}
    assert reached(tmp_path, "a", a="from tasks.room import side", **files) == {"a", "room.side"}


@pytest.mark.parametrize(
    "statement",
    [
        "def f():\n    from tasks.b import x",
        "try:\n    import tasks.b\nexcept ImportError:\n    pass",
        "import tasks.b as other",
        "from tasks import b",
        "from tasks.b import *",
        "from . import b",
        "class A:\n    from .b import x",
        "from importlib import import_module\nimport_module('tasks.b')",
        "__import__('tasks.b')",
        "if not TYPE_CHECKING:\n    import tasks.b",
    ],
)
def test_an_import_counts_wherever_and_however_it_is_written(
    tmp_path: Path, statement: str
) -> None:
    assert reached(tmp_path, "a", a=statement, b="import tasks.c", c="", d="") == {"a", "b", "c"}


def test_what_only_type_checkers_import_does_not_count(tmp_path: Path) -> None:
    text = (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import tasks.b\nelse:\n    "
        "import tasks.c"
    )
    assert reached(tmp_path, "a", a=text, b="", c="") == {"a", "c"}


def test_a_package_that_does_more_than_import_counts_for_all_its_modules(tmp_path: Path) -> None:
    files = {"a": "from tasks.room.one import x", "room__one": "x = 1", "b": ""}
    assert reached(tmp_path, "a", room__PKG="from tasks.room.one import x", **files) == {
        "a",
        "room.one",
    }
    assert reached(tmp_path, "a", room__PKG="import tasks.b\nLIMIT = 1", **files) == {
        "a",
        "room.one",
        "room",
        "b",
    }


def test_a_package_imported_whole_is_reached_whole(tmp_path: Path) -> None:
    files = {
        "room__PKG": "from tasks.room.one import x\nfrom tasks.room.two import y",
        "room__one": "",
        "room__two": "",
    }
    assert reached(tmp_path, "a", a="import tasks.room as room", **files) == {
        "a",
        "room",
        "room.one",
        "room.two",
    }


def test_modules_that_import_each_other_are_found_once(tmp_path: Path) -> None:
    assert reached(tmp_path, "a", a="import tasks.b", b="from tasks.a import x") == {"a", "b"}
    loop = {
        "room__PKG": "from tasks.room import x\nfrom tasks.other import x",
        "other__PKG": "from tasks.room import x",
    }
    assert "a" in reached(tmp_path, "a", a="from tasks.room import x", **loop)


def test_a_module_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModuleNotFoundError, match="tasks.gone"):
        reached(tmp_path, "a", a="import tasks.gone")


def test_a_tree_is_read_once(tmp_path: Path) -> None:
    found = tree(tmp_path, a="X = 1")
    (tmp_path / "tasks" / "a.py").write_text("X = 2")
    assert found.reached("tasks.a").modules["tasks.a"] == digest_of("X = 1")


def test_imports_of_unwritten_names_are_found(tmp_path: Path) -> None:
    text = (
        "import importlib\n"
        "NAME = 'x'\n"
        "importlib.import_module(NAME)\n"
        "importlib.import_module('json')\n"
        "__import__(NAME + 'y')"
    )
    assert tree(tmp_path, a=text).dynamic_imports() == ["tasks.a:3", "tasks.a:5"]


def test_no_module_of_the_project_imports_what_cannot_be_followed() -> None:
    """Whoever must add one lists it here, with the reason why no stage's rows depend on it."""
    assert project_code().dynamic_imports() == []


def test_every_module_of_the_project_can_be_read_and_followed() -> None:
    code = project_code()
    found = code.reached(*code.modules()).modules
    assert sorted(found) == code.modules() and len(found) > 100


def test_an_entry_is_the_module_that_defines_it() -> None:
    assert entry_modules([ingest, ingest]) == ("tasks.ingest.stage",)
    with pytest.raises(TypeError, match="is not defined in tasks/"):
        entry_modules([Path])

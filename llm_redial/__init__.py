"""Conversational-recommendation datasets from what users really did.

What a program needs of it, in one place; docs/reference/python-api.md has examples.
"""

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flows.api import build, plan
    from flows.options import BuildOptions
    from tasks.errors import UserError
    from tasks.evaluation.corpora import Corpus, read_corpus
    from tasks.exports import compare_corpora, export_release, find_source, table_1, table_3
    from tasks.release import Release, check_release, find_release, read_turns, read_users
    from tasks.settings import Home
    from tasks.statistics import corpus_statistics, folder_statistics, warehouse_statistics
    from tasks.warehouse import read_warehouse

__all__ = [
    "BuildOptions",
    "Corpus",
    "Home",
    "Release",
    "UserError",
    "build",
    "check_release",
    "compare_corpora",
    "corpus_statistics",
    "export_release",
    "find_release",
    "find_source",
    "folder_statistics",
    "plan",
    "read_corpus",
    "read_turns",
    "read_users",
    "read_warehouse",
    "table_1",
    "table_3",
    "warehouse_statistics",
]

_MODULES = {
    "BuildOptions": "flows.options",
    "Corpus": "tasks.evaluation.corpora",
    "Home": "tasks.settings",
    "Release": "tasks.release",
    "UserError": "tasks.errors",
    "build": "flows.api",
    "check_release": "tasks.release",
    "compare_corpora": "tasks.exports",
    "corpus_statistics": "tasks.statistics",
    "export_release": "tasks.exports",
    "find_release": "tasks.release",
    "find_source": "tasks.exports",
    "folder_statistics": "tasks.statistics",
    "plan": "flows.api",
    "read_corpus": "tasks.evaluation.corpora",
    "read_turns": "tasks.release",
    "read_users": "tasks.release",
    "read_warehouse": "tasks.warehouse",
    "table_1": "tasks.exports",
    "table_3": "tasks.exports",
    "warehouse_statistics": "tasks.statistics",
}

# In a checkout the code lies beside this package; in a wheel it is within it, see setup.py.
if not (Path(__file__).parent / "tasks").is_dir():
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


def __getattr__(name: str) -> Any:
    """Import what is asked for, and no more: the command line starts without it."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)

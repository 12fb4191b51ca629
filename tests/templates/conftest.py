"""The grammar as shipped, its census, and a home of one's own to break."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tasks.goals import Goals, load_goals
from tasks.settings import Home
from tasks.templates import Grammar, load_grammar
from tasks.templates.enumeration import Census


@pytest.fixture(scope="session")
def goals() -> Goals:
    return load_goals(Home())


@pytest.fixture(scope="session")
def grammar(goals: Goals) -> Grammar:
    return load_grammar(Home(), goals)


@pytest.fixture(scope="session")
def census(grammar: Grammar) -> Census:
    return Census(grammar)


@pytest.fixture
def own_home(tmp_path: Path) -> Home:
    """A project folder with the shipped goal_specs, to write into."""
    shutil.copytree(Home().project / "goal_specs", tmp_path / "goal_specs")
    return Home(project=tmp_path)

"""Reads goal_specs/goals.yaml."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tasks.errors import UserError
from tasks.goals.values import Goals
from tasks.settings import Home, read_yaml, validation_line


def goals_file(home: Home) -> Path:
    """Return the file of the goals."""
    return home.project / "goal_specs" / "goals.yaml"


def load_goals(home: Home) -> Goals:
    """Load and check the goals. Raises UserError on a missing or broken file, an unknown, missing or doubled key."""
    path = goals_file(home)
    return parse_goals(read_yaml(path), str(path))


def parse_goals(content: Any, source: str) -> Goals:
    """Check goals as read from YAML. Raises UserError, naming the source, the sub-goal and what is wrong with it."""
    if not isinstance(content, dict):
        raise UserError(f"{source} must be a YAML mapping with `primary_goals` and `sub_goals`")
    try:
        return Goals.model_validate(content)
    except ValidationError as error:
        raise UserError(f"{source}: {_named(validation_line(error), content)}") from None


def _named(line: str, content: dict[Any, Any]) -> str:
    """Put a sub-goal's id in place of its number in the list, where it has one: people look for the id."""
    listed = content.get("sub_goals")
    for number, goal in reversed(list(enumerate(listed if isinstance(listed, list) else []))):
        if isinstance(goal, dict) and isinstance(goal.get("id"), str):
            called = re.sub(r"\W", "_", goal["id"][:60])
            line = re.sub(rf"\bsub_goals\.{number}(?=[.:])", f"sub_goals.{called}", line)
    return line

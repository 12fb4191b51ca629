"""The goals of an utterance (2.4.1, App.

C): 8 primary goals, 30 sub-goals, read from goal_specs/goals.yaml.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from tasks.errors import UserError
from tasks.settings import Home, ReadYaml, read_yaml, validation_line

Speaker = Literal["user", "agent", "either"]
Collection = Literal["LIKES", "DISLIKES", "MIGHT_LIKES"]
Named = Literal["greeting", "recommended"]

_PLACE = re.compile(r"\{([^{}]*)\}")
_WORDS = frozenset({"noun", "verb"})


class _Spec(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class SubGoal(_Spec):
    """One sub-goal (Table 6), as goal_specs/goals.yaml explains it field by field.

    `name` and `instruction` may hold the places {noun} and {verb}; `Goals.worded` fills them for a
    domain.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    primary: str
    name: str = Field(min_length=1)
    description: str = Field(min_length=1)
    speaker: Speaker
    introduces: Collection | None = None
    about: tuple[Collection, ...] = ()
    refers: tuple[Named, ...] = ()
    review: Literal["user", "other"] | None = None
    instruction: str = Field(min_length=1)

    @field_validator("name", "instruction")
    @classmethod
    def _known_places(cls, text: str) -> str:
        unknown = sorted(set(_PLACE.findall(text)) - _WORDS)
        if unknown or "{" in _PLACE.sub("", text) or "}" in _PLACE.sub("", text):
            raise ValueError("only the places {noun} and {verb} may stand in it")
        return text

    @model_validator(mode="after")
    def _consistent(self) -> SubGoal:
        if self.introduces and self.about:
            raise ValueError("it cannot both introduce an item and be about one introduced before")
        return self

    def may_be_said_by(self, role: str) -> bool:
        """Tell whether a role (user, agent) may say it."""
        return self.speaker in (role, "either")

    def worded(self, noun: str, verb: str) -> SubGoal:
        """Return the sub-goal with the domain's words in its name and instruction."""
        words = {"noun": noun, "verb": verb}
        return self.model_copy(
            update={"name": _fill(self.name, words), "instruction": _fill(self.instruction, words)}
        )


class Goals(_Spec):
    """Every goal: primary goals' names by id, and the sub-goals in the file's order."""

    primary_goals: Mapping[str, str] = Field(min_length=1)
    sub_goals: tuple[SubGoal, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> Goals:
        seen: set[str] = set()
        for goal in self.sub_goals:
            if goal.id in seen:
                raise ValueError(f"sub-goal {goal.id!r} stands there twice")
            if goal.primary not in self.primary_goals:
                raise ValueError(
                    f"sub-goal {goal.id!r} names an unknown primary goal {goal.primary!r}"
                )
            seen.add(goal.id)
        idle = sorted(set(self.primary_goals) - {goal.primary for goal in self.sub_goals})
        if idle:
            raise ValueError(f"primary goal {idle[0]!r} has no sub-goal")
        return self

    @property
    def by_id(self) -> dict[str, SubGoal]:
        """Sub-goals by id, in the file's order."""
        return {goal.id: goal for goal in self.sub_goals}

    def worded(self, noun: str, verb: str) -> dict[str, SubGoal]:
        """Return the sub-goals by id in a domain's words; this is what a prompt is written from."""
        return {goal.id: goal.worded(noun, verb) for goal in self.sub_goals}


def _fill(text: str, words: Mapping[str, str]) -> str:
    """Put words in their places, once: a word that looks like a place stays as it is."""
    return _PLACE.sub(lambda found: words[found[1]], text)


def goals_file(home: Home) -> Path:
    """Return the file of the goals."""
    return home.project / "goal_specs" / "goals.yaml"


def load_goals(home: Home, read: ReadYaml = read_yaml) -> Goals:
    """Load and check the goals.

    Raises UserError on a missing or broken file, an unknown, missing or doubled key.
    """
    path = goals_file(home)
    return parse_goals(read(path), str(path))


def parse_goals(content: Any, source: str) -> Goals:
    """Check goals as read from YAML.

    Raises UserError, naming the source, the sub-goal and what is wrong with it.
    """
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

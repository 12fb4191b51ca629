"""The goals of an utterance (2.4.1, Appendix C): 8 primary goals and 30 sub-goals.

They are read from goal_specs/goals.yaml.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    field_validator,
    model_validator,
)

from tasks.errors import UserError
from tasks.languages import WORDINGS, Wording, load_wording
from tasks.settings import Home, ReadYaml, read_yaml, validation_line

Speaker = Literal["user", "agent", "either"]
Collection = Literal["LIKES", "DISLIKES", "MIGHT_LIKES"]
Named = Literal["greeting", "recommended"]

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_WORDS = frozenset({"noun", "verb"})


class _Spec(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class SubGoal(_Spec):
    """One sub-goal (Table 6); goal_specs/goals.yaml explains its fields.

    `name` and `instruction` may have the placeholders {noun} and {verb}; `Goals.worded` fills them
    with a domain's words.
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
    def _known_placeholders(cls, text: str) -> str:
        unknown = sorted(set(_PLACEHOLDER.findall(text)) - _WORDS)
        rest = _PLACEHOLDER.sub("", text)
        if unknown or "{" in rest or "}" in rest:
            raise ValueError("the only placeholders are {noun} and {verb}")
        return text

    @model_validator(mode="after")
    def _consistent(self) -> SubGoal:
        if self.introduces and self.about:
            raise ValueError("it cannot both introduce an item and be about one introduced before")
        return self

    def may_be_said_by(self, role: str) -> bool:
        """Return True if a role (user, agent) may say it."""
        return self.speaker in (role, "either")

    def worded(self, words: Mapping[str, str]) -> SubGoal:
        """Return the sub-goal with the domain's words in its name and instruction."""
        return self.model_copy(
            update={"name": _fill(self.name, words), "instruction": _fill(self.instruction, words)}
        )


class Goals(_Spec):
    """Every goal: primary goals' names by id, and the sub-goals in the file's order."""

    _wording: Wording = PrivateAttr(default_factory=Wording)
    primary_goals: Mapping[str, str] = Field(min_length=1)
    sub_goals: tuple[SubGoal, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> Goals:
        seen: set[str] = set()
        for goal in self.sub_goals:
            if goal.id in seen:
                raise ValueError(f"sub-goal {goal.id!r} is listed twice")
            if goal.primary not in self.primary_goals:
                raise ValueError(
                    f"sub-goal {goal.id!r} names an unknown primary goal {goal.primary!r}"
                )
            seen.add(goal.id)
        unused = sorted(set(self.primary_goals) - {goal.primary for goal in self.sub_goals})
        if unused:
            raise ValueError(f"primary goal {unused[0]!r} has no sub-goal")
        return self

    @property
    def by_id(self) -> dict[str, SubGoal]:
        """Sub-goals by id, in the file's order."""
        return {goal.id: goal for goal in self.sub_goals}

    def worded(self, noun: str, verb: str) -> dict[str, SubGoal]:
        """Return the sub-goals by id in a domain's words, as prompts use them."""
        words = {"noun": noun, "verb": verb}
        for kind, word in tuple(words.items()):
            forms = self._wording.bent(kind, word)
            words |= {f"{kind}:{form}": bent for form, bent in forms.items()}
        return {goal.id: goal.worded(words) for goal in self.sub_goals}

    def told_in(self, wording: Wording, source: str) -> Goals:
        """Return the goals with a language's instructions in place of the English ones.

        Raises:
            UserError: an unknown sub-goal, or a form of noun or verb that is not listed.
        """
        known = {"noun", "verb"}
        known |= {f"{kind}:{form}" for kind in ("noun", "verb") for form in wording.bent(kind, "")}
        for goal, text in wording.goals.items():
            rest, named = _PLACEHOLDER.sub("", text), set(_PLACEHOLDER.findall(text))
            if goal not in self.by_id:
                raise UserError(f"{source}: goals.{goal[:80]} is no sub-goal of goals.yaml")
            if not text.strip() or "{" in rest or "}" in rest or not named <= known:
                places = ", ".join(f"{{{place}}}" for place in sorted(known))
                raise UserError(f"{source}: goals.{goal} may have the placeholders {places}")
        told = tuple(
            goal.model_copy(update={"instruction": wording.goals.get(goal.id, goal.instruction)})
            for goal in self.sub_goals
        )
        goals = self.model_copy(update={"sub_goals": told})
        goals._wording = wording
        return goals


def _fill(text: str, words: Mapping[str, str]) -> str:
    """Fill placeholders once: a word that looks like a placeholder is not filled."""
    return _PLACEHOLDER.sub(lambda match: words[match[1]], text)


def goals_file(home: Home) -> Path:
    """Return the file of the goals."""
    return home.file("goal_specs/goals.yaml")


def load_goals(home: Home, language: str = "en", read: ReadYaml = read_yaml) -> Goals:
    """Load and check the goals, with their instructions in a language where it has a wording.

    Raises UserError on a missing or broken file, an unknown, missing or repeated key.
    """
    path = goals_file(home)
    wording = load_wording(home, language, read)
    return parse_goals(read(path), str(path)).told_in(wording, f"{WORDINGS}/{language}.yaml")


def parse_goals(content: Any, source: str) -> Goals:
    """Check goals as read from YAML.

    Raises UserError with the source, the sub-goal and what is wrong with it.
    """
    if not isinstance(content, dict):
        raise UserError(f"{source} must be a YAML mapping with `primary_goals` and `sub_goals`")
    try:
        return Goals.model_validate(content)
    except ValidationError as error:
        raise UserError(f"{source}: {_with_ids(validation_line(error), content)}") from None


def _with_ids(line: str, content: dict[Any, Any]) -> str:
    """Replace a sub-goal's number in the list by its id, if it has one: people look for the id."""
    sub_goals = content.get("sub_goals")
    if not isinstance(sub_goals, list):
        return line
    # From the last on, so that an id that is a number is not replaced again.
    for number, goal in reversed(list(enumerate(sub_goals))):
        if isinstance(goal, dict) and isinstance(goal.get("id"), str):
            goal_id = re.sub(r"\W", "_", goal["id"][:60])
            line = re.sub(rf"\bsub_goals\.{number}(?=[.:])", f"sub_goals.{goal_id}", line)
    return line

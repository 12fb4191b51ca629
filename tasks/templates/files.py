"""Template sets: YAML files in goal_specs/templates, read, checked and written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from tasks.errors import UserError
from tasks.files import write_atomically
from tasks.goals import load_goals
from tasks.settings import Home, ReadYaml, read_yaml, validation_line
from tasks.templates.assembly import Line, build_template
from tasks.templates.grammar import Grammar, load_grammar
from tasks.templates.legality import legal
from tasks.templates.values import Role, Template

TEMPLATES = "goal_specs/templates"
SET_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str | None = None
    turns: tuple[dict[Role, tuple[str, ...]], ...] = Field(min_length=1)

    @field_validator("turns")
    @classmethod
    def _one_speaker(
        cls, turns: tuple[dict[Role, tuple[str, ...]], ...]
    ) -> tuple[dict[Role, tuple[str, ...]], ...]:
        if any(len(turn) != 1 for turn in turns):
            raise ValueError(
                "each turn has one speaker, `user:` or `agent:`, with a list of sub-goals"
            )
        return turns

    def lines(self) -> list[Line]:
        """Return the speaker and the sub-goals of each turn."""
        return list(chain.from_iterable(turn.items() for turn in self.turns))


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    covers_every_goal: bool = False
    templates: tuple[_Entry, ...] = Field(min_length=1)


@dataclass(frozen=True)
class TemplateSet:
    """Templates under one name, all of them legal and different.

    `covers_every_goal`: the file says that each sub-goal of goals.yaml is used, and was checked.
    """

    name: str
    templates: tuple[Template, ...]
    covers_every_goal: bool = False


def template_set_names(home: Home) -> list[str]:
    """Return the names of all template sets."""
    return sorted(home.files(TEMPLATES))


def template_file(home: Home, name: str) -> Path:
    """Return the file of a template set.

    Raises UserError on an unknown name or one with other characters than `SET_NAME` has.
    """
    if not SET_NAME.fullmatch(name):
        raise UserError(
            f"{name[:80]!r} is not the name of a template set: "
            "use small letters, digits, dashes and underscores"
        )
    path = home.file(f"{TEMPLATES}/{name}.yaml")
    if not path.is_file():
        known = ", ".join(template_set_names(home)) or "none"
        raise UserError(f"unknown template set {name!r}: there is no {path}; known: {known}")
    return path


def load_templates(home: Home, name: str = "curated", read: ReadYaml = read_yaml) -> TemplateSet:
    """Load a template set and check all of it against goals and grammar.

    Raises:
        UserError: unknown set, broken file, unknown sub-goal, illegal or repeated template, or a
            sub-goal is missing though `covers_every_goal` is set; the message names the file, the
            template and the reason.
    """
    path = template_file(home, name)
    grammar = load_grammar(home, load_goals(home, read=read), read)
    content = read(path)
    try:
        file = _File.model_validate(content)
    except ValidationError as error:
        raise UserError(f"{path}: {validation_line(error)}") from None
    templates = tuple(
        _checked(grammar, entry, f"{path}: template {entry.id or number}")
        for number, entry in enumerate(file.templates, 1)
    )
    _refuse_repeated(templates, path)
    missing = unused_goals(grammar, templates)
    if file.covers_every_goal and missing:
        raise UserError(
            f"{path}: no template uses {', '.join(missing)}, but `covers_every_goal` is set"
        )
    return TemplateSet(name, templates, file.covers_every_goal)


def unused_goals(grammar: Grammar, templates: Iterable[Template]) -> tuple[str, ...]:
    """Return the sub-goals that no template uses, in the goals' order."""
    turns = chain.from_iterable(template.turns for template in templates)
    used = set(chain.from_iterable(turn.goals for turn in turns))
    return tuple(goal for goal in grammar.goals if goal not in used)


def save_templates(
    path: Path, templates: Sequence[Template], comment: str, *, covers_every_goal: bool = False
) -> None:
    """Write a template set as YAML, whole or not at all.

    Raises UserError if the folder cannot be written.
    """
    lines = [f"# {line}".rstrip() for line in comment.splitlines()]
    lines.append("")
    if covers_every_goal:
        lines += ["covers_every_goal: true", ""]
    lines.append("templates:")
    for template in templates:
        lines += [f"  - id: {template.template_id}", "    turns:"]
        lines += [f"      - {turn.role}: [{', '.join(turn.goals)}]" for turn in template.turns]
    try:
        write_atomically(path, "\n".join(lines) + "\n")
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}") from None


def _checked(grammar: Grammar, entry: _Entry, source: str) -> Template:
    goal_ids = chain.from_iterable(goal_ids for _, goal_ids in entry.lines())
    unknown = next((goal for goal in goal_ids if goal not in grammar.goals), None)
    if unknown is not None:
        raise UserError(
            f"{source}: unknown sub-goal {unknown[:60]!r}; those known are in goal_specs/goals.yaml"
        )
    template = build_template(grammar.goals, entry.lines())
    reasons = legal(grammar, template)
    if entry.id is not None and entry.id != template.template_id:
        reasons.append(f"its id should be {template.template_id}; correct it or leave it out")
    if reasons:
        raise UserError(f"{source} is illegal: {'; '.join(reasons)}")
    return template


def _refuse_repeated(templates: Sequence[Template], path: Path) -> None:
    seen: dict[str, int] = {}
    for number, template in enumerate(templates, start=1):
        first = seen.setdefault(template.template_id, number)
        if first != number:
            raise UserError(
                f"{path}: template {number} ({template.template_id}) "
                f"is the same as template {first}"
            )

"""Template sets: YAML files in goal_specs/templates, read into checked templates and written back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
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
        return [line for turn in self.turns for line in turn.items()]


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    covers_every_goal: bool = False
    templates: tuple[_Entry, ...] = Field(min_length=1)


@dataclass(frozen=True)
class TemplateSet:
    """Templates under one name, each of them legal and no two the same.

    `covers_every_goal` is the file's own promise that each sub-goal of goals.yaml is used; it was
    held against the templates.
    """

    name: str
    templates: tuple[Template, ...]
    covers_every_goal: bool = False


def template_set_names(home: Home) -> list[str]:
    """Return the names of the template sets there are."""
    return sorted(path.stem for path in _folder(home).glob("*.yaml"))


def template_file(home: Home, name: str) -> Path:
    """Return the file of a template set.

    Raises UserError on a name that is no plain name or is not there.
    """
    if not SET_NAME.fullmatch(name):
        raise UserError(
            f"{name[:80]!r} is not the name of a template set: use small letters, digits, dashes and underscores"
        )
    path = _folder(home) / f"{name}.yaml"
    if not path.is_file():
        raise UserError(
            f"unknown template set {name!r}: there is no {path}; known: {', '.join(template_set_names(home)) or 'none'}"
        )
    return path


def load_templates(home: Home, name: str = "curated", read: ReadYaml = read_yaml) -> TemplateSet:
    """Load a template set and check all of it against goals and grammar.

    Raises:
        UserError: unknown set, broken file, unknown sub-goal, illegal or doubled template, a
            sub-goal left out that the file promises;
            the message names the file, the template and the reason.
    """
    path = template_file(home, name)
    grammar = load_grammar(home, load_goals(home, read), read)
    content = read(path)
    try:
        file = _File.model_validate(content)
    except ValidationError as error:
        raise UserError(f"{path}: {validation_line(error)}") from None
    templates = tuple(
        _checked(grammar, entry, f"{path}: template {entry.id or number}")
        for number, entry in enumerate(file.templates, 1)
    )
    _refuse_doubles(templates, path)
    missing = unused_goals(grammar, templates)
    if file.covers_every_goal and missing:
        raise UserError(
            f"{path}: no template uses {', '.join(missing)}, but `covers_every_goal` is set"
        )
    return TemplateSet(name, templates, file.covers_every_goal)


def unused_goals(grammar: Grammar, templates: Iterable[Template]) -> tuple[str, ...]:
    """Return the sub-goals that no template uses, in the goals' order."""
    used = {goal for template in templates for turn in template.turns for goal in turn.goals}
    return tuple(goal for goal in grammar.goals if goal not in used)


def save_templates(
    path: Path, templates: Sequence[Template], comment: str, *, covers_every_goal: bool = False
) -> None:
    """Write a template set as YAML, whole or not at all.

    Raises UserError when the folder cannot be written.
    """
    lines = [f"# {line}".rstrip() for line in comment.splitlines()]
    lines += ["", *(["covers_every_goal: true", ""] if covers_every_goal else []), "templates:"]
    for template in templates:
        lines += [f"  - id: {template.template_id}", "    turns:"]
        lines += [f"      - {turn.role}: [{', '.join(turn.goals)}]" for turn in template.turns]
    try:
        write_atomically(path, "\n".join(lines) + "\n")
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}") from None


def _folder(home: Home) -> Path:
    return home.project / "goal_specs" / "templates"


def _checked(grammar: Grammar, entry: _Entry, source: str) -> Template:
    unknown = [goal for _, said in entry.lines() for goal in said if goal not in grammar.goals]
    if unknown:
        raise UserError(
            f"{source}: unknown sub-goal {unknown[0][:60]!r}; those known are in goal_specs/goals.yaml"
        )
    template = build_template(grammar.goals, entry.lines())
    reasons = legal(grammar, template)
    if entry.id is not None and entry.id != template.template_id:
        reasons.append(f"its id should be {template.template_id}; correct it or leave it out")
    if reasons:
        raise UserError(f"{source} is illegal: {'; '.join(reasons)}")
    return template


def _refuse_doubles(templates: Sequence[Template], path: Path) -> None:
    seen: dict[str, int] = {}
    for number, template in enumerate(templates, start=1):
        if template.template_id in seen:
            raise UserError(
                f"{path}: template {number} ({template.template_id}) is the same as template {seen[template.template_id]}"
            )
        seen[template.template_id] = number

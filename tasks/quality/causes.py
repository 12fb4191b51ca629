"""Root causes: which findings about a dialogue follow from another one.

What may follow from what is listed in expectations/causes.yaml.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tasks.errors import UserError
from tasks.quality.suites import EXPECTATIONS, rule_names
from tasks.settings import Home, ReadYaml, read_yaml, validation_line

CAUSES_FILE = "causes.yaml"
RuleName = str


class Cause(BaseModel):
    """One entry: in which turns a broken rule explains which other findings, and why."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    cause: RuleName
    turns: Literal["all", "same", "after"]
    explains: tuple[RuleName, ...] = Field(min_length=1)
    why: str = Field(min_length=1)
    shifted_by: RuleName | None = None


class CausesFile(BaseModel):
    """The file as written."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    causes: tuple[Cause, ...]


@dataclass(frozen=True)
class Finding:
    """One broken rule in one turn; turn 0 means the whole dialogue."""

    rule: RuleName
    severity: str
    turn: int


def load_causes(home: Home, read: ReadYaml = read_yaml) -> tuple[Cause, ...]:
    """Load expectations/causes.yaml.

    Raises:
        UserError: broken YAML, an unknown key, a rule that no suite has, an `after` without
            `shifted_by`, or entries by which a rule would explain itself.
    """
    path = home.file(f"{EXPECTATIONS}/{CAUSES_FILE}")
    content: Any = read(path)
    if not isinstance(content, Mapping):
        raise UserError(f"{path} must be a YAML mapping with `causes`")
    try:
        causes = CausesFile.model_validate(content).causes
    except ValidationError as error:
        raise UserError(f"{path}: {validation_line(error)}") from None
    known = rule_names(home, read)
    for entry in causes:
        named = [entry.cause, *entry.explains]
        if entry.shifted_by is not None:
            named.append(entry.shifted_by)
        unknown = [name for name in named if name not in known]
        if unknown:
            raise UserError(f"{path} names {unknown[0]!r}, which is no rule of any suite")
        if (entry.turns == "after") != (entry.shifted_by is not None):
            raise UserError(f"{path}, cause {entry.cause!r}: `shifted_by` goes with `turns: after`")
    circular = _circular(causes)
    if circular:
        raise UserError(f"{path}: {circular!r} would explain itself")
    return causes


def _circular(causes: Sequence[Cause]) -> RuleName | None:
    """Return a rule that explains itself over any number of entries, if there is one."""
    explained: dict[RuleName, set[RuleName]] = {}
    for entry in causes:
        explained.setdefault(entry.cause, set()).update(entry.explains)
    for start in explained:
        reached: set[RuleName] = set()
        unvisited = [start]
        while unvisited:
            new = explained.get(unvisited.pop(), set()) - reached
            reached |= new
            unvisited += new
        if start in reached:
            return start
    return None


def root_causes(
    findings: Sequence[Finding], causes: Sequence[Cause], utterances: int, length_difference: int
) -> list[RuleName | None]:
    """Return the rule that each finding about one dialogue follows from; None for a root cause.

    If a finding follows from a second and that from a third, the first gets the third's rule. So
    every rule that is returned has a finding that is a root cause.

    Args:
        findings: all findings about the dialogue, in any order.
        causes: as `load_causes` returns them.
        utterances: turns that were read.
        length_difference: turns read minus turns of the template.
    """
    entries = [
        (entry, _first_turn_explained(entry, findings, utterances, length_difference))
        for entry in causes
    ]
    direct = {finding: _direct_cause(finding, findings, entries) for finding in findings}
    return [_root(finding, direct) for finding in findings]


def _root(finding: Finding, direct: Mapping[Finding, Finding | None]) -> RuleName | None:
    cause = direct[finding]
    if cause is None:
        return None
    return _root(cause, direct) or cause.rule


def _direct_cause(
    finding: Finding, findings: Sequence[Finding], entries: Sequence[tuple[Cause, int]]
) -> Finding | None:
    """Return the finding that explains another one by the first entry that applies, or None.

    Args:
        finding: the finding to explain.
        findings: all findings about the dialogue.
        entries: each entry with the first turn it may explain.
    """
    for entry, first_turn in entries:
        if finding.rule not in entry.explains or finding.turn < first_turn:
            continue
        for other in findings:
            if other.rule == entry.cause and _may_explain(other, finding, entry):
                return other
    return None


def _may_explain(other: Finding, finding: Finding, entry: Cause) -> bool:
    # A warning cannot be the reason of a rejection.
    if finding.severity == "reject" and other.severity != "reject":
        return False
    return entry.turns != "same" or other.turn == finding.turn


def _first_turn_explained(
    entry: Cause, findings: Sequence[Finding], utterances: int, length_difference: int
) -> int:
    """Return the first turn an entry may explain; 0 if it may explain every turn.

    A missing or added turn moves those after it. If no finding shows where that is, an even
    difference in length may move every turn, and an odd one only those from the last turn on.
    """
    if entry.turns != "after":
        return 0
    shifted = [finding.turn for finding in findings if finding.rule == entry.shifted_by]
    if shifted:
        return min(shifted)
    return 1 if length_difference % 2 == 0 else utterances

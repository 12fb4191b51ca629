"""Root causes: which findings about a dialogue follow from another one (expectations/causes.yaml)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tasks.errors import UserError
from tasks.quality.suites import expectations_folder, rule_names
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
    """One broken rule in one turn; turn 0 stands for the dialogue as a whole."""

    rule: RuleName
    severity: str
    turn: int


def load_causes(home: Home, read: ReadYaml = read_yaml) -> tuple[Cause, ...]:
    """Load expectations/causes.yaml.

    Raises:
        UserError: broken YAML, an unknown key, a rule that no suite has, an `after` without
            `shifted_by`, or entries by which a rule would explain itself.
    """
    path = expectations_folder(home) / CAUSES_FILE
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
        open_rules = [start]
        while open_rules:
            new = explained.get(open_rules.pop(), set()) - reached
            reached |= new
            open_rules += new
        if start in reached:
            return start
    return None


def root_causes(
    findings: Sequence[Finding], causes: Sequence[Cause], utterances: int, length_difference: int
) -> list[RuleName | None]:
    """Return for each finding about one dialogue the rule it follows from, or None for a root cause.

    A finding that follows from one that follows from a third is given the third, so that every
    rule that is returned has a finding that is a root cause.

    Args:
        findings: all findings about the dialogue, in any order.
        causes: as `load_causes` returns them.
        utterances: turns that were read.
        length_difference: turns read minus turns of the template.
    """
    rejecting = {finding for finding in findings if finding.severity == "reject"}
    direct = {
        finding: _direct_cause(finding, findings, rejecting, causes, utterances, length_difference)
        for finding in findings
    }
    return [_root(finding, direct) for finding in findings]


def _root(finding: Finding, direct: Mapping[Finding, Finding | None]) -> RuleName | None:
    cause = direct[finding]
    if cause is None:
        return None
    return _root(cause, direct) or cause.rule


def _direct_cause(
    finding: Finding,
    findings: Sequence[Finding],
    rejecting: Collection[Finding],
    causes: Sequence[Cause],
    utterances: int,
    length_difference: int,
) -> Finding | None:
    for entry in causes:
        if finding.rule not in entry.explains:
            continue
        for other in findings:
            if other.rule != entry.cause:
                continue
            if finding in rejecting and other not in rejecting:
                continue
            if entry.turns == "same" and other.turn != finding.turn:
                continue
            if entry.turns == "after":
                first = _first_shifted(entry, findings, utterances, length_difference)
                if finding.turn < first:
                    continue
            return other
    return None


def _first_shifted(
    entry: Cause, findings: Sequence[Finding], utterances: int, length_difference: int
) -> int:
    """Return the first turn that a missing or added turn may have moved."""
    shifted = [finding.turn for finding in findings if finding.rule == entry.shifted_by]
    if shifted:
        return min(shifted)
    return 1 if length_difference % 2 == 0 else utterances

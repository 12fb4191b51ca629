"""What the quality room speaks of: rules, suites, and what judging counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

FactTable = Literal["dialogue_facts", "utterance_facts"]


class Rule(BaseModel):
    """One rule of a suite.

    `says` is the sentence that people read, `source` the paper's section or why we ask for it.
    `evidence` names what is shown of a dialogue that broke it (a fact of utterance_facts, or one of
    the pieces about the whole dialogue); without it the fact's value is shown.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    rule: str = Field(pattern=r"^[a-z][a-z0-9-]{0,63}$")
    severity: Literal["reject", "warn", "off"]
    says: str = Field(min_length=1)
    source: str = Field(min_length=1)
    table: FactTable
    expect: str = Field(pattern=r"^expect_[a-z_]+$")
    kwargs: Mapping[str, Any]
    evidence: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The fact columns the rule reads."""
        single = ("column", "column_A", "column_B")
        named = [self.kwargs[key] for key in single if key in self.kwargs]
        return tuple(map(str, (*named, *self.kwargs.get("column_list", ()))))

    @property
    def heeds_judge(self) -> bool:
        """True if the rule reads what a judge finds."""
        return any(name.startswith("judge") for name in self.columns)


class SuiteFile(BaseModel):
    """A suite file as written."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    suite: str = Field(pattern=r"^[a-z][a-z0-9_-]*$")
    about: str
    rules: tuple[Rule, ...] = Field(min_length=1)


@dataclass(frozen=True)
class Unjudged:
    """A rule that does not judge in a language, or judges in part.

    Attributes:
        rule: its name.
        says: the sentence that people read.
        why: what the language's pack lacks.
        is_off: True if it judges nothing at all.
    """

    rule: str
    says: str
    why: str
    is_off: bool


@dataclass(frozen=True)
class Suite:
    """A checked suite, with this domain's severities and without rules that are switched off.

    `unjudged` names the rules that do not judge in the domain's language, or in part.
    """

    name: str
    about: str
    rules: tuple[Rule, ...]
    unjudged: tuple[Unjudged, ...] = ()


@dataclass(frozen=True)
class JudgeCounts:
    """What one gate counted.

    Dialogues judged, those rejected, and rows of `rejections` written (warnings included).
    """

    judged: int
    rejected: int
    rejections: int


@dataclass(frozen=True)
class PublishedCounts:
    """What the last gate counted: the dialogues published and the rules that all of them passed."""

    dialogues: int
    rules: int


@dataclass(frozen=True)
class VerdictCounts:
    """How the briefs ended; the four add up to `briefs`."""

    briefs: int
    accepted: int
    rejected: int
    failed: int
    unasked: int

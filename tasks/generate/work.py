"""What a generation is given, reports and returns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from tasks.briefs import Brief
from tasks.generate.rollouts import Rollout
from tasks.llm import Adaptation, RunStopped, Usage


@dataclass(frozen=True)
class Work:
    """What is to be written, and how.

    Attributes:
        ids: the briefs' dialogue ids, in order.
        fetch: returns the briefs of some ids; called for one chunk at a time, so that they are
            never all in memory.
        rollout: picklable; its `attempt` is the attempt written.
        profile: the prompt profile's name, for the record.
        domain: the domain's name, which its dialogues' ids hold; empty where they are not made by
            `plan_briefs`.
        table: where what the rollout makes is stored.
    """

    ids: Sequence[str]
    fetch: Callable[[Sequence[str]], Sequence[Brief]]
    rollout: Rollout
    profile: str
    domain: str = ""
    table: Literal["transcripts", "judge_answers"] = "transcripts"


@dataclass(frozen=True)
class Progress:
    """How far a generation is.

    Attributes:
        done: of `total` briefs have ended.
        usage: of this run so far.
        paused_s: seconds for which nothing is sent, because the provider asked for a pause.
    """

    done: int
    total: int
    in_flight: int
    usage: Usage
    paused_s: float = 0.0


@dataclass(frozen=True)
class GenerateCounts:
    """How a generation ended: briefs = answered + failed + unasked.

    Attributes:
        recovered: answers from journals that an earlier run left behind.
        quarantined: journal lines that hold no answer; they are kept beside the journals.
        torn: ends of journals that a killed process had begun to write; their calls are asked
            again.
        stopped: why the run ended before all briefs were asked; None when it did not.
        adaptations: what the provider refuses, so that it was asked without.
    """

    briefs: int
    answered: int
    failed: int
    unasked: int
    recovered: int
    quarantined: int = 0
    torn: int = 0
    usage: Usage = field(default_factory=Usage)
    seconds: float = 0.0
    stopped: RunStopped | None = None
    adaptations: tuple[Adaptation, ...] = ()

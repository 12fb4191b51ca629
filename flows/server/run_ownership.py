"""Who answers for a run that is Pending, Running or Cancelling, and what to do if nobody does.

Pure decisions: what is known of a run comes in, what to do comes out. `orphaned_runs` gathers the
one and does the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

# State types of runs that some process should answer for.
ACTIVE = (
    "PENDING",
    "RUNNING",
    "CANCELLING",
)
# as long as a run on another machine must have been unheard of; heartbeats come every 30 s
UNHEARD_S = 120.0
WORKER_LABEL = "redial.worker"  # a run's label with the identity of the worker process that took it


class Action(Enum):
    """What is to be done about a run."""

    KEEP = "keep"
    CRASH = "crash"
    CANCEL = "cancel"
    KILL_AND_CANCEL = "kill and cancel"


@dataclass(frozen=True)
class RunFacts:
    """What is known of an active run.

    Attributes:
        state: type of its state at the server.
        here: True if the worker that took it was one of this machine.
        worker_alive: here, that very process runs; elsewhere, a worker of its name sends
            heartbeats.
        process_alive: here, the run's process runs; elsewhere, it sent a heartbeat lately.
        unheard_s: elsewhere, how long we have been looking without a sign of worker or run. A
            server that was away has
            heard of nobody, so what happened before we looked does not count.
    """

    state: str
    here: bool
    worker_alive: bool
    process_alive: bool
    unheard_s: float = 0.0


def decide(facts: RunFacts) -> Action:
    """Return what to do about a run.

    A worker that lives answers for its runs itself. A run whose worker is gone goes on, unless
    it is to be cancelled: then nothing else would end it. What has neither worker nor process
    is lost.
    """
    if facts.state not in ACTIVE or facts.worker_alive:
        return Action.KEEP
    cancelling = facts.state == "CANCELLING"
    if facts.process_alive:
        return Action.KILL_AND_CANCEL if cancelling and facts.here else Action.KEEP
    if not facts.here and facts.unheard_s < UNHEARD_S:
        return Action.KEEP
    return Action.CANCEL if cancelling else Action.CRASH

"""Repair: rejected dialogues get a second, targeted request.

Rounds of requests go on until enough dialogues are accepted.
"""

from tasks.repair.briefs import BriefToRepair, load_repairs
from tasks.repair.explanation import Attempt, Broken, Why, why
from tasks.repair.retry import Retry, briefs_to_retry, forget_answers
from tasks.repair.rollout import RepairRollout, merge_turns
from tasks.repair.rounds import (
    accepted_of,
    escalates,
    forget_attempts,
    forget_beyond,
    has_attempt,
    next_briefs,
    rejected_before,
    unanswered,
)
from tasks.repair.shared_rule import common_fault, recent_fault

__all__ = [
    "Attempt",
    "BriefToRepair",
    "Broken",
    "RepairRollout",
    "Retry",
    "Why",
    "accepted_of",
    "briefs_to_retry",
    "common_fault",
    "escalates",
    "forget_answers",
    "forget_attempts",
    "forget_beyond",
    "has_attempt",
    "load_repairs",
    "merge_turns",
    "next_briefs",
    "recent_fault",
    "rejected_before",
    "unanswered",
    "why",
]

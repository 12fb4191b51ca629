"""The quality gate (2.5.2).

Facts are computed, suites judge them, and every rejection names its rule and shows its evidence.
"""

from tasks.quality.gate import judge, load_rules
from tasks.quality.gate_records import (
    PUBLISHED,
    GateRecord,
    SuiteRecord,
    has_passed_published_gate,
    read_gates,
    store_gate,
)
from tasks.quality.great_expectations import GateError, check_suites
from tasks.quality.published import PublishedRefused, validate_published
from tasks.quality.suites import load_suites
from tasks.quality.values import JudgeCounts, PublishedCounts, Rule, Suite, VerdictCounts
from tasks.quality.verdicts import set_verdicts

__all__ = [
    "PUBLISHED",
    "GateError",
    "GateRecord",
    "JudgeCounts",
    "PublishedCounts",
    "PublishedRefused",
    "Rule",
    "Suite",
    "SuiteRecord",
    "VerdictCounts",
    "check_suites",
    "has_passed_published_gate",
    "judge",
    "load_rules",
    "load_suites",
    "read_gates",
    "set_verdicts",
    "store_gate",
    "validate_published",
]

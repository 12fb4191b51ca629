"""The quality gate (2.5.2): facts are computed, suites judge them, every rejection names its rule and shows its evidence."""

from tasks.quality.gate import judge, load_rules
from tasks.quality.great_expectations import GateError, check_suites
from tasks.quality.published import has_published_page, validate_published
from tasks.quality.suites import load_suites
from tasks.quality.values import JudgeCounts, PublishedCounts, Rule, Suite, VerdictCounts
from tasks.quality.verdicts import set_verdicts

__all__ = [
    "GateError",
    "JudgeCounts",
    "PublishedCounts",
    "Rule",
    "Suite",
    "VerdictCounts",
    "check_suites",
    "has_published_page",
    "judge",
    "load_rules",
    "load_suites",
    "set_verdicts",
    "validate_published",
]

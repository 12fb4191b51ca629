"""The quality gate (2.5.2).

Facts are computed, suites judge them, and every rejection names its rule and shows its evidence.
"""

from tasks.quality.causes import Cause, load_causes
from tasks.quality.fitting import fit_suites
from tasks.quality.gate import Rules, check_language, compare_by_sense, judge
from tasks.quality.gate_records import (
    PUBLISHED,
    GateRecord,
    SuiteRecord,
    has_passed_published_gate,
    read_gates,
    store_gate,
)
from tasks.quality.great_expectations import GateError, check_suites
from tasks.quality.judged import Judged, count_judged
from tasks.quality.languages_found import spoken_languages
from tasks.quality.lexicon import Lexicon, load_lexicon
from tasks.quality.published import PublishedRefused, copy_accepted, validate_published
from tasks.quality.suites import check_alert_rules, check_judge, load_suites, rule_sentences
from tasks.quality.values import JudgeCounts, PublishedCounts, Rule, Suite, VerdictCounts
from tasks.quality.verdicts import set_verdicts

__all__ = [
    "PUBLISHED",
    "Cause",
    "GateError",
    "GateRecord",
    "JudgeCounts",
    "Judged",
    "Lexicon",
    "PublishedCounts",
    "PublishedRefused",
    "Rule",
    "Rules",
    "Suite",
    "SuiteRecord",
    "VerdictCounts",
    "check_alert_rules",
    "check_judge",
    "check_language",
    "check_suites",
    "compare_by_sense",
    "copy_accepted",
    "count_judged",
    "fit_suites",
    "has_passed_published_gate",
    "judge",
    "load_causes",
    "load_lexicon",
    "load_suites",
    "read_gates",
    "rule_sentences",
    "set_verdicts",
    "spoken_languages",
    "store_gate",
    "validate_published",
]

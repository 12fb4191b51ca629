"""Room: calibration. How well rules and judges see defects, and what is left in a release.

Accepted dialogues go in, some of them spoilt by generators (planted.py); what rules and judges say
of them comes out as readings (figures.py), with how far judges agree (judges_compared.py) and an
estimate of what is left, and is kept in the tables `calibrations` and `judge_agreements`.
"""

from tasks.calibration.figures import (
    ALL_RULES,
    GRADED,
    RELEASED,
    Reading,
    left_by_judges,
    left_in_release,
    left_text,
    not_calibrated,
)
from tasks.calibration.judged_sample import (
    JudgedSample,
    as_judged,
    draw_sample,
    judge_readings,
)
from tasks.calibration.judges_compared import Agreement, agreements
from tasks.calibration.people import by_people, rejected_by_rules, settled
from tasks.calibration.records import (
    calibrated_at,
    read_agreements,
    read_calibration,
    store_calibration,
)
from tasks.calibration.rules_on_planted import rule_readings

__all__ = [
    "ALL_RULES",
    "GRADED",
    "RELEASED",
    "Agreement",
    "JudgedSample",
    "Reading",
    "agreements",
    "as_judged",
    "by_people",
    "calibrated_at",
    "draw_sample",
    "judge_readings",
    "left_by_judges",
    "left_in_release",
    "left_text",
    "not_calibrated",
    "read_agreements",
    "read_calibration",
    "rejected_by_rules",
    "rule_readings",
    "settled",
    "store_calibration",
]

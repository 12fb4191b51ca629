"""Room: calibration. How well rules and judges see defects, and what is left in a release.

Accepted dialogues go in, some of them spoilt by generators (planted.py); what rules and judges say
of them comes out as readings (figures.py), with an estimate of what is left, and is kept in the
table `calibrations`.
"""

from tasks.calibration.figures import (
    Reading,
    left_in_release,
    left_text,
    not_calibrated,
)
from tasks.calibration.judged_sample import JudgedSample, draw_sample, judge_readings
from tasks.calibration.records import read_calibration, store_calibration
from tasks.calibration.rules_on_planted import rule_readings

__all__ = [
    "JudgedSample",
    "Reading",
    "draw_sample",
    "judge_readings",
    "left_in_release",
    "left_text",
    "not_calibrated",
    "read_calibration",
    "rule_readings",
    "store_calibration",
]

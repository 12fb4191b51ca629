"""Reads a judge's grades: JSON first, then a table, else prose; an unclear answer has none."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from tasks.evaluation.quality.values import HIGHEST, LOWEST, METRICS, Metric
from tasks.model_output import json_objects, markdown_rows, read_or_else, reply_text

_STEMS: dict[str, Metric] = {
    "fluen": "fluency",
    "inform": "informativeness",
    "logic": "logic",
    "coheren": "coherence",
}
_WORDS = {"poor": 0.0, "normal": 1.0, "good": 2.0}  # as the rubric calls its grades (App. D.1)
_METRIC = re.compile(rf"(?:(?:score|grade|rating)[\s_-]*)?({'|'.join(_STEMS)})", re.IGNORECASE)
# Fields that hold reasons, not grades.
_REASON = re.compile(
    r"reason|expla|justif|comment|why|rationale|feedback|analysis|evidence|note", re.IGNORECASE
)
_WHOLE = re.compile(
    rf"(?P<grade>[+-]?\d+(?:\.\d+)?|{'|'.join(_WORDS)})\s*(?:/\s*{HIGHEST}(?:\.0)?"
    rf"|out of {HIGHEST})?(?!\s*(?:/|out\s+of\b|of\b))\s*"
    r"(?:\((?P<again>\d)\)|[(:,;|–—-]\s*(?!\d).*|\.)?",
    re.DOTALL | re.IGNORECASE,
)
# A scale in brackets behind the metric's name is no grade; nor is a number that another follows,
# such as "1-2", "1 or 2" or "4/5".
_IN_PROSE = re.compile(
    rf"\b(?P<stem>{'|'.join(_STEMS)})[a-z]*[*_ ]*(?:\([^()\n]{{0,80}}\))?(?P<mark>[^\w\n]{{1,12}}?"
    rf"|[^\w]{{1,12}}?(?=score|grade|rating))"
    r"(?:(?:score|grade|rating)(?P<again>[^\w\n]{1,8}?))?"
    rf"(?P<value>(?<![\d.])[+-]?\d+(?:\.\d+)?|(?:{'|'.join(_WORDS)})\b)"
    rf"(?:\s*/\s*{HIGHEST}\b|\s*out\s+of\s+{HIGHEST}\b)?(?P<more>[^\S\n]*(?:[-–—/]|to\b|or\b"
    rf"|out\s+of\b)[^\S\n]*\d|\w|%)?",
    re.IGNORECASE,
)
_VALUE_KEYS = ("score", "grade", "rating", "value")
_NAME_KEYS = ("metric", "name", "criterion", "aspect", "dimension")

Grades = dict[Metric, float | None]


def parse_grades(text: str) -> dict[Metric, int] | None:
    """Return the four grades in an answer, the last of several, or None.

    None means that one is missing, not a whole number or off the scale.

    The rubric's own words (poor, normal, good) are grades; ranges and grades on another scale, such
    as 4/5, are none.
    """
    return read_or_else(_read_grades, text, lambda _: None)


def _read_grades(text: str) -> dict[Metric, int] | None:
    reply = reply_text(text)
    objects = list(json_objects(reply))
    complete = [grades for grades in map(_grades_in, objects) if len(grades) == len(METRICS)]
    if complete:
        return _checked(complete[-1])
    listed: Grades = {}
    for content in objects:
        listed.update(_listed(content))
    return _checked(listed or _in_table(reply.splitlines()) or _in_prose(reply))


def _grades_in(content: Mapping[str, Any]) -> Grades:
    """Return the grades in an object with the metrics as names."""
    grades: Grades = {}
    for name, value in content.items():
        metric = _metric(name)
        if metric:
            grades[metric] = _number(value)
    return grades


def _listed(content: Mapping[str, Any]) -> Grades:
    """Return the grade in an object that names its metric: {"metric": "logic", "score": 2}."""
    for key in _NAME_KEYS:
        metric = _metric(str(content.get(key, "")))
        if metric:
            return {metric: _number(dict(content))}
    return {}


def _in_table(lines: Sequence[str]) -> Grades:
    """Return the grades of a Markdown table."""
    rows = markdown_rows(lines)
    return (_across(rows[0], rows[-1]) or _down(rows)) if rows else {}


def _across(head: Sequence[str], last: Sequence[str]) -> Grades:
    """Return the last row's grades where the head names every metric."""
    metrics = [_metric(cell) for cell in head]
    if len(set(metrics) - {None}) != len(METRICS):
        return {}
    cells = zip(metrics, last, strict=False)
    return {metric: _number(cell) for metric, cell in cells if metric}


def _down(rows: Sequence[Sequence[str]]) -> Grades:
    """Return the grades in the column that is called score or the like, one metric a row."""
    heads = [cell.lower() for cell in rows[0]]
    named = (place for place, cell in enumerate(heads) if any(key in cell for key in _VALUE_KEYS))
    column = next(named, None)
    if column is None:
        return {}
    grades: Grades = {}
    for row in rows[1:]:
        metric = _metric(row[0])
        if metric and len(row) > column:
            grades[metric] = _number(row[column])
    return grades


def _in_prose(reply: str) -> Grades:
    matches = _IN_PROSE.finditer(reply)
    return {_STEMS[match["stem"].lower()]: _written_grade(match) for match in matches}


def _written_grade(match: re.Match[str]) -> float | None:
    marks = (match["mark"] + (match["again"] or "")).rstrip()
    # "logic: -1" is not a 1.
    is_negative = marks.endswith(("-", "−")) and marks[:-1].rstrip().endswith((":", "=", "|"))
    return None if is_negative or match["more"] else _number(match["value"])


def _metric(name: str) -> Metric | None:
    bare = _bare(name)
    match = _METRIC.match(bare)
    return _STEMS[match[1].lower()] if match and not _REASON.search(bare) else None


def _number(value: Any) -> float | None:
    """Return the grade in a JSON value: a number, a text, a list of one, or an object with one."""
    if isinstance(value, dict):
        lowered = {str(key).lower(): inner for key, inner in value.items()}
        value = next((lowered[key] for key in _VALUE_KEYS if key in lowered), None)
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, str):
        return _number_in_text(value)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _number_in_text(text: str) -> float | None:
    match = _WHOLE.fullmatch(_bare(text))
    if match is None:
        return None
    word = match["grade"].lower()
    value = _WORDS[word] if word.isalpha() else float(word)
    return None if match["again"] and float(match["again"]) != value else value


def _bare(text: str) -> str:
    return text.strip().strip("*_`\"' ")


def _checked(found: Mapping[Metric, float | None]) -> dict[Metric, int] | None:
    grades: dict[Metric, int] = {}
    for metric in METRICS:
        value = found.get(metric)
        if value is None or not LOWEST <= value <= HIGHEST or value != int(value):
            return None
        grades[metric] = int(value)
    return grades

"""The schemas of answers, for models that take one: a list of titles, grades, a choice."""

from __future__ import annotations

from typing import Any

from tasks.prompts import object_schema, schema_format

TITLES = "recommendations"
_MOST_TITLE = 300  # characters


def titles_format(count: int) -> dict[str, Any]:
    """Return the response format of a recommendation: at most `count` titles, the best first."""
    title = {"type": "string", "minLength": 1, "maxLength": _MOST_TITLE}
    listed = {"type": "array", "items": title, "minItems": 1, "maxItems": count}
    return schema_format("recommendation", object_schema({TITLES: listed}))


def grades_format(metrics: tuple[str, ...], lowest: int, highest: int) -> dict[str, Any]:
    """Return the response format of a judge's grades: a whole number for each metric."""
    grade = {"type": "integer", "enum": list(range(lowest, highest + 1))}
    return schema_format("grades", object_schema(dict.fromkeys(metrics, grade)))


def choice_format() -> dict[str, Any]:
    """Return the response format of a choice between two dialogues: 1, 2, or 0 for a tie."""
    better = {"type": "integer", "enum": [0, 1, 2]}
    return schema_format("choice", object_schema({"better": better}))

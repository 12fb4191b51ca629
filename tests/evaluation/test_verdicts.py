"""Judges' verdicts as models really print them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.evaluation.quality import METRICS, parse_choice, parse_grades

GOOD = dict(zip(METRICS, (2, 1, 0, 2), strict=True))


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(GOOD),
        f"```json\n{json.dumps(GOOD, indent=1)}\n```",
        f"Here is my verdict: {json.dumps(GOOD)} I hope this helps.",
        json.dumps({name: str(value) for name, value in GOOD.items()}),
        json.dumps({name: f"{value}/2" for name, value in GOOD.items()}),
        json.dumps({name: float(value) for name, value in GOOD.items()}),
        json.dumps({name.capitalize(): value for name, value in GOOD.items()}),
        json.dumps({"scores": GOOD, "reason": "fine"}),
        json.dumps({name: {"reason": "so", "score": value} for name, value in GOOD.items()}),
        json.dumps([{"metric": name, "score": value} for name, value in GOOD.items()]),
        json.dumps(GOOD)[:-1] + ",}",
        f'<think>{{"fluency": 0, "informativeness": 0, "logic": 0, "coherence": 0}}?</think>{json.dumps(GOOD)}',
        f'The form is {{"fluency": 0, "informativeness": 0, "logic": 0, "coherence": 0}}. Mine: {json.dumps(GOOD)}',
        "Fluency: 2\nInformativeness: 1\nLogic: 0\nCoherence: 2",
        "- **Fluency**: 2 (good)\n- **Informativeness:** 1/2\n- **Logic** - 0\n- **Coherence**: Score: 2",
        "| Fluency | 2 |\n| Informative | 1 |\n| Logical | 0 |\n| Coherent | 2 |",
    ],
)
def test_grades(text: str) -> None:
    assert parse_grades(text) == GOOD


@pytest.mark.parametrize(
    "text",
    [
        "",
        "It is a good utterance.",
        json.dumps({**GOOD, "logic": 3}),
        json.dumps({**GOOD, "logic": -1}),
        json.dumps({**GOOD, "logic": 1.5}),
        json.dumps({**GOOD, "logic": "good"}),
        json.dumps({**GOOD, "logic": True}),
        json.dumps({**GOOD, "logic": None}),
        json.dumps({name: GOOD[name] for name in METRICS[:3]}),
        "Fluency: 2, Informativeness: 1, Logic: 7, Coherence: 2",
        '{"fluency": 2, "informativeness": 1, "logic": NaN, "coherence": 1}',
        "<think>Fluency: 2 Informativeness: 1 Logic: 0 Coherence: 2",
    ],
)
def test_no_grades(text: str) -> None:
    assert parse_grades(text) is None


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('{"better": 1}', "first"),
        ('{"better": "2"}', "second"),
        ('{"better": 0}', "tie"),
        ('{"better": 1.0}', "first"),
        ('{"better": "Dialogue 2"}', "second"),
        ('{"better": "tie", "why": "alike"}', "tie"),
        ('{"reason": {"a": 1}, "better": 2}', "second"),
        ('{"winner": "first"}', "first"),
        ('```json\n{\n  "better": 1\n}\n```', "first"),
        ('<think>{"better": 2}</think>{"better": 1}', "first"),
        ("2", "second"),
        ("**Dialogue 1**", "first"),
        ("I weighed both. Better: 2", "second"),
        ("The winner is dialogue 1.", "first"),
        ('{"better": 3}', None),
        ('{"better": true}', None),
        ('{"better": "unclear"}', None),
        ("Dialogue 1 is fluent, dialogue 2 is informative.", None),
        ("Better: 1. On reflection, better: 2", None),
        ("", None),
    ],
)
def test_choices(text: str, wanted: str | None) -> None:
    assert parse_choice(text) == wanted


@given(
    st.lists(
        st.sampled_from([json.dumps(GOOD), "fluency", ": ", "{", "}", "[", '"better"', "2", "1e999", "NaN", "\n"]) | st.text(max_size=5)
    ).map("".join)
)
def test_whatever_comes_is_a_verdict_or_none(text: str) -> None:
    grades = parse_grades(text)
    assert grades is None or (set(grades) == set(METRICS) and set(grades.values()) <= {0, 1, 2})
    assert parse_choice(text) in {"first", "second", "tie", None}

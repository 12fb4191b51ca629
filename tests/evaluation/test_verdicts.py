"""Judges' verdicts as models really print them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.evaluation.quality import METRICS, parse_choice, parse_grades

TABLE = "| Metric | Reason | Score |\n|---|---|---|\n"
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
        f'<think>{{"fluency": 0, "informativeness": 0, "logic": 0, "coherence": '
        f"0}}?</think>{json.dumps(GOOD)}",
        f'The form is {{"fluency": 0, "informativeness": 0, "logic": 0, "coherence": 0}}. Mine: '
        f"{json.dumps(GOOD)}",
        "Fluency: 2\nInformativeness: 1\nLogic: 0\nCoherence: 2",
        "- **Fluency**: 2 (good)\n- **Informativeness:** 1/2\n- **Logic** - 0\n"
        "- **Coherence**: Score: 2",
        "| Fluency | 2 |\n| Informative | 1 |\n| Logical | 0 |\n| Coherent | 2 |",
        json.dumps(
            dict(
                zip(
                    METRICS,
                    ("good", "Normal (1)", "0: poor, it contradicts itself", "2 - good"),
                    strict=True,
                )
            )
        ),
        "Fluency: good\nInformativeness: normal\nLogic: poor\nCoherence: good",
        "**Fluency (0-2):** 2\n**Informativeness (0-2):** 1\n**Logic (0-2):** 0\n"
        "**Coherence (0-2):** 2",
        "Fluency (0 poor, 1 normal, 2 good): 2\nInformativeness (0 poor): 1\nLogic (0 poor): 0\n"
        "Coherence: 2 out of 2",
        "It gives 3 facts and is fluent.\r\n1. Fluency: 2\r\n2. Informativeness: 1\r\n"
        "3. Logic：0\r\n4. Coherence = 2/2",
        "### Fluency\nScore: 2\n### Informativeness\nScore: 1\n### Logic\nScore: 0\n"
        "### Coherence\nScore: 2",
        f"{TABLE}| Fluency | 1 slip | 2 |\n| Informativeness | - | 1 |\n| Logic | - | 0 |\n"
        f"| Coherence | - | 2 |",
        "| Fluency | Informativeness | Logic | Coherence |\n|---|---|---|---|\n"
        "| 2 | 1 | **0** | 2 |",
        json.dumps(
            {
                f"{name}_{what}": value
                for name, value in GOOD.items()
                for what, value in (("score", value), ("reason", "no 2 alike"))
            }
        ),
        json.dumps({f"score_{name}": [value] for name, value in GOOD.items()}),
        "Fluency: 1\nInformativeness: 1\nLogic: 1\nCoherence: 1\n\nOn reflection:\nFluency: 2\n"
        "Informativeness: 1\nLogic: 0\nCoherence: 2",
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
        json.dumps({**GOOD, "logic": "fine"}),
        json.dumps({**GOOD, "logic": "1-2"}),
        json.dumps({**GOOD, "logic": "2/5"}),
        json.dumps({**GOOD, "logic": "2 out of 10"}),
        json.dumps({**GOOD, "logic": "good (1)"}),
        json.dumps({**GOOD, "logic": [1, 2]}),
        *(
            f"Fluency: 2\nInformativeness: 1\nLogic: {grade}\nCoherence: 2"
            for grade in ("1-2", "1 or 2", "1 to 2", "2/5", "-1", "50%", "2 out of 5", "N/A")
        ),
        "Fluency (0-2), informativeness (0-2), logic (0-2) and coherence (0-2) are all fine.",
        f"{TABLE}| Fluency | 2 | 2 |\n| Informativeness | 1 | 4 |\n| Logic | 0 | 2 |\n"
        f"| Coherence | 2 | 2 |",
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
        ("Dialogue 2 is the better one.", "second"),
        ("I think conversation 2 is slightly better than conversation 1.", "second"),
        ("The first dialogue wins.", "first"),
        ("I prefer dialogue 1.", "first"),
        ("## Verdict\n\nDialogue 2", "second"),
        ("Final answer: **dialogue 1**", "first"),
        ("It's a tie.", "tie"),
        ('{"better": "Both are equally good"}', "tie"),
        ('{"better": "1 (slightly)"}', "first"),
        ('{"better": [2]}', "second"),
        ("[[A]]", "first"),
        ("Dialogue 1 is not better than dialogue 2.", None),
        ("Dialogue 1 is better at first, yet dialogue 2 is better as a whole.", None),
        ("Neither is the better one.", None),
        ('{"better": "1-2"}', None),
        ('{"better": "1/2"}', None),
        ('{"better": -1}', None),
        ('{"better": null}', None),
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
        st.sampled_from(
            [
                json.dumps(GOOD),
                "fluency",
                ": ",
                "{",
                "}",
                "[",
                '"better"',
                "2",
                "1e999",
                "NaN",
                "\n",
            ]
        )
        | st.text(max_size=5)
    ).map("".join)
)
def test_any_text_is_a_verdict_or_none(text: str) -> None:
    grades = parse_grades(text)
    assert grades is None or (set(grades) == set(METRICS) and set(grades.values()) <= {0, 1, 2})
    assert parse_choice(text) in {"first", "second", "tie", None}

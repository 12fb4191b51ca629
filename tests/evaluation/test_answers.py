"""What models answered can be looked through, and what they recommend is described."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from tasks.errors import UserError
from tasks.evaluation import (
    LOG,
    Recommended,
    answer_log,
    answer_rankings,
    answers_markdown,
    log_lines,
    popularity_text,
    question_messages,
    read_log,
    recommended,
)
from tasks.evaluation.matching import Ranking
from tasks.evaluation.metrics import detectable
from tasks.evaluation.prompts import load_recommend_profile
from tasks.settings import Home
from tests.evaluation.test_echoes import benchmark


def test_every_entry_of_an_answer_says_what_it_was_taken_for(tmp_path: Path) -> None:
    asked, words = benchmark(), load_recommend_profile(Home(), "recommend_json")
    texts = [
        '["Solaris", "speaker", "The Mummy", "Nowhere | *there*", "solaris"]',
        "[]",
        None,
        None,
    ]
    ranked = answer_rankings(asked, texts, words, "zero-shot", history=True)
    messages = question_messages(asked, words, "zero-shot", history=True)
    made = list(answer_log(("m", "zero-shot", "dial."), asked.questions, messages, texts, ranked))
    assert made[0].entries == (
        ("Solaris", "title", "i1"),
        ("speaker", "echo", None),
        ("The Mummy", "in history", "i4"),
        ("Nowhere | *there*", "not in the catalogue", None),
        ("solaris", "duplicate", "i1"),
    )
    assert (made[0].target, made[0].rank, made[1].rank) == ("Solaris", 1, None)
    assert [answer.readable for answer in made] == [True, False, False, False]
    (tmp_path / LOG).write_text(log_lines(made))
    assert read_log(tmp_path / LOG) == made
    page = answers_markdown(made)
    assert "| 4 | Nowhere \\| \\*there\\* | not in the catalogue |" in page
    assert "Right: Solaris (place 1)" in page and page.count("(no answer)") == 2
    with pytest.raises(UserError, match="evaluate recommend"):
        read_log(tmp_path / "none.jsonl")
    (tmp_path / LOG).write_text("{}\n")
    with pytest.raises(UserError, match="not the answers"):
        read_log(tmp_path / LOG)


def test_what_is_recommended_by_hand() -> None:
    catalogue = [f"i{number}" for number in range(10)]
    popularity = {"i0": 9, "i1": 5}

    def lists(*items: tuple[str, ...]) -> list[Ranking | None]:
        return [Ranking(one, ("exact",) * len(one), len(one), 0, 0, False) for one in items]

    same = recommended("same", [*lists(*[("i0",)] * 4), None], catalogue, popularity)
    assert (same.head, same.coverage, same.gini) == (1.0, 0.1, pytest.approx(0.9))
    all_ = recommended("all", lists(tuple(catalogue)), catalogue, popularity)
    assert (all_.head, all_.coverage, all_.gini) == (0.2, 1.0, pytest.approx(0.0))
    nothing = recommended("none", [None], catalogue, popularity)
    assert nothing.coverage == 0 and math.isnan(nothing.gini)
    assert "same              100.0%" in popularity_text([Recommended("same", 1.0, 0.1, 0.9)])
    assert "nan" not in popularity_text([nothing])


def test_what_so_many_questions_can_show() -> None:
    # Fleiss: two samples of 100 with shares near 0.5 differ by 0.198 or more at 80 % power.
    assert detectable(0.5, 100) == pytest.approx(0.198, abs=5e-4)
    assert detectable(0.5, 400) == pytest.approx(detectable(0.5, 100) / 2)

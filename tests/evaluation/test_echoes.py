"""What an answer repeats of its prompt is counted apart, and what tables say of answers."""

from __future__ import annotations

import asyncio
import json

import pytest

from tasks.evaluation import results, table5, table5_markdown, table5_text
from tasks.evaluation.matching import Ranking
from tasks.evaluation.prompts import load_recommend_profile
from tasks.evaluation.recommend import Benchmark, answer_rankings
from tasks.evaluation.references import knowledge
from tasks.evaluation.samples import recommendation_samples
from tasks.evaluation.splits import split_samples
from tasks.settings import Home
from tests.support.evaluation_rows import model_results
from tests.support.talk import Replies, talk_corpus


def benchmark() -> Benchmark:
    corpus = talk_corpus()
    split = split_samples(recommendation_samples(corpus).samples, "time", shares=(0.0, 0.0, 1.0))
    return Benchmark(corpus, split, split.test, knowledge(corpus, split), "movie", 1)


ECHO = (
    '{"speaker": "User", "text": "What is good?"}',
    json.dumps(["User", "Agent", "..."]),
    json.dumps(["What is good?", "Do you like space?", "I do."]),
)


@pytest.mark.parametrize(
    ("profile", "answer"),
    [
        *(
            (profile, answer)
            for profile in ("recommend_json", "recommend_paper")
            for answer in ECHO
        ),
        ("recommend_json", json.dumps(["User", "data", "speaker", "text", "..."])),
    ],
)
def test_a_prompt_that_is_repeated_is_no_recommendation(answer: str, profile: str) -> None:
    asked = benchmark()
    words = load_recommend_profile(Home(), profile)
    texts = [answer] * len(asked.questions)
    found = answer_rankings(asked, texts, words, "zero-shot", history=False)
    first = found[0]
    assert first is not None
    assert (first.items, first.generated, first.parse_failed) == ((), 0, True)
    assert first.out_of_catalogue == 0 and (first.echoes > 1 or answer == ECHO[0])


def test_titles_of_the_history_are_counted_apart_where_the_prompt_shows_them() -> None:
    asked = benchmark()
    words = load_recommend_profile(Home(), "recommend_json")
    # ann rated The Mummy and 300 before; neither is in the prompt without the history.
    answer = json.dumps(["The Mummy", "300", "speaker", "Solaris", "Unheard Of"])
    texts = [answer, None, None, None]
    (shown, *_) = answer_rankings(asked, texts, words, "zero-shot", history=True)
    (hidden, *_) = answer_rankings(asked, texts, words, "zero-shot", history=False)
    assert shown == Ranking(("i1",), ("exact",), 2, 0, 1, False, known=2, echoes=1)
    assert hidden is not None and hidden.items == ("i4", "i5", "i1")


def test_a_title_that_the_user_named_is_still_a_title() -> None:
    asked = benchmark()
    named = [sample.named_before for sample in asked.questions].index(True)
    words = load_recommend_profile(Home(), "recommend_json")
    texts = ['["Solaris"]' if place == named else None for place in range(4)]
    found = answer_rankings(asked, texts, words, "zero-shot", history=True)[named]
    assert found is not None and found.items == ("i1",)


def test_failures_stand_where_the_zeros_would_stand() -> None:
    asked = benchmark()
    silent: list[Ranking | None] = [None] * len(asked.questions)
    name = "local//home/somebody/settings/mine.yaml+/home/somebody/data/finetune/adapters/demo-1"
    rows = results(name, "fine-tuned", False, asked.questions, silent)
    text, page = table5_text(rows), table5_markdown(rows)
    for shown in (text, page):
        assert "0.0000" not in shown and "0/3" in shown
        assert "local/mine+adapter" in shown and shown.count("demo-1") == 1
        assert "3 have no answer" in shown and "nothing to score" in shown
    # The figures are kept for programs.
    assert table5(rows)["recall@5"].to_list() == [0.0, 0.0]


def test_one_and_the_same_answer_to_every_question_is_seen() -> None:
    asked = benchmark()
    words = load_recommend_profile(Home(), "recommend_json")
    replies = Replies(lambda _: '["Mystic River"]')
    rows = asyncio.run(
        model_results(asked, lambda _: replies, words, "m", "zero-shot", history=False)
    )
    assert (rows[0].counts.distinct, rows[0].list_length, rows[0].answered) == (1, 1.0, 3)
    head, first = (line.split("  ") for line in table5_text(rows).splitlines()[:2])
    assert [cell.strip() for cell in head if cell][4:7] == ["answered", "list", "items"]
    assert [cell.strip() for cell in first if cell][4:7] == ["3/3", "1.0", "1"]

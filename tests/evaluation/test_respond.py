from __future__ import annotations

import asyncio

from tasks.evaluation.recommend import Benchmark
from tasks.evaluation.references import knowledge
from tasks.evaluation.respond import (
    case_markdown,
    case_study,
    load_respond_profile,
    respond_messages,
)
from tasks.evaluation.samples import recommendation_samples
from tasks.evaluation.splits import split_samples
from tasks.mock_model import write
from tasks.settings import Home
from tests.support.talk import TITLES, Replies, talk_corpus


def benchmark() -> Benchmark:
    corpus = talk_corpus()
    split = split_samples(recommendation_samples(corpus).samples, "time", shares=(0.5, 0.0, 0.5))
    return Benchmark(corpus, split, split.test, knowledge(corpus, split), "movie", 1)


def test_every_setting_is_shown_with_the_ground_truth() -> None:
    asked, profile = benchmark(), load_respond_profile(Home())
    right = Replies(lambda _: "Then Mystic River is for you.\n| <b>Really</b>")
    wrong = Replies(lambda _: 'How about "Solaris"?')
    silent = Replies(lambda _: None)
    asks = {
        "zero-shot": (lambda _: wrong, True),
        "few-shot": (lambda _: right, True),
        "fine-tuned": (lambda _: silent, False),
    }
    (case,) = asyncio.run(case_study(asked, asks, profile, asked.questions[:1]))  # type: ignore[arg-type]
    assert [(one.setting, one.items, one.right) for one in case.responses] == [
        ("zero-shot", ("i1",), False),
        ("few-shot", ("i3",), True),
        ("fine-tuned", (), False),
    ]
    shown = ["The Mummy" in replies.asked[0][0]["content"] for replies in (wrong, right, silent)]
    assert shown == [True, True, False]  # a fine-tuned model sees what it was taught with
    page = case_markdown(case, TITLES)
    assert (
        "| Few-Shot | **Agent:** Then **Mystic River** is for you. \\| "
        "&lt;b>Really&lt;/b><br>*recommends: Mystic River (right)* |"
    ) in page
    assert (
        '| Ground truth | Then "**Mystic River**". |' in page
        and "| Fine-Tuning | (no answer) |" in page
    )
    assert (
        "| Historical interactions | The Mummy |" in page and "**User:** What is good?<br>" in page
    )


def test_the_prompt_shows_neither_target_nor_response() -> None:
    asked, profile = benchmark(), load_respond_profile(Home())
    sample = asked.questions[0]
    plain = respond_messages(asked, profile, sample, "zero-shot", history=False)[0]["content"]
    full = respond_messages(asked, profile, sample, "few-shot", history=True)[0]["content"]
    assert sample.title not in plain + full and sample.response not in plain + full
    assert (
        "The Mummy" in full
        and "said next" in full
        and "The Mummy" not in plain
        and "said next" not in plain
    )
    assert "$" not in plain + full


def test_the_embedded_writer_answers() -> None:
    asked = benchmark()
    offline = Replies(lambda messages: write(messages, seed=1, misbehave={}).text)
    (case,) = asyncio.run(
        case_study(
            asked,
            {"few-shot": (lambda _: offline, False)},
            load_respond_profile(Home()),
            asked.questions[:1],
        )
    )
    assert case.responses[0].text and "would try" in case.responses[0].text

from __future__ import annotations

import asyncio
import json
import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.errors import UserError
from tasks.evaluation.corpora import Corpus, Dialogue, Utterance
from tasks.evaluation.quality import (
    METRICS,
    Judged,
    Preference,
    Rating,
    Unread,
    against_people,
    figure4,
    figure4_markdown,
    judge_pairs,
    judge_utterances,
    load_judge_profile,
    pair_tasks,
    parse_choice,
    parse_grades,
    position_bias,
    quality_page,
    rater_agreement,
    settle_orders,
    table4,
    table4_markdown,
    utterance_tasks,
)
from tasks.evaluation.quality.halo import halo
from tasks.mock_model import write
from tasks.settings import Home
from tests.support.talk import Replies


def corpus(name: str, dialogues: int, length: int = 3) -> Corpus:
    said = [
        Utterance("agent" if turn % 2 else "user", f"{name} says number {turn}.")
        for turn in range(length)
    ]
    return Corpus(
        name, tuple(Dialogue(f"{name}{number}", tuple(said)) for number in range(dialogues))
    )


OURS, THEIRS = corpus("ours", 20), corpus("theirs", 6, 2)


def test_drawing_is_seeded_shuffled_and_whole() -> None:
    tasks = utterance_tasks([OURS, THEIRS], dialogues=4, seed=1)
    assert Counter(task.corpus for task in tasks) == {"ours": 12, "theirs": 8}
    assert (
        tasks
        == utterance_tasks([OURS, THEIRS], dialogues=4, seed=1)
        != utterance_tasks([OURS, THEIRS], dialogues=4, seed=2)
    )
    order = [task.corpus for task in tasks]
    assert order not in (sorted(order), sorted(order, reverse=True))
    assert (
        all(len(task.context) == task.turn for task in tasks)
        and len({task.task_id for task in tasks}) == 20
    )
    again = utterance_tasks([corpus("new", 3), OURS], dialogues=4, seed=1)
    assert {t.dialogue_id for t in again if t.corpus == "ours"} == {
        t.dialogue_id for t in tasks if t.corpus == "ours"
    }


def test_pairs_are_matched_at_random_on_both_sides() -> None:
    tasks = pair_tasks(OURS, [THEIRS, corpus("other", 9)], pairs=8, seed=1)
    assert len(tasks) == 6 + 8
    sides = Counter(task.first_corpus == "ours" for task in tasks)
    assert sides[True] and sides[False]
    assert all({"ours"} < {task.first_corpus, task.second_corpus} for task in tasks)
    assert tasks[0].turned().turned() == tasks[0] and tasks[0].turned().task_id == tasks[0].task_id


def test_corpora_of_one_name_or_without_dialogues_are_refused() -> None:
    with pytest.raises(UserError, match="called alike"):
        utterance_tasks([OURS, OURS])
    with pytest.raises(UserError, match="no dialogue"):
        pair_tasks(OURS, [Corpus("empty", ())])


@pytest.mark.parametrize(
    ("text", "grades"),
    [
        ('{"fluency": 2, "informativeness": 1, "logic": 0, "coherence": 2}', (2, 1, 0, 2)),
        (
            'Sure! ```json\n{"Fluency": 2, "Informativeness": 1.0, "LOGIC": 0, '
            '"coherence": 2}\n```',
            (2, 1, 0, 2),
        ),
        ("Fluency: 2\nInformativeness - 1\n**Logic**: 0\nCoherence = 2", (2, 1, 0, 2)),
        ('{"fluency": 3, "informativeness": 1, "logic": 0, "coherence": 2}', None),
        ('{"fluency": 1.5, "informativeness": 1, "logic": 0, "coherence": 2}', None),
        ('{"fluency": true, "informativeness": 1, "logic": 0, "coherence": 2}', None),
        ('{"fluency": 2, "informativeness": 1, "logic": 0}', None),
        ("All fine.", None),
    ],
)
def test_grades_are_read_or_refused(text: str, grades: tuple[int, ...] | None) -> None:
    found = parse_grades(text)
    assert (None if found is None else tuple(found[metric] for metric in METRICS)) == grades


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ('{"better": 1}', "first"),
        ('I say {"better": "2"}.', "second"),
        ('{"better": 0}', "tie"),
        ('{"better": 3}', None),
        ('{"better": true}', None),
        ("11", None),
    ],
)
def test_choices_are_read_or_refused(text: str, choice: str | None) -> None:
    assert parse_choice(text) == choice


@given(st.text(max_size=200))
def test_no_answer_breaks_the_readers(text: str) -> None:
    grades = parse_grades(text)
    assert grades is None or set(grades) == set(METRICS)
    assert parse_choice(text) in {None, "first", "second", "tie"}


def test_a_judge_grades_every_utterance_and_failures_are_counted() -> None:
    tasks = utterance_tasks([OURS], dialogues=2, seed=1)
    answers = iter(
        [
            json.dumps(dict.fromkeys(METRICS, 2)),
            None,
            "no idea",
            *[json.dumps(dict.fromkeys(METRICS, 1))] * 3,
        ]
    )
    judged = asyncio.run(
        judge_utterances(
            lambda _: Replies(lambda _: next(answers)), load_judge_profile(Home()), "j", tasks
        )
    )
    assert (judged.unanswered, judged.unreadable, len(judged.ratings)) == (1, 1, 16)
    unreadable = [one.task_id for one in judged.unread if one.answered]
    row = table4(tasks, judged.ratings, unreadable)[0]
    assert (row.corpus, row.utterances, row.rated, row.unreadable) == ("ours", 6, 4, 1)
    assert row.ratings == 16 and row.means["logic"].value == 1.25
    assert "| ours | 4 of 6 | 1 | 1.25 [" in table4_markdown([row])


def test_a_table_says_how_little_of_a_corpus_was_read() -> None:
    """One corpus was graded almost whole, of the other nothing could be read."""
    tasks = utterance_tasks([OURS, THEIRS], dialogues=4, seed=1)
    pairs = pair_tasks(OURS, [THEIRS], pairs=5, seed=1)
    theirs = {task.task_id for task in tasks if task.corpus == "theirs"}
    graded = [task for task in tasks if task.task_id not in theirs]
    judged = Judged(
        tuple(Rating(task.task_id, "j", metric, 1) for task in graded[:-1] for metric in METRICS),
        (Preference(pairs[0].task_id, "j", "first", "ours", "theirs"),),
        tuple(Unread(task, answered=True) for task in sorted(theirs)),
    )
    page = quality_page("ours", [*tasks, *pairs], {"j": judged}, None)
    assert "| ours | 11 of 12 | 0 | 1.00 [" in page.text
    assert "| theirs | 0 of 8 | 8 | - | - | - | - |" in page.text
    assert "| ours | theirs | 1 of 5 | 1 | 0 | 0 |" in page.text
    assert page.shortfalls == (
        "j: theirs: 0 of 8 utterances could be read, 80% are needed",
        "j: ours against theirs: 1 of 5 pairs could be read, 80% are needed",
    )
    assert "**This is no finding: too few answers could be read.**" in page.text
    lenient = quality_page("ours", [*tasks, *pairs], {"j": judged}, None, least=0.0)
    assert not lenient.shortfalls and "no finding" not in lenient.text
    silent = quality_page("ours", pairs, {"j": Judged()}, None)
    assert "| ours | theirs | 0 of 5 | 0 | 0 | 0 | - |" in silent.text


def test_the_judge_sees_neither_corpus_nor_later_utterances() -> None:
    asked = Replies(lambda _: "{}")
    tasks = utterance_tasks([corpus("c", 1, 4)], seed=1)
    asyncio.run(judge_utterances(lambda _: asked, load_judge_profile(Home()), "j", tasks))
    shown = asked.asked[1][1]["content"]
    assert (
        "number 0" in shown
        and "number 1" in shown
        and "number 2" not in shown
        and '"corpus"' not in shown
    )


def test_pairs_are_judged_in_both_orders_and_a_biased_judge_is_found_out() -> None:
    tasks = pair_tasks(OURS, [THEIRS], pairs=6, seed=1)
    biased = asyncio.run(
        judge_pairs(
            lambda _: Replies(lambda _: '{"better": 1}'), load_judge_profile(Home()), "j", tasks
        )
    )
    assert len(biased.preferences) == 12
    bias = position_bias(biased.preferences)
    assert (bias.first_share, bias.turned, bias.consistent) == (
        1.0,
        6,
        0,
    ) and bias.p == pytest.approx(2 / 2**12)
    row = figure4(settle_orders(biased.preferences), "ours")[0]
    assert (row.wins, row.ties, row.losses, row.share.value) == (0, 6, 0, 0.5)

    def fair(messages: tuple[dict[str, str], ...]) -> str:
        text = messages[1]["content"]
        return json.dumps(
            {"better": 1 if text.index("ours says") < text.index("theirs says") else 2}
        )

    found = asyncio.run(
        judge_pairs(lambda _: Replies(fair), load_judge_profile(Home()), "j", tasks)
    )  # type: ignore[arg-type]
    assert (
        position_bias(found.preferences).consistent == 6
        and position_bias(found.preferences).first_share == 0.5
    )
    row = figure4(settle_orders(found.preferences), "ours")[0]
    assert (row.wins, row.ties, row.losses) == (6, 0, 0) and "100.0%" in figure4_markdown([row])


def test_raters_agreement_and_judge_against_people() -> None:
    people = [
        Rating(f"t{n}", rater, "logic", value)
        for rater in "ab"
        for n, value in enumerate([0, 1, 2, 2])
    ]
    agreed = rater_agreement(people)[0]
    assert agreed.metric == "logic" and agreed.alpha == pytest.approx(1.0)
    assert agreed.concordance is not None and agreed.concordance.w == pytest.approx(1.0)
    judge = [Rating(f"t{n}", "j", "logic", value) for n, value in enumerate([0, 1, 1, 2, 2])]
    # Ranks 1 2.5 2.5 4 and 1 2 3.5 3.5.
    assert against_people(judge, people)["logic"] == pytest.approx(0.8333, abs=1e-4)
    alone = rater_agreement([Rating("t", "a", "logic", 1)])[0]
    assert alone.concordance is None and alone.alpha is None
    assert against_people([], people) == {}
    assert position_bias([Preference("t", "r", "tie", "a", "b")]).turned == 0


def test_the_mock_model_can_replace_a_judge() -> None:
    profile, tasks = load_judge_profile(Home()), utterance_tasks([OURS], dialogues=1)
    asked = Replies(lambda messages: write(messages, seed=1, misbehave={}).text)
    assert (
        len(asyncio.run(judge_utterances(lambda _: asked, profile, "offline", tasks)).ratings) == 12
    )
    long, short = corpus("long", 1, 9), corpus("short", 1, 2)
    wins = asyncio.run(
        judge_pairs(lambda _: asked, profile, "offline", pair_tasks(long, [short]))
    ).preferences
    assert [one.winner for one in wins] == ["long", "long"]


def test_a_judge_who_gives_one_grade_four_times_is_seen() -> None:
    same = [Rating(f"t{n}", "j", metric, n % 3) for n in range(6) for metric in METRICS]
    assert set(halo(same).values()) == {1.0} and len(halo(same)) == 6
    grades = {"fluency": (0, 1, 2, 2), "logic": (2, 1, 0, 0), "coherence": (1, 1, 1, 1)}
    mixed = [
        Rating(f"t{n}", "j", metric, grades.get(metric, (0, 2, 0, 2))[n])
        for n in range(4)
        for metric in METRICS
    ]
    found = halo(mixed)
    assert found["fluency", "logic"] == pytest.approx(-1.0)
    assert math.isnan(found["logic", "coherence"]) and halo(mixed[:8]) == {}
    page = quality_page("ours", [], {"j": Judged(tuple(mixed))}, None)
    assert "fluency and logic -1.00, " in page.text and "logic and coherence -." in page.text


def test_an_unknown_judge_profile() -> None:
    with pytest.raises(UserError, match="unknown judge profile"):
        load_judge_profile(Home(), "../judge")

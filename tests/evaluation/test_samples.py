from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.errors import UserError
from tasks.evaluation.corpora import Corpus, Dialogue, Utterance
from tasks.evaluation.recommend import draw_questions
from tasks.evaluation.references import knowledge
from tasks.evaluation.samples import Sample, recommendation_samples
from tasks.evaluation.splits import split_samples
from tests.support.talk import TITLES, dialogue, talk_corpus


def test_the_context_ends_before_the_recommending_turn() -> None:
    sample = recommendation_samples(talk_corpus()).samples[0]
    assert [said.text for said in sample.context] == [
        "What is good?",
        "Do you like space?",
        "I do.",
    ]
    assert (sample.turn, sample.target, sample.title, sample.response) == (
        3,
        "i1",
        "Solaris",
        'Then "Solaris".',
    )
    assert sample.history == ("i4", "i5") and sample.timestamp == 20 and not sample.named_before


def test_a_target_named_before_is_marked() -> None:
    assert [sample.named_before for sample in recommendation_samples(talk_corpus()).samples] == [
        False,
        False,
        False,
        True,
    ]


def test_a_title_spoken_without_a_mark_counts_as_named() -> None:
    plain = dialogue(0, None, 1, "i3")
    said = (replace(plain.utterances[0], text="as good as mystic river?"), *plain.utterances[1:])
    found = recommendation_samples(Corpus("c", (replace(plain, utterances=said),), TITLES)).samples[
        0
    ]
    assert found.named_before and found.cluster == "dialogue d0"


def test_a_dialogue_that_never_recommends_is_counted_and_left_out() -> None:
    mute = Dialogue("d", (Utterance("user", "Hi"), Utterance("agent", "Hi")), "u", 1, ("i1",))
    untitled = Dialogue("e", (Utterance("agent", "x", ("i9",)),), "u", 2, ("i9",))
    found = recommendation_samples(Corpus("c", (mute, untitled), TITLES))
    assert not found.samples
    assert found.skipped == {"no agent's turn names the target": 1, "target without a title": 1}


def test_without_targets_every_item_an_agent_names_is_one() -> None:
    spoken = (
        Utterance("user", "Solaris?", ("i1",)),
        Utterance("agent", "Solaris, and 1917", ("i1", "i2", "i1")),
        Utterance("agent", "Ok"),
    )
    found = recommendation_samples(Corpus("c", (Dialogue("d", spoken),), TITLES)).samples
    assert [(sample.target, sample.named_before) for sample in found] == [
        ("i1", True),
        ("i2", False),
    ]


def test_split_by_time_keeps_the_last_rated_for_the_test() -> None:
    split = split_samples(
        recommendation_samples(talk_corpus()).samples, "time", shares=(0.5, 0.25, 0.25)
    )
    assert [[s.target for s in part] for part in (split.train, split.valid, split.test)] == [
        ["i1", "i2"],
        ["i3"],
        ["i1"],
    ]
    assert "time" in split.rule


def test_split_by_time_without_times_goes_by_each_users_order() -> None:
    split = split_samples(recommendation_samples(talk_corpus(times=False)).samples, "time")
    # ann has two: the first is one before her last, so validation; bob and cat have one each, which
    # stays in training
    assert [[s.dialogue_id for s in part] for part in (split.train, split.valid, split.test)] == [
        ["d2", "d3"],
        ["d0"],
        ["d1"],
    ]


def made_sample(number: int, user: int, target: int, mentioned: list[int], time: int) -> Sample:
    context = (Utterance("user", "x", tuple(f"i{item}" for item in mentioned)),)
    return Sample(
        f"s{number}",
        f"d{number}",
        f"u{user}",
        number,
        1,
        context,
        f"i{target}",
        "t",
        "r",
        (),
        False,
        time,
    )


samples_drawn = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.integers(0, 9),
        st.lists(st.integers(0, 9), max_size=3),
        st.integers(0, 20),
    ),
    max_size=60,
).map(lambda rows: [made_sample(number, *row) for number, row in enumerate(rows)])


@given(samples_drawn, st.integers(0, 3))
def test_no_split_leaks(samples: list[Sample], seed: int) -> None:
    shares = (0.5, 0.2, 0.3)
    by_user = split_samples(samples, "user", seed=seed, shares=shares)
    users = [
        {sample.user_id for sample in part} for part in (by_user.train, by_user.valid, by_user.test)
    ]
    assert not users[0] & users[1] and not users[0] & users[2] and not users[1] & users[2]
    by_item = split_samples(samples, "item", seed=seed, shares=shares)
    tested = {sample.target for sample in by_item.test}
    assert not any(
        sample.target in tested or sample.mentioned & tested
        for sample in (*by_item.train, *by_item.valid)
    )
    by_time = split_samples(samples, "time", shares=shares)
    if (
        "time" in by_time.rule.split()
        and by_time.train
        and by_time.test
        and "order" not in by_time.rule
    ):
        assert max(s.timestamp or 0 for s in by_time.train) < min(
            s.timestamp or 0 for s in by_time.test
        )
    for split in (by_user, by_item, by_time):
        ids = [
            sample.sample_id for part in (split.train, split.valid, split.test) for sample in part
        ]
        assert len(ids) == len(set(ids)) == len(samples) - split.dropped


def test_knowledge_holds_no_held_out_target_and_nothing_of_later() -> None:
    corpus = talk_corpus()
    split = split_samples(recommendation_samples(corpus).samples, "time", shares=(0.5, 0.25, 0.25))
    known = {(made.user_id, made.item_id) for made in knowledge(corpus, split).interactions}
    assert ("ann", "i1") in known and ("ann", "i2") in known
    assert not {("bob", "i3"), ("cat", "i1")} & known
    early = split_samples(recommendation_samples(corpus).samples, "time", shares=(0.25, 0.0, 0.75))
    assert {
        (made.user_id, made.item_id)
        for made in knowledge(corpus, early).interactions
        if (made.timestamp or 0) >= 30
    } == set()


def test_bad_rules_and_shares() -> None:
    with pytest.raises(UserError, match="unknown split"):
        split_samples([], "moon")  # type: ignore[arg-type]
    with pytest.raises(UserError, match="add up to 1"):
        split_samples([], "user", shares=(0.5, 0.1, 0.1))


def test_questions_are_drawn_by_seed_and_stay_in_order() -> None:
    samples = tuple(made_sample(number, number, 1, [], number) for number in range(30))
    split = split_samples(samples, "user", shares=(0.0, 0.0, 1.0))
    first = draw_questions(split, 10, 1)
    assert len(first) == 10 and first == draw_questions(split, 10, 1) != draw_questions(
        split, 10, 2
    )
    assert [sample.position for sample in first] == sorted(sample.position for sample in first)
    assert draw_questions(split, None, 1) == draw_questions(split, 99, 1) == split.test

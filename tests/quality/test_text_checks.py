"""Lexical facts, copying and near-duplicates: by example, and against the slow and obvious way."""

from __future__ import annotations

import random
import re

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.languages import NEVER, for_polars, phrases, words
from tasks.quality.facts import opinion_facts, text_facts
from tasks.quality.lexicon import load_lexicon
from tasks.quality.near_duplicates import join, near_duplicates, shingles
from tasks.quality.text_patterns import (
    PERSONAL,
    TEMPLATE_LEFT,
    garbled_pattern,
    titles_in_quotes,
)
from tasks.settings import Home
from tasks.word_runs import OwnedTokens, copied_words, longest_shared, runs, tokenise
from tests.support import conversations as made

LEXICON = load_lexicon(Home())


def facts(
    text: str, *, opinion: str | None = None, decision: str | None = None, bare: str | None = None
) -> dict[str, bool]:
    """Return the text facts of one utterance."""
    row = {
        "text": text,
        "bare": text if bare is None else bare,
        "words": len(text.split()),
        "opinion": opinion,
        "decision": decision,
    }
    schema = {
        "text": pl.String,
        "bare": pl.String,
        "words": pl.Int32,
        "opinion": pl.String,
        "decision": pl.String,
    }
    frame = pl.DataFrame([row], schema=schema).with_columns(names_user=pl.lit(False))
    judged = frame.with_columns(**opinion_facts(frame, LEXICON.languages["en"]))
    return judged.select("sentiment_error", "decision_error", **text_facts(LEXICON, "en")).row(
        0, named=True
    )


GOOD = [
    "Hi! I recently watched The Mummy, and it was great - a 10/10 for me!!!",
    "I've paid $25.99 for it in 1999-2004, at 10:30 p.m.; a bargain (really).",
    "It's A++++ stuff, isn't it? <3 ... Well, 3-4 of 5 stars & counting.",
    "Amélie was “lovely”, says my naïve friend — 100% agreed 😀👍🏽 👨‍👩‍👧!",
    "I asked for user reviews; reviewers from Boston liked the template of the plot's twists.",
    "The title track [live] is worth it. My goal is simple: have fun.",
    "He was born in 1950. It runs 1:45 or so, 2 x 4 hours, #1 in the charts.",
    "The strengths of rhythm and catchphrases, the Knightsbridge scenes.",
    "That item, item 3 on my list, has a slot for a card.",
    "I have seen the movie before, thanks; I would like to express interest in another one.",
    "Does it come with user instructions? The agent in it says little.",
]


@pytest.mark.parametrize("text", GOOD)
def test_what_people_say_is_nothing_to_complain_of(text: str) -> None:
    assert {fact for fact, value in facts(text).items() if value} == set()


@pytest.mark.parametrize(
    ("fact", "text"),
    [
        ("garbled", "caf\ufffd"), ("garbled", "a\x08b"), ("garbled", "isnâ€™t"),
        ("garbled", "CafÃ©"), ("garbled", "a\u202eb"),
        ("template_left", "__MOVIE__"), ("template_left", "(insert title)"),
        ("template_left", "%ITEM%"), ("template_left", "[[1]]"),
        ("template_left", "[/INST]"), ("empty", "..."), ("empty", "\U0001f600 !"),
        ("personal_data", "+44 20 7946 0958"), ("personal_data", "(020) 7946 0958"),
        ("personal_data", "5558675309"),
        ("personal_data", "bit.ly/3abc"), ("personal_data", "@jane_doe"),
        ("personal_data", "according to John Smith's review"),
        ("wording_leak", "I'm just an AI."), ("wording_leak", "As a chatbot I have no taste."),
        ("wording_leak", "Goal: greet the user."),
        ("wording_leak", "In this turn, I greet."), ("wording_leak", "The user's review says so."),
        ("wording_leak", "Based on the provided reviews, yes."),
        ("wording_leak", "I don't have personal opinions as an AI."),
        ("foreign_language",
         "Bardzo lubię takie filmy, zwłaszcza gdy historia jest prawdziwa i smutna."),
        ("foreign_language",
         "Bu tür filmleri çok severim, özellikle gerçek hikayeleri anlatanları."),
        ("foreign_language", "Saya sangat suka film seperti itu, apalagi kalau ceritanya nyata."),
        ("garbled", "\ue000"), ("garbled", "$%^&#"), ("garbled", "xkqzvbnmt"),
        ("garbled", "x" * 40), ("garbled", "\ufeffHi"),
        ("template_left", "{{item:9}}"), ("template_left", "{item}"),
        ("template_left", "[USER_HIS_LIKES]"), ("template_left", "[Item 1]"),
        ("template_left", "OTHER_REVIEW"), ("template_left", "MIGHT_LIKES"),
        ("template_left", "[insert movie title here]"),
        ("template_left", "<item name>"), ("template_left", "see ____ soon"),
        ("template_left", "item:3"), ("template_left", "[Your Name]"),
        ("personal_data", "a.b@c.org"), ("personal_data", "a.b (at) c (dot) org"),
        ("personal_data", "http://x"),
        ("personal_data", "www.x"),
        ("personal_data", "on amazon.com"), ("personal_data", "555-123-4567"),
        ("personal_data", "+1 (555) 123-4567"),
        ("personal_data", "555.123.4567"), ("personal_data", "A1B2C3D4E5F6G7"),
        ("personal_data", "reviewed by John Smith"),
        ("personal_data", "a customer named Martha"), ("personal_data", "call 555-1234"),
        ("personal_data", "+4915112345678"),
        ("wording_leak", "I can't lead the conversation to recommend anything."),
        ("wording_leak", "As an AI, I like it."),
        ("wording_leak", "greeting_likes"), ("wording_leak", "My goal here: chit chat."),
        ("wording_leak", "This SUB-GOAL is done."),
        ("wording_leak", "I’m an AI."),
        ("foreign_language", "Hola, me gusta mucho la historia de los dos y es muy buena."),
        ("foreign_language", "Das ist nicht der beste Film, aber ich habe ihn sehr gern."),
        ("foreign_language", "C'est un film que je ne vous dirai pas mais il est bien."),
        ("foreign_language", "Мне очень понравился этот фильм."),
        ("foreign_language", "这部电影很好看"),
    ],
)  # fmt: skip
def test_what_must_not_stand_there_is_seen(fact: str, text: str) -> None:
    assert facts(text if fact in ("foreign_language", "empty") else f"Well, {text}")[fact]


@pytest.mark.parametrize(
    ("opinion", "wrong", "text"),
    [
        ("DISLIKES", True, "I loved it, it was wonderful."),
        ("DISLIKES", True, "It was excellent."),
        ("DISLIKES", False, "It was good, but it dragged."),
        ("DISLIKES", False, "I did not love it at all."),
        ("DISLIKES", False, "I expected to love it."),
        ("DISLIKES", True, "Thanks, but I loved it, it was excellent."),
        ("DISLIKES", False, "It had lovely music and a terrible plot."),
        ("DISLIKES", False, "I watched it last week with my sister."),
        ("DISLIKES", False, "It isn't the masterpiece they promised."),
        ("LIKES", True, "It was terrible."),
        ("LIKES", True, "Hi, I didn't like it at all, it was dull."),
        ("DISLIKES", False, "Good morning, I'd love a recommendation. I'd be happy with anything."),
        ("LIKES", True, "So boring and dull, what a waste."),
        ("LIKES", False, "It was not boring at all."),
        ("LIKES", False, "I loved it, even the slow start."),
        ("LIKES", False, "It is a sad story about a poor family."),
        ("LIKES", True, "I wasn’t delighted, a disappointment."),
        (None, False, "It was terrible."),
        (None, False, "It was excellent."),
    ],
)
def test_sentiment(opinion: str | None, wrong: bool, text: str) -> None:
    assert facts(text, opinion=opinion)["sentiment_error"] is wrong


def test_titles_praise_and_blame_nothing() -> None:
    assert (
        facts(
            "Hi, I saw The Great Escape of Terrible Love.", opinion="DISLIKES", bare="Hi, I saw ~."
        )["sentiment_error"]
        is False
    )


@pytest.mark.parametrize(
    ("decision", "wrong", "text"),
    [
        ("accept", False, "Sounds good, I'll watch it."),
        ("accept", False, "Alright, let's do that one."),
        ("accept", False, "You’ve sold me!"),
        ("accept", False, "Not what I had in mind, but I'd love to try it."),
        ("accept", True, "No thanks, I'd rather not."),
        ("accept", True, "What's the weather like over there?"), ("accept", True, "No, thanks."),
        ("accept", True, "That doesn't really appeal to me."),
        ("reject", True, "My cat is asleep on the sofa."),
        ("reject", True, "Sure, why not!"),
        ("accept", True, "The weather is cold."), ("accept", True, "I've already seen it, so no."),
        ("reject", False, "Thanks, but I have seen it."),
        ("reject", False, "I'll pass on that one."),
        ("reject", False, "I'll turn that down."),
        ("reject", False, "Sounds great, but I've already watched it."),
        ("reject", True, "Sounds great, I'll watch it tonight."),
        ("reject", True, "Good idea."), (None, False, "The weather is cold."),
    ],
)  # fmt: skip
def test_decisions(decision: str | None, wrong: bool, text: str) -> None:
    assert facts(text, decision=decision)["decision_error"] is wrong


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('Try "The Seventh Ferryman" soon.', ["The Seventh Ferryman"]),
        (
            "Try “Northbound Echo,” then *Paper Tigers of Quill*.",
            ["Northbound Echo", "Paper Tigers of Quill"],
        ),
        (
            "Like 'Northbound Echo', or 'Ocean's Paper Tigers'!",
            ["Northbound Echo", "Ocean's Paper Tigers"],
        ),
        (
            "Like \u2018Northbound Echo\u2019 and _Paper Tigers_.",
            ["Northbound Echo", "Paper Tigers"],
        ),
        ('Watch "Quillon", then read *Tigerlily*; she said "Wow".', ["Quillon", "Tigerlily"]),
        ("The '90s and the Smiths' Fine Lives' end.", []),
        ('I saw "The Mummy" and "the mummy returns" and "The mummy!".', []),
        ('She said "No way" and "I love it so much".', []),
        ('It won "Best Picture" and "Best Supporting Actor" - "Wow"!', []),
        ('An open "Mark Without end', []),
    ],
)
def test_titles_in_quotation_marks(text: str, found: list[str]) -> None:
    assert titles_in_quotes(text, ["The Mummy"]) == found


@pytest.mark.parametrize(
    ("title", "spelling"),
    [
        ("Wire & Whisper", "Wire and Whisper"), ("Wire & Whisper", "Wire + Whisper"),
        ("Mind the Goat!", "Mind The Goat (1987)"),
        ("The Cat and the Moon", "Cat & the Moon"),
        ("Don't Answer Upstairs", "Dont Answer Upstairs"),
        ("\u00c9t\u00e9 \u00e0 Valmorin", "Ete a Valmorin"),
        ("A House for Birds", "House for Birds"),
        ("Return to Halcyon-5", "Return to Halcyon5"),
        ("Lone Wolf, Vol. 1", "Lone Wolf"), ("Lone Wolf, Vol. 1", "Lone Wolf, Volume 1"),
    ],
)  # fmt: skip
def test_an_own_title_in_another_spelling_is_no_invented_one(title: str, spelling: str) -> None:
    for marks in ('"{}"', "'{}'", "*{}*", "\u201c{}\u201d"):
        assert titles_in_quotes(f"I saw {marks.format(spelling)} twice.", [title]) == []
        assert titles_in_quotes(f"I saw {marks.format(spelling)} twice.", ["Quite Another"]) != []


def test_patterns_mean_the_same_to_polars_and_python() -> None:
    texts = [
        *GOOD,
        "a@b.org",
        "[movie title]",
        "{x",
        "lead the conversation",
        "\u202e",
        "A1B2C3D4E5F6G7",
        "non_word here",
        "item:3",
    ]
    garbled, wording = garbled_pattern(LEXICON.language("en")), LEXICON.wording_pattern("en")
    for pattern in (garbled, TEMPLATE_LEFT, PERSONAL, wording):
        found = pl.Series(texts).str.contains(for_polars(pattern)).to_list()
        assert found == [re.search(pattern, text) is not None for text in texts]


def test_word_lists_become_patterns() -> None:
    series = pl.Series(
        ["I loved it", "beloved", "lovely", "LOVE", "don't", "don’t", "dont", "nothing"]
    )
    assert series.str.contains(words(["love*", "n't"])).to_list() == [
        True,
        False,
        True,
        True,
        True,
        True,
        False,
        False,
    ]
    assert series.str.contains(for_polars(phrases(["loved it"]))).to_list() == [True] + [False] * 7
    assert words([]) == phrases([]) == NEVER
    assert not series.str.contains(NEVER).any()


WORDS = st.lists(st.sampled_from("a b c d e".split()), max_size=14).map(" ".join)


def owned(texts: list[tuple[int, str]]) -> OwnedTokens:
    """Return the words of (dialogue, text)."""
    series = pl.Series([text for _, text in texts], dtype=pl.String)
    return OwnedTokens.of(series, np.array([owner for owner, _ in texts], np.int64))


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 2), WORDS), max_size=6),
    st.lists(st.tuples(st.integers(0, 2), WORDS), max_size=5),
    st.integers(2, 5),
)
def test_copied_runs_are_those_found_by_comparing_everything(
    said: list[tuple[int, str]], reviews: list[tuple[int, str]], least: int
) -> None:
    found = copied_words(owned(said), owned(reviews), least)
    for (owner, text), length in zip(said, found.tolist(), strict=True):
        best = longest_shared(text, [review for mine, review in reviews if mine == owner])
        shared = len(best.split())
        # runs of hits that touch in the text, though they lie apart in the review, count as one:
        # never shorter, and never from nothing
        assert length == 0 if shared < least else length >= shared


def test_copying_is_seen_through_letter_case_and_punctuation() -> None:
    reviews = owned([(0, "The story of two brothers, lost at sea for weeks, moved me.")])
    apostrophes = owned([(0, "I didn't think that it's the end of the world, but")])
    curly = owned([(0, "So I didn\u2019t think that it\u2019s the end of the world.")])
    assert copied_words(curly, apostrophes, 8).tolist() == [10]
    said = owned(
        [
            (0, "Well - the story of TWO brothers lost at sea (for weeks) was fine."),
            (0, "The story of two others lost at sea."),
        ]
    )
    assert copied_words(said, reviews, 8).tolist() == [10, 0]


@given(st.lists(WORDS, max_size=5), st.integers(1, 4))
def test_runs_are_all_runs_within_a_text(texts: list[str], length: int) -> None:
    tokens = tokenise(pl.Series(texts, dtype=pl.String))
    hashes, owners, places = runs(tokens, length)
    split = [text.split() for text in texts]
    expected = [
        (owner, tuple(part[at : at + length]))
        for owner, part in enumerate(split)
        for at in range(len(part) - length + 1)
    ]
    assert owners.tolist() == [owner for owner, _ in expected]
    assert len(places) == len(expected)
    by_run = dict(zip([run for _, run in expected], hashes.tolist(), strict=True))
    assert [by_run[run] for _, run in expected] == hashes.tolist()
    assert len(set(by_run.values())) == len(by_run)


def spoken(texts: list[list[str]]) -> dict[int, int]:
    """Return the near-duplicates among dialogues given as their utterances."""
    owners = np.array([place for place, said in enumerate(texts) for _ in said], np.int64)
    return near_duplicates(
        shingles(tokenise(pl.Series([one for said in texts for one in said])), owners, len(texts)),
        0.8,
    )


def test_a_copy_with_a_few_words_changed_is_a_near_duplicate_and_the_earlier_one_is_named() -> None:
    catalogue = made.titles(300)
    texts = [
        [text for _, text in made.conversation(number, catalogue).turns] for number in range(120)
    ]
    assert spoken(texts) == {}
    copies = {
        place: [
            re.sub(r"\bthe\b", "that", one, count=1) if at == 0 else one
            for at, one in enumerate(texts[place])
        ]
        for place in (2, 5, 11, 32)
    }
    assert spoken([*texts, *copies.values()]) == dict(zip(range(120, 124), copies, strict=True))


def test_equal_dialogues_all_point_to_the_first_and_empty_ones_to_none() -> None:
    catalogue = made.titles(300)
    one = [text for _, text in made.conversation(1, catalogue).turns]
    assert spoken([[""], one, ["Hi."], one, one, [""]]) == {3: 1, 4: 1}


def test_shingles_of_chunks_joined_are_those_of_all_at_once() -> None:
    rng = random.Random(3)
    texts = [" ".join(rng.choices("abcdefgh", k=rng.randrange(12))) for _ in range(40)]
    owners = np.repeat(np.arange(10), 4)
    whole = shingles(tokenise(pl.Series(texts)), owners, 10)
    parts = [
        shingles(tokenise(pl.Series(texts[at : at + 20])), owners[at : at + 20] - at // 4, 5)
        for at in (0, 20)
    ]
    joined = join(parts)
    assert (
        joined.hashes.tolist() == whole.hashes.tolist()
        and joined.starts.tolist() == whole.starts.tolist()
    )
    assert near_duplicates(join([]), 0.8) == {}

"""Near-copies: sentences taken over with a word or two changed, against retellings in own words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from tasks.quality import load_lexicon
from tasks.settings import Home
from tasks.word_runs import OwnedTokens, copied_words, longest_near_copy, near_copying

PAIRS = yaml.safe_load(
    (Path(__file__).parents[1] / "quality" / "corpora" / "retellings.yaml").read_text("utf-8")
)
LEXICON = load_lexicon(Home())
COMMON = LEXICON.languages["en"].plain_words
LEAST = LEXICON.near_copied_from
MOST_MISSED = 0.1


def taken_over(text: str, review: str) -> int:
    """Return the words of a near-copy, or of an exact one."""
    owners = np.array([0])
    said, known = (OwnedTokens.of(pl.Series([one]), owners) for one in (text, review))
    exact = int(copied_words(said, known, LEXICON.copied_from)[0])
    if exact or not near_copying(said, known)[0]:
        return exact
    return longest_near_copy(text, [review], COMMON, LEAST).words


@pytest.mark.parametrize(
    ("text", "review"), [(text, pair["review"]) for pair in PAIRS for text in pair["told"]]
)
def test_a_retelling_is_no_copy(text: str, review: str) -> None:
    assert taken_over(text, review) == 0


def test_copies_with_a_word_or_two_changed_are_found() -> None:
    copied = [(text, pair["review"]) for pair in PAIRS for text in pair["copied"]]
    missed = [text for text, review in copied if not taken_over(text, review)]
    assert len(copied) > 20 and len(missed) <= MOST_MISSED * len(copied), missed


def test_the_stretch_is_shown_as_both_texts_have_it() -> None:
    review = (
        "It opens well. The tea with the banker and his little cakes is well judged. So is the end."
    )
    copy = longest_near_copy(
        "They liked that the tea with the banker and his small cakes is well judged, he said.",
        [review],
        COMMON,
        LEAST,
    )
    assert copy.text == "the tea with the banker and his small cakes is well judged"
    assert copy.source == "The tea with the banker and his little cakes is well judged"
    assert copy.words == 11


def test_another_person_or_tense_is_no_difference() -> None:
    review = "I was standing at the window at dusk and I looked at the lawn."
    text = "She is standing at her window at dusk and she looked at the lawn."
    assert longest_near_copy(text, [review], COMMON, LEAST).words == 13


def test_names_and_common_words_make_no_copy() -> None:
    review = (
        "Bill Tranter and Sheila Brock are in it, and so is Wes Harmon, for all of it and more."
    )
    text = "Bill Tranter and Sheila Brock were in it, and so was Wes Harmon, for all of us."
    assert longest_near_copy(text, [review], COMMON, LEAST).words == 0


def test_only_reviews_of_the_own_brief_are_copied_from() -> None:
    said = OwnedTokens.of(
        pl.Series(["one two three four five six", "one two three four five six"]), np.array([0, 1])
    )
    reviews = OwnedTokens.of(pl.Series(["one two three four five six"]), np.array([1]))
    assert near_copying(said, reviews).tolist() == [False, True]
    nothing = OwnedTokens.of(pl.Series([], dtype=pl.String), np.array([], np.int64))
    assert near_copying(said, nothing).tolist() == [False, False]
    assert near_copying(nothing, reviews).tolist() == []

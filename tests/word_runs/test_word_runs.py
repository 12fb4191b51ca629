"""Shared runs of words: two texts at a time, many at once, and against the slow and obvious way."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.word_runs import (
    OwnedTokens,
    copied_words,
    longest_shared,
    shares_run,
    texts_of,
    tokenise,
    words_of,
)

TEXTS = st.text(alphabet="aB c\u00c9'\u2019-\u2014.\u2026/\n\t,\u00b7(", max_size=40)
WORDS = st.lists(st.sampled_from("a b c d".split()), max_size=12).map(" ".join)


def copied(said: str, review: str, least: int) -> int:
    return int(copied_words(owned([said]), owned([review]), least)[0])


def owned(texts: list[str], owners: list[int] | None = None) -> OwnedTokens:
    """Return the words of texts, of one dialogue if no owners are given."""
    series = pl.Series(texts, dtype=pl.String)
    return OwnedTokens.of(series, np.array(owners or [0] * len(texts), np.int64))


def every_run(text: str) -> list[tuple[str, ...]]:
    words = [word.text for word in words_of(text)]
    return [
        tuple(words[begin:end])
        for begin in range(len(words))
        for end in range(begin + 1, len(words) + 1)
    ]


@settings(deadline=None)
@given(TEXTS)
def test_one_text_and_many_have_the_same_words(text: str) -> None:
    words = [word.text for word in words_of(text)]
    tokens = tokenise(pl.Series([text], dtype=pl.String))
    alone = tokenise(pl.Series(words, dtype=pl.String))
    assert tokens.hashes.tolist() == alone.hashes.tolist()
    assert all(
        text[word.start : word.end].lower().replace("\u2019", "'") == word.text
        for word in words_of(text)
    )


@settings(deadline=None)
@given(WORDS, WORDS)
def test_the_longest_run_is_the_longest_of_all(text: str, other: str) -> None:
    shared = set(every_run(text)) & set(every_run(other))
    longest = max(map(len, shared), default=0)
    found = longest_shared(text, [other])
    assert len(found.split()) == longest and found in text
    assert [shares_run(text, other, length) for length in (2, 3, 4)] == [
        longest >= length for length in (2, 3, 4)
    ]


REVIEW = (
    "The story of two brothers, lost at sea\n"
    "for weeks\u2014and found\u2014moved me; I don't know why."
)


@pytest.mark.parametrize(
    ("said", "run"),
    [
        (
            "So the story of TWO brothers - lost at sea for weeks, yes.",
            "the story of TWO brothers - lost at sea for weeks",
        ),
        ("lost at sea for weeks and found it", "lost at sea for weeks and found"),
        ("I don\u2019t know why not.", "I don\u2019t know why"),
        ("Nothing.", ""),
        ("...", ""),
    ],
)
def test_the_gate_its_evidence_and_the_mock_model_see_one_run(said: str, run: str) -> None:
    # A line break or a dash without spaces parts two words; punctuation alone is none.
    length = len(words_of(run))
    assert longest_shared(said, ["", REVIEW]) == run
    assert copied(said, REVIEW, 2) == length
    assert shares_run(said, REVIEW, 6) is (length >= 6)


@given(st.text(alphabet="aB\u03a3\u03c3.-'\u2019 \n\t\u2013\u2026\u00a0\x0b!,\"\u0130") | st.text())
@settings(max_examples=400, deadline=None)
def test_the_texts_of_words_alone_are_those_with_places(text: str) -> None:
    assert texts_of(text) == [word.text for word in words_of(text)]

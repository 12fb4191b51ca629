"""Which tokens are no words, by hand; and the quick look never misses what the slow one finds."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.languages import count_words
from tasks.preprocess.irregular_tokens import is_irregular, regular_text
from tasks.preprocess.token_scan import scan
from tasks.preprocess.word_counts import measure_texts
from tests.support.examples import examples


@pytest.mark.parametrize(
    "token",
    [
        "*****", "=====", "------", "!!!!", "....", ":)", ":-)", ";)", "->", "~", "$$$", "^_^", "__", "★★★★★", "😀", "👍🏽", "“”",
        "http://example.com/a?b=c", "(https://example.com)", "(www.example.com)", "www.example.com", "WWW.Example.com",
        "me@example.org", "(me@example.org)", "a" * 41, "aGVsbG8gd29ybGQhIHRoaXMgaXMgYmFzZTY0IGRhdGE=", "so-" + "0123456789abcdef" * 3,
        "bro\ufffdken", "\ue000icon", "x\x07y", "x\x9dy", "\U000e0fffx",
    ],
)  # fmt: skip
def test_irregular(token):
    assert is_irregular(token)


@pytest.mark.parametrize(
    "token",
    [
        "word", "Word,", "word!!!", "(word)", '"word"', "don't", "rock'n'roll", "o’clock", "“quoted”", "café", "naïve", "Straße",
        "well-made", "and/or", "AT&T", "&", "-", "--", "–", "—", "...", "…", "/", "+", ".", "5", "5.0", "$19.99", "100%", "#1", "24/7",
        "3:30pm", "C++",
        "a.m.", "e.g.,", "@home", "word...word", "とても良い映画でした", "非常好", "очень", "बहुत", "가나다",
        "good...........................bad", "a" * 40, "pseudopseudohypoparathyroidism",
        "antidisestablishmentarianism-antidisestablishmentarianism", "awww.", "http",
    ],
)  # fmt: skip
def test_regular(token):
    assert not is_irregular(token)
    assert regular_text(token) == token


@pytest.mark.parametrize(
    ("text", "regular"),
    [
        ("Great film :) !!! Watch it.", "Great film Watch it."),
        ("Tom &amp; Jerry &#34;rocks&#34;", 'Tom & Jerry "rocks"'),
        ("Twice &amp;quot;packed&amp;quot;", 'Twice "packed"'),
        ("One<br />two <b>three</b>", "One two three"),
        ("See http://example.com/x and www.example.org now", "See and now"),
        ("5 < 6 and 7 > 3", "5 6 and 7 3"),
        ("in\u00advis\u200bible", "invisible"),
        ("", ""),
        (":)", ""),
        ("Title\n\n:) First line.\nSecond  line :) \n", "Title\n\nFirst line.\nSecond  line"),
        ("  Two  spaces,\n\nnothing irregular.  ", "  Two  spaces,\n\nnothing irregular.  "),
        (
            "[[VIDEOID:moG3S]] Like [[ASIN:B00X4 The Other One]] it is.",
            "Like The Other One]] it is.",
        ),
        ("AT&T and R&B & more", "AT&T and R&B & more"),
        ("No & so - it -- goes ... on", "No & so - it -- goes ... on"),
    ],
)
def test_texts(text, regular):
    assert regular_text(text) == regular


PIECES = st.sampled_from(
    [" ", "  ", "\n", "\u00a0", "\u3000", "a", "word", "Word,", "-", "--", "---", "...", "....", ".", "&", "&amp;", "&lt;b&gt;", "<b>", "<",
     ">", ":)", "!", "$$", "http://x.yy", "ww", "www.", "Www.x", "WWW.x", "wWw.x", "(www.x",
     "@", "a@b.cc", "/", "://", "’", "“", "…", "😀", "é", "の", "★",
     "\ufffd", "\ue000", "\u200b", "\u00ad", "_", "\x80", "x" * 40, "x" * 41, "=" * 41, '"', "'", "(", "5", "\U000e0001", "\u0301"]
)  # fmt: skip
TEXTS = st.lists(
    st.one_of(
        st.lists(PIECES, max_size=12).map("".join),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    ),
    max_size=8,
)


@given(TEXTS)
@settings(max_examples=examples(300), deadline=None)
def test_the_quick_look_counts_words_and_misses_nothing(texts):
    texts = [
        "".join(
            " " if char < " " and char not in "\t\n\r" or char == "\x7f" else char for char in text
        )
        for text in texts
    ]
    array = pa.array(["padding :)", *texts, "more"], pa.string())[1:-1]
    found = scan(array)
    assert found.words.tolist() == [count_words(text) for text in texts]
    missed = [
        text
        for row, text in enumerate(texts)
        if row not in found.whole and row not in found.tokens and regular_text(text) != text
    ]
    assert missed == []
    kept = measure_texts(array, drop=True).to_pylist()
    assert [
        row["text"] if row["text"] is not None else text
        for row, text in zip(kept, texts, strict=True)
    ] == [regular_text(text) for text in texts]
    assert [row["words"] for row in kept] == [count_words(regular_text(text)) for text in texts]


@given(st.text(max_size=60))
@settings(deadline=None)
def test_what_is_regular_stays_so(text):
    once = regular_text(text)
    assert all(not is_irregular(token) for token in once.split()) or once == text


def test_ordinary_prose_is_not_looked_at_twice():
    prose = [
        'He said, "It isn\'t bad" - (really) 5/5... and $20 & up.',
        "Plain words only.",
        "Tab\tand\nline.",
    ]
    found = scan(pa.array(prose, pa.string()))
    assert (found.whole, found.tokens) == (set(), {})

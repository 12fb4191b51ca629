"""Words on the borders of words, and counted, in any script."""

from __future__ import annotations

import re

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.languages import (
    Language,
    count_words,
    cut_words,
    for_polars,
    phrases,
    spaced,
    spaced_column,
    spelled_column,
    words,
)
from tasks.languages.patterns import spelled
from tasks.preprocess.word_counts import measure_texts
from tasks.prompts.data_fence import cut_to_words
from tasks.quality.text_patterns import garbled_pattern
from tasks.statistics import corpus_statistics
from tasks.word_runs import longest_shared, texts_of, tokenise, words_of
from tests.support.examples import examples


def is_in(word: str, text: str) -> bool:
    """Return whether a word is found in a text, which lists of words and of phrases agree on."""
    texts = spelled_column(pl.Series([text]))
    found = bool(texts.str.contains(words([word]))[0])
    if not word.endswith("*"):
        assert found == texts.str.contains(for_polars(phrases([word])))[0]
        assert found == (re.search(phrases([word]), text) is not None)
    return found


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("öde", "Das war öde."), ("öde", "ÖDE war es"), ("süß", "Ach, wie süß!"),
        ("überragend*", "ein überragender Film"), ("été", "c’était l'été"), ("öde", "o\u0308de"),
        ("скучно", "Было скучно."), ("면*", "면이"), ("面白い", "とても面白い映画"),
        ("OK", "それはOKです"), ("de", "en de film"), ("naïve", "so “naïve”, yes"),
    ],
)  # fmt: skip
def test_a_word_is_found_on_its_borders(word: str, text: str) -> None:
    texts = spelled_column(pl.Series([text]))
    assert texts.str.contains(words([word]))[0]


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("de", "Ich bin müde."), ("öde", "die Föderation"), ("süß", "süßlich"), ("la", "là-bas"),
        ("es", "größtes Maß, ésa"), ("скуч", "Было скучно."), ("OK", "OKAYです"),
    ],
)  # fmt: skip
def test_a_part_of_a_word_is_no_word(word: str, text: str) -> None:
    assert not is_in(word, text)


@given(st.text(st.sampled_from("azAZ äÄßéЖж面い\u0308\u2019„.9²"), max_size=30))
@settings(max_examples=examples(200), deadline=None)
def test_one_text_and_a_column_are_spelled_alike(text: str) -> None:
    column = spelled_column(pl.Series([text], dtype=pl.String))[0]
    assert column == spelled(text)
    assert column == text or not text.isascii()


@given(st.text(st.sampled_from("aé 面白いカタ。、「\u2019.!?7"), max_size=30))
@settings(max_examples=examples(200), deadline=None)
def test_words_are_those_of_the_column(text: str) -> None:
    texts = pl.Series([text])
    assert spaced_column(texts)[0] == spaced(text)
    found = [word.text for word in words_of(text)]
    assert found == texts_of(text)
    assert len(tokenise(texts).hashes) == len(found)
    for word in words_of(text):
        assert text[word.start : word.end].lower().replace("\u2019", "'") == word.text


def test_words_are_counted_in_scripts_without_spaces() -> None:
    text = "とても面白い映画でした。最後まで楽しめました。"
    assert count_words(text) == 9
    assert count_words("two words") == 2
    assert measure_texts(pa.array([text]), drop=True).field("words").to_pylist() == [9]
    assert cut_words(text, 4) == "とても面白い映画"
    assert cut_to_words(text, 4) == "とても面白い映画 ..."
    assert cut_to_words(text, 9) == text


def test_copied_runs_are_found_without_spaces() -> None:
    review = "前半は静かですが、朝の別れの場面では涙が止まりませんでした。"
    said = "本当に朝の別れの場面では涙が止まりませんでしたよ。"
    assert longest_shared(said, [review]) == "朝の別れの場面では涙が止"


def test_a_text_with_but_a_name_in_such_a_script_is_counted_as_others_are() -> None:
    text = "We watched 千と千尋の神隠し twice, and it never gets old."
    assert count_words(text) == len(text.split())
    assert cut_words(text, 3) == "We watched 千と千尋の神隠し"
    counted = corpus_statistics([(1, text), (1, "面白い映画")], users=1, items=1)
    assert counted.tokens == len(text.split()) + 3


def test_tokens_of_the_statistics_are_such_words() -> None:
    assert corpus_statistics([(1, "面白い映画。"), (1, "面白い本")], users=1, items=1).tokens == 4


LONG = "先週この映画を観たのですが本当に素晴らしくて最後まで目が離せませんでしたのでおすすめです"


@pytest.mark.parametrize("text", [LONG, "Es war süß, aber kein Angstschweiß."])
def test_ordinary_text_is_not_garbled(text: str) -> None:
    german = Language.model_validate({"unreadable": {"consonants": 11}})
    assert not re.search(garbled_pattern(german), text)
    assert not pl.Series([text]).str.contains(garbled_pattern(german))[0]


@pytest.mark.parametrize(
    "text", ["x" * 40, "縺薙ｓ縺ｫ縺｡縺ｯ", "ã\x81“ã‚“ã«", "xkqzvbnmt", "\ufffd"]
)
def test_what_nobody_can_read_is_garbled(text: str) -> None:
    assert re.search(garbled_pattern(Language()), text)
    assert pl.Series([text]).str.contains(garbled_pattern(Language()))[0]

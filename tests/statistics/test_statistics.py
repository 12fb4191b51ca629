from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks import statistics
from tasks.errors import UserError
from tasks.release import write_release
from tasks.settings import Home
from tasks.statistics import Statistics, corpus_statistics, folder_statistics, warehouse_statistics
from tests.support.small_warehouse import small_warehouse


def by_hand(texts: list[str]) -> tuple[int, int]:
    tokens: set[str] = set()
    grams: set[tuple[str, ...]] = set()
    for text in texts:
        found = re.findall(r"[^\W_]+(?:['’-][^\W_]+)*", text.lower())
        tokens.update(found)
        grams.update(zip(found, found[1:], found[2:], found[3:], strict=False))
    return len(tokens), len(grams)


def test_hand_counted() -> None:
    said = [
        ("a", "Don't you like sci-fi?"),
        ("a", "I DON'T like it, no."),
        ("b", "don't you like sci-fi films"),
        ("b", ""),
    ]
    # tokens: don't you like sci-fi i it no films; 4-grams: 1 + (i don't like it, don't like it no)
    # + one new
    assert corpus_statistics(said, users=1, items=5) == Statistics(2, 4, 8, 4, 1, 5)
    found = corpus_statistics(said, users=1, items=None)
    assert (found.dialogues_per_user, found.utterances_per_dialogue) == (2.0, 2.0)


def test_nothing_at_all() -> None:
    found = corpus_statistics([], users=None, items=None)
    assert found == Statistics(0, 0, 0, 0, None, None)
    assert found.dialogues_per_user is None
    assert found.utterances_per_dialogue is None
    assert corpus_statistics([(1, "...")], users=0, items=0) == Statistics(1, 1, 0, 0, 0, 0)


@given(st.lists(st.text(alphabet="abAB '’-.1é\n", max_size=30), max_size=30), st.integers(1, 7))
def test_agrees_with_a_plain_count_for_any_batch_size(texts: list[str], batch: int) -> None:
    kept, statistics.BATCH = statistics.BATCH, batch
    try:
        found = corpus_statistics(enumerate(texts), users=None, items=None)
    finally:
        statistics.BATCH = kept
    assert (found.tokens, found.four_grams) == by_hand(texts)
    assert (found.dialogues, found.utterances) == (len(texts), len(texts))


def test_a_release_counts_as_its_warehouse(tmp_path: Path) -> None:
    con = small_warehouse()
    folder = write_release(con, Home(data=tmp_path), "demo", run={}).path
    found = warehouse_statistics(con)
    assert found == folder_statistics(folder)
    assert (found.dialogues, found.utterances, found.users, found.items) == (3, 10, 3, 6)


def test_a_folder_that_is_no_release(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        folder_statistics(tmp_path)

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tasks.reports.highlights import Piece, item_spans, pieces, shared_spans

COMMON = frozenset({"the", "of", "was", "and", "with"})
words = st.text(alphabet="aAbB thewasé'-.,\u202e\n", max_size=60)


def marked(text: str, spans: list) -> list[str]:  # type: ignore[type-arg]
    return [text[span.start : span.end] for span in spans]


def test_shared_runs_are_found_in_both_texts() -> None:
    said, review = (
        "They loved the silent supper, and Pell.",
        "The SILENT supper was it. Pell steals all four.",
    )
    here, there = shared_spans(said, review, 2, COMMON)
    assert marked(said, here) == ["silent supper", "Pell"]
    assert marked(review, there) == [
        "SILENT supper",
        "Pell",
    ]
    assert {span.slot for span in (*here, *there)} == {2}


def test_common_and_short_words_are_not_marked() -> None:
    assert shared_spans("It was the end of it", "The end of it was the end", 1, COMMON) == ([], [])


def test_long_runs_keep_their_common_words() -> None:
    here, _ = shared_spans("a cup set out for the widow", "He set out for the widow", 1, COMMON)
    assert marked("a cup set out for the widow", here) == ["set out for the widow"]


def test_words_of_a_title_are_nobodys() -> None:
    said = "Hands That Build Boats won me over."
    here, there = shared_spans(
        said, "watch his hands", 1, COMMON, item_spans(said, {1: "hands that build boats"})
    )
    assert here == there == []


def test_the_longer_of_two_titles_is_marked() -> None:
    text = "Alien, no: Aliens Return!"
    assert marked(
        text,
        sorted(item_spans(text, {1: "Alien", 2: "Aliens Return"}), key=lambda span: span.start),
    ) == [
        "Alien",
        "Aliens Return",
    ]


def test_pieces_of_a_named_item() -> None:
    text = "Try Heat."
    assert pieces(text, item_spans(text, {3: "Heat"})) == [
        Piece("Try "),
        Piece("Heat", "item", 3),
        Piece("."),
    ]


@given(words, words, words)
def test_pieces_put_together_are_the_text(said: str, review: str, title: str) -> None:
    here, there = shared_spans(said, review, 1, COMMON)
    assert (
        "".join(piece.text for piece in pieces(said, [*item_spans(said, {1: title}), *here]))
        == said
    )
    assert "".join(piece.text for piece in pieces(review, there)) == review

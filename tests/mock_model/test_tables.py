"""The phrase tables: every sub-goal has words, every slot is filled, polarity is kept."""

from __future__ import annotations

import re
from random import Random

import pytest

from tasks.goals import load_goals
from tasks.mock_model.nouns import Piece
from tasks.mock_model.opinions import aspect
from tasks.mock_model.phrases import KINDS, Voice, grammar, lexicon, read_table
from tasks.mock_model.reviews import fitting, mood, pieces
from tasks.mock_model.scene import plural
from tasks.settings import Home

DOMAIN = {
    "noun": "movie",
    "nouns": "movies",
    "verb": "watched",
    "watch": "watch",
    "watching": "watching",
    "fans": "viewers",
}
GIVEN = {"item": "X", "it": "it", "that": "that one", "said": "it was so", "a": "this", "b": "that"}


def rows(kind: str, prefix: str) -> list[str]:
    """Return a table's rows, its contexts' too, with places as `{name}`."""
    tables = [
        frames
        for name, frames in grammar(kind).items()
        if name == prefix or name.startswith(f"{prefix}.")
    ]
    return [
        "".join(f"{{{part}}}" if odd % 2 else part for odd, part in enumerate(frame))
        for frames in tables
        for frame in frames
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_every_sub_goal_has_a_dozen_ways_to_be_said(kind: str) -> None:
    shared = {"recommend": "recommend", "introduce": "introduce_other"}
    for goal in load_goals(Home()).by_id:
        table = shared.get(goal.partition("_")[0], goal)
        assert len(rows(kind, table)) >= 12, goal


@pytest.mark.parametrize("kind", KINDS)
def test_every_row_can_be_expanded(kind: str) -> None:
    places = {**GIVEN, **aspect(Piece(1, "sound", adjective="clear"))}
    for table, frames in grammar(kind).items():
        voice = Voice(Random(1), kind, DOMAIN)
        said = [voice.say(table, places) for _ in frames]
        assert len(set(said)) >= min(2, len(frames)) and not any(
            re.search(r"[{}_|\d]", text) for text in said
        ), table


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("prefix", "wrong"),
    [
        ("like", -1),
        ("dislike", 1),
        ("greeting_likes", -1),
        ("greeting_dislikes", 1),
        ("dislikes_review", 1),
    ],
)
def test_praise_and_blame_stay_on_their_side(kind: str, prefix: str, wrong: int) -> None:
    words = lexicon()
    for table in (
        name for name in grammar(kind) if name == prefix or name.startswith(f"{prefix}_")
    ):
        for row in rows(kind, table):
            found = [
                word
                for word in re.findall(r"[a-z]+", row.lower())
                if words.direction.get(word) == wrong
            ]
            assert not found or not words.negators.isdisjoint(
                re.findall(r"[a-z']+", row.lower())
            ), (table, row, found)


@pytest.mark.parametrize("kind", KINDS)
def test_no_goal_wording_in_the_tables(kind: str) -> None:
    names = {goal.replace("_", " ") for goal in load_goals(Home()).by_id if "_" in goal}
    for table in grammar(kind):
        for row in rows(kind, table):
            assert not [name for name in names if re.search(rf"\b{name}\b", row.lower())], (
                table,
                row,
            )


def test_themes_are_whole() -> None:
    for name, theme in read_table("themes").items():
        assert (
            {"words", "direction", "own", "others"}
            <= set(theme)
            <= {"kind", "words", "direction", "own", "others"}
        ), name
        assert (
            theme["direction"] in (1, -1)
            and theme.get("kind", "story") in KINDS
            and len(theme["own"]) >= 2
            and len(theme["others"]) >= 2
        )


def test_pieces_of_a_review() -> None:
    found = pieces(
        "I loved the harbour scenes and the witty dialogue. The first half is slow. The baptism "
        "in the river.",
        "story",
    )
    assert [
        (piece.direction, piece.noun, piece.plural, piece.adjective, piece.theme) for piece in found
    ] == [
        (1, "harbour scenes", True, "", ""),
        (1, "", False, "", "laughter"),
        (1, "dialogue", False, "witty", ""),
        (-1, "", False, "", "boredom"),
        (-1, "first half", False, "slow", ""),
        (0, "baptism in the river", False, "", ""),
    ]
    assert [piece.listed for piece in found if piece.noun] == [True, True, True, False]


@pytest.mark.parametrize(
    ("review", "direction", "nouns"),
    [
        ("The sound is not good.", 1, []),
        ("The sound is not good.", -1, ["sound"]),
        ("I never found the strap uncomfortable.", -1, ["strap"]),  # no blame, only a mention
        ("If the screen were bright I would keep it.", 1, []),
        ("Tom loved Battery Park.", 1, []),
        ("The battery is better than the old charger.", 1, []),
    ],
)
def test_negation_and_wishes_are_no_praise(review: str, direction: int, nouns: list[str]) -> None:
    assert [piece.noun for piece in fitting(review, "thing", direction) if piece.noun] == nouns


@pytest.mark.parametrize(
    ("text", "feeling"),
    [
        ("I loved it.", 1),
        ("It was awful and boring.", -1),
        ("It was long.", 0),
        ("", 0),
        ("Not good.", -1),
    ],
)
def test_mood_of_a_text(text: str, feeling: int) -> None:
    assert mood(text) == feeling


@pytest.mark.parametrize(
    ("noun", "many"),
    [
        ("movie", "movies"),
        ("accessory", "accessories"),
        ("toy", "toys"),
        ("watch", "watches"),
        ("piece of gear", "pieces of gear"),
        ("box", "boxes"),
    ],
)
def test_plural(noun: str, many: str) -> None:
    assert plural(noun) == many

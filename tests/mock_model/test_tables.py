"""The phrase tables: every sub-goal has words, every slot is filled, polarity is kept."""

from __future__ import annotations

import re
from itertools import product
from random import Random

import pytest

from tasks.goals import load_goals
from tasks.mock_model.phrases import Voice, aspect, grammar, noun_forms
from tasks.mock_model.reviews import KINDS, Piece, lexicon, mood, pieces, read_table, themes
from tasks.settings import Home

DOMAIN = {**noun_forms("movie"), "verb": "watched", "watch": "watch", "fans": "viewers"}
GIVEN = {"item": "X", "it": "it", "that": "that one", "said": "it was so", "a": "this", "b": "that"}


def rows(kind: str, prefix: str) -> list[str]:
    """Return a table's rows, its contexts' too, with places as `{name}` and each choice made."""
    found = []
    for name, frames in grammar(kind).items():
        if name == prefix or name.startswith(f"{prefix}."):
            found += [row for frame in frames for row in expanded(frame)]
    return found


def expanded(frame: tuple[str, ...]) -> list[str]:
    """Return a row once for each way to make its choices of the form `{a|b}`."""
    choices = [
        [part] if not odd % 2 else part.split("|") if "|" in part else [f"{{{part}}}"]
        for odd, part in enumerate(frame)
    ]
    return ["".join(parts) for parts in product(*choices)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_sub_goal_has_a_dozen_ways_to_be_said(kind: str) -> None:
    shared = {"recommend": "recommend", "introduce": "introduce_other"}
    for goal in load_goals(Home()).by_id:
        table = shared.get(goal.partition("_")[0], goal)
        assert len(set(rows(kind, table))) >= 12, goal


@pytest.mark.parametrize("kind", KINDS)
def test_every_row_can_be_expanded(kind: str) -> None:
    places = {**GIVEN, **aspect(Piece(1, "sound", adjective="clear"))}
    for table, frames in grammar(kind).items():
        voice = Voice(Random(1), kind, DOMAIN)
        said = [voice.say(table, **places) for _ in frames]
        assert len(set(said)) >= min(2, len(frames)), table
        assert not any(re.search(r"[{}_|\d]", text) for text in said), table


@pytest.mark.parametrize("kind", KINDS)
def test_every_table_is_reached(kind: str) -> None:
    """A table is a sub-goal's, or belongs to one of the families that the code asks for by name."""
    goals = set(load_goals(Home()).by_id)
    places = {
        place for frames in grammar(kind).values() for frame in frames for place in frame[1::2]
    }
    families = ("recommend", "introduce_other", "more", "own", "others", "joined", "like")
    for table in grammar(kind):
        family = table.partition(".")[0]
        known = family in goals or family in families or table in places
        opinion = table.startswith(("like_", "dislike_", "others_", "joined"))
        assert known or opinion or table in ("plain", "mention", "ground"), table


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
    direction, negators = lexicon(kind).direction, lexicon(kind).lists["negators"]
    tables = [name for name in grammar(kind) if name == prefix or name.startswith(f"{prefix}_")]
    assert tables
    for table in tables:
        for row in rows(kind, table):
            found = [word for word in re.findall(r"[a-z]+", row) if direction.get(word) == wrong]
            negated = not negators.isdisjoint(re.findall(r"[a-z']+", row.lower()))
            assert not found or negated, (table, row, found)


@pytest.mark.parametrize("kind", KINDS)
def test_no_goal_wording_in_the_tables(kind: str) -> None:
    names = {goal.replace("_", " ") for goal in load_goals(Home()).by_id if "_" in goal}
    for table in grammar(kind):
        for row in rows(kind, table):
            said = [name for name in names if re.search(rf"\b{name}\b", row.lower())]
            assert not said, (table, row)


def test_themes_are_whole() -> None:
    groups = read_table("opinions")["themes"]
    signs = {f"{sign}{only}" for sign in ("praise", "blame") for only in ("", ".story", ".thing")}
    assert set(groups) == signs
    for group, entries in groups.items():
        for entry in entries:
            assert set(entry) == {"words", "own", "others"}, group
            assert entry["words"].split() and len(entry["own"]) >= 2 and len(entry["others"]) >= 2
    assert all(direction in (1, -1) for kind in KINDS for _, direction, _ in themes(kind))


def test_pieces_of_a_review() -> None:
    found = pieces(
        "I loved the harbour scenes and the witty dialogue. The final chase is slow. The "
        "baptism in the river. I admired the phone calls.",
        "story",
    )
    assert [
        (piece.direction, piece.noun, piece.plural, piece.adjective, bool(piece.theme))
        for piece in found
    ] == [
        (1, "harbour scenes", True, "", False),
        (1, "", False, "", True),
        (1, "dialogue", False, "witty", False),
        (-1, "", False, "", True),
        (-1, "final chase", False, "slow", False),
        (0, "baptism in the river", False, "", False),
    ]
    assert [piece.listed for piece in found if piece.noun] == [True, True, True, False]
    assert [piece.word for piece in found if piece.theme] == ["witty", "slow"]


@pytest.mark.parametrize(
    ("review", "expected"),
    [
        ("The sound is not good.", {-1: ["sound"]}),
        ("I never found the strap uncomfortable.", {0: ["strap"]}),  # no blame, only a mention
        ("If the screen were bright I would keep it.", {}),
        ("Tom loved Battery Park.", {}),
        ("The battery is better than the old charger.", {}),
        ("The handle never came off.", {0: ["handle"]}),
        ("The strap and the zipper are great.", {0: ["strap"], 1: ["zipper"]}),
    ],
)
def test_negation_and_wishes_are_no_praise(review: str, expected: dict[int, list[str]]) -> None:
    found: dict[int, list[str]] = {}
    for piece in pieces(review, "thing"):
        if piece.noun:
            found.setdefault(piece.direction, []).append(piece.noun)
            assert not piece.adjective or piece.direction == 1
    assert found == expected


@pytest.mark.parametrize(
    ("text", "feeling"),
    [
        ("I loved it.", 1),
        ("It was awful and boring.", -1),
        ("It was long.", 0),
        ("", 0),
        ("Not good.", -1),
        ("Not bad.", 0),
        ("I couldn't get enough of it.", 0),
    ],
)
def test_mood_of_a_text(text: str, feeling: int) -> None:
    assert mood(text) == feeling


@pytest.mark.parametrize(
    ("noun", "one", "many"),
    [
        ("movie", "a movie", "movies"),
        ("accessory", "an accessory", "accessories"),
        ("toy", "a toy", "toys"),
        ("watch", "a watch", "watches"),
        ("piece of gear", "a piece of gear", "pieces of gear"),
        ("box", "a box", "boxes"),
        ("unicycle", "a unicycle", "unicycles"),
        ("item", "an item", "items"),
    ],
)
def test_forms_of_a_noun(noun: str, one: str, many: str) -> None:
    assert noun_forms(noun) == {"noun": noun, "a noun": one, "nouns": many}

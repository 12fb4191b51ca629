"""The item to be recommended spoken of before its turn, in words that only its reviews have."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tasks.dialogues import parse_transcripts
from tasks.quality import judge, load_lexicon
from tasks.quality.hints import allusions, hinting_words
from tasks.settings import Home
from tests.quality.test_gate import MakeDomain
from tests.support import conversations as made
from tests.support.rules import rules_of

LANGUAGE = load_lexicon(Home()).languages["en"]
TARGET = "Twelve silent minutes at the safe, then the deckchairs. The accordion strolls along."
OTHER = "The enemy is a fungus, and the banker is silent."


@pytest.mark.parametrize(
    ("said", "strength"),
    [
        ("There's one where it turns on the safe and the deckchairs.", 4),
        ("Isn't there a movie about an accordion and deckchairs?", 4),
        ("I like a safe, deckchairs and an accordion that strolls.", 4),
        ("I'd like something with deckchairs and an accordion.", 2),
        ("There's one about deckchairs. It has an accordion.", 0),
        ("There's one with a banker who is silent about the fungus.", 0),
        ("I'd rather have a film with a good ending.", 0),
    ],
)
def test_words_of_the_target_weigh_more_where_a_sentence_points_to_a_work(
    said: str, strength: int
) -> None:
    found = allusions(said, [TARGET], [OTHER], language=LANGUAGE)
    assert max(value for _, value in found) == strength


def test_words_that_other_texts_have_give_nothing_away() -> None:
    said = "The silent safe and the fungus, the safe!"
    assert hinting_words(said, [TARGET], [OTHER], LANGUAGE) == ["safe"]


def test_the_rule_names_the_sentence_and_its_words(home: Home, domain: MakeDomain) -> None:
    catalogue = made.titles(80)
    one = made.conversation(1, catalogue)  # its third item is the target, due in turn 6
    one = replace(one, reviews={**one.reviews, (3, "other"): TARGET})
    hint = "There's one with deckchairs and an accordion."
    turns = list(one.turns)
    for at in (2, 7):
        turns[at] = (turns[at][0], f"{turns[at][1]} {hint}")
    con = made.warehouse([one], catalogue)
    made.answer(con, [(one.dialogue_id, one.with_turns(turns).grounded())], "grounded")
    parse_transcripts(con, domain(), 1)
    judge(con, rules_of(home, domain()), domain(), 1)
    found = con.execute(
        "SELECT severity, turn, evidence FROM rejections WHERE rule = 'target-not-alluded-to'"
    ).fetchall()
    assert found == [("reject", 3, f"{hint} (deckchairs, accordion)")]

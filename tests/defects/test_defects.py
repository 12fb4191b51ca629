"""The defect corpus: every kind of defect is caught by the rule meant for it, and good dialogues pass."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from tasks.dialogues import parse_transcripts
from tasks.quality import judge
from tasks.settings import Domain, Home
from tests.support import conversations as made
from tests.support import defects
from tests.support.rules import rules_of

GOOD = 600
EACH = 12  # dialogues of each kind
CATALOGUE = [*made.titles(800)]
DEFECTS = {defect.name: defect for defect in defects.DEFECTS}


@dataclass(frozen=True)
class Corpus:
    """A judged corpus: which dialogues are good, which have which defect, and the warehouse that tells what they fell to."""

    con: duckdb.DuckDBPyConnection
    good: list[str]
    spoiled: dict[str, list[str]]
    near: list[str]

    def fell_to(self, ids: list[str]) -> dict[str, set[str]]:
        """Return the rules each dialogue broke."""
        rows = self.con.execute(
            "SELECT dialogue_id, rule FROM rejections WHERE dialogue_id IN (SELECT unnest(?))",
            [ids],
        ).fetchall()
        found: dict[str, set[str]] = {dialogue_id: set() for dialogue_id in ids}
        for dialogue_id, rule in rows:
            found[dialogue_id].add(rule)
        return found


@pytest.fixture(scope="module", params=["grounded", "paper"])
def corpus(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Corpus]:
    """Spoil and judge a corpus in one profile."""
    profile, rng = str(request.param), random.Random(7)
    good = [made.conversation(number, CATALOGUE) for number in range(GOOD)]
    answers = [(one, getattr(one, profile)(), "stop") for one in good]
    numbers = iter(range(GOOD, 100_000))
    spoiled: dict[str, list[str]] = {}
    for defect in defects.DEFECTS:
        while len(spoiled.setdefault(defect.name, [])) < EACH:
            one = made.conversation(next(numbers), CATALOGUE)
            text = defects.spoil(one, defect, profile, rng)
            if text is not None:
                answers.append((one, text, defect.finish_reason))
                spoiled[defect.name].append(one.dialogue_id)
    near = [
        defects.near_copy(
            made.conversation(next(numbers) // 3 * 3 + place % 3 + 3_000, CATALOGUE), good[place]
        )
        for place in range(EACH)
    ]
    answers += [(one, getattr(one, profile)(), "stop") for one in near]
    con = made.warehouse([one for one, _, _ in answers], CATALOGUE)
    for reason in ("stop", "length", "content_filter"):
        made.answer(
            con,
            [(one.dialogue_id, text) for one, text, ended in answers if ended == reason],
            profile,
            finish_reason=reason,
        )
    domain = Domain.model_validate(
        {
            "name": "defects",
            "sources": {"format": "amazon_2014", "reviews": ["none"]},
            "quality": {"suites": ["paper", "grounded"]},
        }
    )
    home = Home(data=Path(tmp_path_factory.mktemp("defects")))
    parse_transcripts(con, domain, 1)
    judge(con, rules_of(home, domain), domain, 1)
    yield Corpus(con, [one.dialogue_id for one in good], spoiled, [one.dialogue_id for one in near])
    con.close()


@pytest.mark.parametrize("name", DEFECTS)
def test_every_dialogue_with_the_defect_falls_to_its_rule(corpus: Corpus, name: str) -> None:
    fell = corpus.fell_to(corpus.spoiled[name])
    assert len(fell) == EACH
    missed = {
        dialogue_id: rules for dialogue_id, rules in fell.items() if DEFECTS[name].rule not in rules
    }
    assert not missed, f"{len(missed)} of {EACH} not caught by {DEFECTS[name].rule}"


def test_near_copies_fall(corpus: Corpus) -> None:
    fell = corpus.fell_to(corpus.near)
    assert len(fell) == EACH
    assert all("no-near-duplicate" in rules for rules in fell.values()), fell


def test_at_most_one_good_dialogue_in_a_hundred_falls(corpus: Corpus) -> None:
    fell = {
        dialogue_id: rules for dialogue_id, rules in corpus.fell_to(corpus.good).items() if rules
    }
    assert len(fell) <= len(corpus.good) // 100, fell


def test_there_are_at_least_twenty_kinds_and_every_rule_has_one() -> None:
    rules = {defect.rule for defect in defects.DEFECTS} | {"no-near-duplicate"}
    assert len(DEFECTS) == len(defects.DEFECTS) >= 20
    assert len(rules) == 29, "a rule of the two suites without a defect meant for it"


def test_evidence_names_the_turn_and_the_piece(corpus: Corpus) -> None:
    rows = corpus.con.execute(
        "SELECT rule, turn, evidence FROM rejections WHERE dialogue_id IN (SELECT unnest(?))",
        [corpus.spoiled["e-mail address"]],
    ).fetchall()
    assert {(rule, evidence) for rule, _, evidence in rows} == {
        ("no-personal-data", "jo.smith@example.org")
    }
    assert all(turn >= 1 for _, turn, _ in rows)

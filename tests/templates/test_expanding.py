"""Counting, listing and sampling, compared with a small grammar by hand and with brute force."""

from __future__ import annotations

from collections import Counter
from itertools import product
from typing import Any

import pytest
import yaml

from tasks.errors import UserError
from tasks.goals import Goals
from tasks.settings import Home
from tasks.templates import (
    Cell,
    Grammar,
    build_template,
    count_templates,
    enumerate_templates,
    expand,
    legal,
    parse_grammar,
    sample_templates,
)
from tasks.templates.assembly import with_speakers
from tasks.templates.enumeration import Census

# greeting (2 ways), recommendation, then accepted and over; or chit-chat back and forth, at most
# once, before the recommendation.
SMALL: dict[str, Any] = {
    "lengths": {1: [4, 6], 2: [6, 6]},
    "at_most": [{"of": ["chit_chat"], "times": 1}],
    "sets": {
        "greet": ["greeting_likes", "greeting_dislikes"],
        "recommend": ["recommend_likes", "recommend_dislikes", "recommend_might_likes"],
    },
    "start": "opening",
    "states": {
        "opening": {"speaker": "user", "moves": [{"say": ["greet"], "then": "greeted"}]},
        "greeted": {
            "speaker": "agent",
            "moves": [
                {"say": ["recommend"], "then": "recommended"},
                {"say": ["respond_simply"], "then": "warmed"},
            ],
        },
        "warmed": {"speaker": "user", "moves": [{"say": ["chit_chat"], "then": "greeted"}]},
        "recommended": {
            "speaker": "user",
            "moves": [
                {"say": ["accept_gratitude"], "then": "leaving"},
                {"say": ["reject_without_reason"], "then": "greeted"},
            ],
        },
        "leaving": {"speaker": "agent", "moves": [{"say": ["end_conversation"], "then": "over"}]},
        "over": {"speaker": "user", "ends": True, "moves": []},
    },
}


@pytest.fixture(scope="module")
def small(goals: Goals) -> Grammar:
    return parse_grammar(SMALL, goals, "small")


def test_counts_are_those_worked_out_by_hand(small: Grammar) -> None:
    counts = {cell: count for cell, count in count_templates(small).items() if count}
    assert counts == {
        Cell(1, 4, 0): 1,
        Cell(1, 4, 1): 1,
        Cell(1, 6, 0): 1,  # with chit-chat
        Cell(1, 6, 1): 1,
        Cell(2, 6, 0): 1,
        Cell(
            2, 6, 1
        ): 2,  # a liked item greeted with and a disliked one rejected, or the other way round
        Cell(2, 6, 2): 1,
    }


def test_listing_gives_exactly_what_brute_force_finds_legal(small: Grammar) -> None:
    listed = {template.template_id for template in enumerate_templates(small)}
    said_by = {
        "user": [
            ("greeting_likes",),
            ("greeting_dislikes",),
            ("chit_chat",),
            ("accept_gratitude",),
            ("reject_without_reason",),
        ],
        "agent": [
            ("recommend_likes",),
            ("recommend_dislikes",),
            ("recommend_might_likes",),
            ("respond_simply",),
            ("end_conversation",),
        ],
    }
    found = set()
    for length in (3, 4, 5, 6):
        for talk in product(
            *(said_by["user" if turn % 2 == 0 else "agent"] for turn in range(length))
        ):
            template = build_template(small.goals, with_speakers(talk))
            if not legal(small, template):
                found.add(template.template_id)
    assert listed == found
    assert len(listed) == 8


def test_the_kth_template_is_the_kth_listed(small: Grammar) -> None:
    census = Census(small)
    ranked = [
        build_template(small.goals, with_speakers(census.template(cell, rank)))
        for cell, count in count_templates(small).items()
        for rank in range(count)
    ]
    assert ranked == list(enumerate_templates(small))
    with pytest.raises(IndexError):
        census.template(Cell(2, 6, 1), 2)


def test_a_sample_is_distinct_seeded_and_spread(grammar: Grammar) -> None:
    drawn = sample_templates(grammar, 300, seed=7)
    assert len({template.template_id for template in drawn}) == 300
    lengths = Counter((template.recommendations, len(template.turns)) for template in drawn)
    assert len(lengths) == 18
    assert all(5 * (many + 1) <= count <= 6 * (many + 1) for (many, _), count in lengths.items())


def test_the_seed_alone_decides_the_sample(small: Grammar) -> None:
    samples = {
        seed: [template.template_id for template in sample_templates(small, 4, seed)]
        for seed in range(10)
    }
    assert all(
        [template.template_id for template in sample_templates(small, 4, seed)] == drawn
        for seed, drawn in samples.items()
    )
    assert len({tuple(drawn) for drawn in samples.values()}) > 3


def test_all_of_a_small_grammar_can_be_sampled_and_no_more(small: Grammar) -> None:
    assert {template.template_id for template in sample_templates(small, 8, 1)} == {
        template.template_id for template in enumerate_templates(small)
    }
    assert sample_templates(small, 0, 1) == []
    with pytest.raises(UserError, match="has 8 templates, 9 were asked for"):
        sample_templates(small, 9, 1)


def test_expand_lists_every_template_one_by_one() -> None:
    every = expand(Home())
    first = [next(every) for _ in range(3)]
    assert [len(template.turns) for template in first] == [6, 6, 6]
    assert len({template.template_id for template in first}) == 3


def test_expand_samples_by_number(own_home: Home) -> None:
    (own_home.project / "goal_specs" / "grammar.yaml").write_text(
        yaml.safe_dump(SMALL), encoding="utf-8"
    )
    assert len(list(expand(own_home, 5, seed=3))) == 5
    assert len(list(expand(own_home))) == 8

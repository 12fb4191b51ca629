"""The chances of templates."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.briefs.template_choice import MAX_TILT, PUBLISHED_PATTERNS, Weighted, make_choice
from tasks.settings import Briefs
from tasks.templates import Template, pattern


def of_lengths(
    templates: tuple[Template, ...], recommendations: int, lengths: set[int]
) -> list[Template]:
    return [
        template
        for template in templates
        if template.recommendations == recommendations and len(template.turns) in lengths
    ]


@pytest.mark.parametrize(
    ("chance", "option"), [(0.0, "a"), (0.2499, "a"), (0.25, "c"), (0.9999999, "c")]
)
def test_an_option_is_picked_by_its_share(chance: float, option: str) -> None:
    assert Weighted.of([("a", 1.0), ("b", 0.0), ("c", 3.0)]).pick(chance) == option


def test_the_mean_is_weighted_by_hand() -> None:
    assert Weighted.of([(6, 1.0), (10, 3.0)]).mean(lambda length: length) == 9.0


def test_the_tilt_is_the_one_worked_out_by_hand(templates: tuple[Template, ...]) -> None:
    # Lengths 6 and 10 equally often; a mean of 9 needs the weights 1 : 3, so e^(4 tilt) = 3.
    choice = make_choice(of_lengths(templates, 1, {6, 10}), Briefs(mean_utterances=9))
    assert choice.tilt == pytest.approx(math.log(3) / 4)
    assert choice.expected_utterances == pytest.approx(9)


def test_the_published_shares_are_those_of_the_table() -> None:
    by_class = Counter(
        {
            many: sum(count for used, count in PUBLISHED_PATTERNS.items() if sum(used) == many)
            for many in (1, 2, 3)
        }
    )
    assert by_class == {1: 2733, 2: 3112, 3: 3887}
    assert by_class.total() + 357 == 10_089


@pytest.mark.parametrize("aim", [8.0, 9.33, 10.13, 11.5])
def test_the_mean_aimed_at_is_met(templates: tuple[Template, ...], aim: float) -> None:
    assert make_choice(
        templates, Briefs(mean_utterances=aim) if aim >= 8.4 else Briefs(mean_utterances=8.4)
    ).expected_utterances == pytest.approx(max(aim, 8.4), abs=1e-6)


def test_a_mean_out_of_reach_is_approached(templates: tuple[Template, ...]) -> None:
    choice = make_choice(of_lengths(templates, 3, {12, 16}), Briefs(mean_utterances=6))
    assert choice.tilt == pytest.approx(-MAX_TILT)
    assert 12 < choice.expected_utterances < 12.01


def test_draws_follow_the_shares(templates: tuple[Template, ...]) -> None:
    choice = make_choice(templates, Briefs())
    drawn = [choice.draw(1, "user", position, (3, 3)) for position in range(20_000)]
    found = [template for template in drawn if template is not None]
    assert len(found) == 20_000
    many = Counter(template.recommendations for template in found)
    assert [many[number] / 20_000 for number in (1, 2, 3)] == pytest.approx(
        [0.27, 0.31, 0.42], abs=0.012
    )
    assert sum(len(template.turns) for template in found) / 20_000 == pytest.approx(10.13, abs=0.06)
    patterns = Counter(pattern(template) for template in found)
    for used, count in PUBLISHED_PATTERNS.items():
        share = (
            {1: 0.27, 2: 0.31, 3: 0.42}[sum(used)] * count / {1: 2733, 2: 3112, 3: 3887}[sum(used)]
        )
        assert patterns[used] / 20_000 == pytest.approx(share, abs=0.012)
    assert len({template.template_id for template in found}) == 168


@settings(deadline=None)
@given(
    have=st.tuples(st.integers(0, 5), st.integers(0, 5)),
    seed=st.integers(0, 2**32),
    position=st.integers(1, 50),
)
def test_what_is_drawn_fits_and_is_the_same_again(
    templates: tuple[Template, ...], have: tuple[int, int], seed: int, position: int
) -> None:
    template = make_choice(templates, Briefs()).draw(seed, "user", position, have)
    if have == (0, 0):
        assert template is None
        return
    assert template is not None
    likes, dislikes = pattern(template)
    assert likes <= have[0] and dislikes <= have[1]
    assert make_choice(templates[::-1], Briefs()).draw(seed, "user", position, have) == template


def test_a_weight_of_nothing_is_never_drawn(templates: tuple[Template, ...]) -> None:
    choice = make_choice(templates, Briefs(weights={1: 0, 2: 1, 3: 0}))
    assert choice.draw(1, "user", 1, (1, 0)) is None
    drawn = {choice.draw(1, "user", position, (3, 3)) for position in range(200)}
    assert {template.recommendations for template in drawn if template} == {2}


def test_a_set_without_a_class_gives_its_share_to_the_others(
    templates: tuple[Template, ...],
) -> None:
    choice = make_choice(
        [template for template in templates if template.recommendations != 3], Briefs()
    )
    drawn = Counter(
        template.recommendations
        for template in (choice.draw(1, "user", n, (3, 3)) for n in range(5_000))
        if template
    )
    assert drawn[1] / 5_000 == pytest.approx(27 / 58, abs=0.025)


def test_templates_beyond_three_recommendations_have_no_weight(
    templates: tuple[Template, ...],
) -> None:
    assert make_choice([replace(templates[0], recommendations=4)], Briefs()).weights == {}

"""The curated set: its content, how it was chosen, and that its dialogues make sense."""

from __future__ import annotations

from collections import Counter

import pytest

from tasks.settings import Home
from tasks.templates import Grammar, Template, check_templates, load_templates, pattern
from tasks.templates.curated_set import curate

RECOMMEND = {"recommend_likes", "recommend_dislikes", "recommend_might_likes"}
REASONS = {"have_seen", "dislikes_review"}
WANTED = {"accept_without_reason", "accept_with_reason", "accept_gratitude", "express_interest"}


@pytest.fixture(scope="module")
def curated() -> tuple[Template, ...]:
    return load_templates(Home()).templates


def test_the_report_counts_168_distinct_templates_that_use_every_sub_goal() -> None:
    found = check_templates(Home())
    assert found.templates == 168
    assert found.unused == ()
    assert min(found.goal_uses.values()) >= 20
    assert sum(found.by_kind.values()) == sum(found.by_pattern.values()) == 168
    assert {kind for kind in found.by_kind} == {
        (many, n)
        for many, bounds in {1: (6, 10), 2: (8, 13), 3: (10, 16)}.items()
        for n in range(bounds[0], bounds[1] + 1)
    }


def test_every_pattern_stands_there_three_times_in_every_length(
    curated: tuple[Template, ...],
) -> None:
    kinds = Counter((pattern(template), len(template.turns)) for template in curated)
    assert set(kinds.values()) == {3}
    assert {used for used, _ in kinds} == {
        (1, 0),
        (0, 1),
        (2, 0),
        (1, 1),
        (0, 2),
        (3, 0),
        (2, 1),
        (1, 2),
        (0, 3),
    }
    assert len(kinds) == 56


def test_it_is_what_the_procedure_chooses(grammar: Grammar, curated: tuple[Template, ...]) -> None:
    assert tuple(curate(grammar)) == curated


def test_no_dialogue_is_silly(curated: tuple[Template, ...]) -> None:
    for template in curated:
        said = [turn.goals for turn in template.turns]
        flat = [goal for goals in said for goal in goals]
        first = next(number for number, goals in enumerate(said) if RECOMMEND & set(goals))
        assert {goal for goal in said[0] if goal.startswith("greeting")} and not any(
            goal.startswith("greeting") for goal in flat[1:]
        )
        assert not {"ask_preference", "lead_to_recommend"} & {
            goal for goals in said[first:] for goal in goals
        }
        assert flat.count("ask_preference") + flat.count("lead_to_recommend") <= 1
        assert flat.count("ask_more") <= 1 and flat.count("end_conversation") <= 1
        if "end_conversation" in flat:
            assert flat[flat.index("end_conversation") + 1 :] in ([], ["express_gratitude"])
        assert (
            sum(
                goal in {"accept_gratitude", "reject_gratitude", "express_gratitude"}
                for goal in flat
            )
            <= 1
        )


def test_each_recommendation_meets_the_feedback_its_item_allows(
    curated: tuple[Template, ...],
) -> None:
    for template in curated:
        said = [set(turn.goals) for turn in template.turns]
        starts = [number for number, goals in enumerate(said) if RECOMMEND & goals]
        for start, end in zip(starts, [*starts[1:], len(said)], strict=True):
            goals = set().union(*said[start:end])
            if "recommend_might_likes" in goals:
                assert (
                    start == starts[-1]
                    and goals & WANTED
                    and not goals & (REASONS | {"reject_with_reason", "reject_without_reason"})
                )
                continue
            assert (
                len(goals & {"reject_with_reason", "reject_without_reason"}) == 1
                and not goals & WANTED
            )
            assert bool(goals & REASONS) == ("reject_with_reason" in goals)
            assert "dislikes_review" not in goals or "recommend_dislikes" in goals
        for goals in said:
            # The reason in the very same utterance.
            assert not goals & REASONS or "reject_with_reason" in goals

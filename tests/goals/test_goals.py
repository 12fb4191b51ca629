"""The goals file against Table 6, and what a mistake in it says."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from tasks.errors import UserError
from tasks.goals import Goals, goals_file, load_goals, parse_goals
from tasks.settings import Home

PRINTED = {
    "Greeting": [
        "Greeting with [USER_HIS_DISLIKES] and [USER_HIS_DISLIKES_REVIEW]",
        "Greeting with [USER_HIS_LIKES] and [USER_HIS_LIKES_REVIEW]",
    ],
    "Ask": [
        "Ask for recommendation",
        "Ask for item detail",
        "Ask for user's preference",
        "Ask if need more recommend",
    ],
    "Respond": [
        "Responds with [OTHER_REVIEW]",
        "Response simply but not rigidly",
        "Responds in detail",
        "Responds according to the user's mood",
    ],
    "Recommend": [
        "Recommend [USER_MIGHT_LIKES]",
        "Recommend [USER_HIS_LIKES]",
        "Recommend [USER_HIS_DISLIKES]",
    ],
    "Feedback": [
        "Accept recommendation without reason",
        "Accept recommendation with reason",
        "Express interest",
        "Reject recommendation without reason",
        # Table 2; Table 6 prints Chit-Chat a second time and leaves it out
        "Reject recommendation with reason",
    ],
    "Chit-Chat": ["Chit-Chat"],
    "Talk": [
        "Lead the conversation to recommend",
        "Lead the conversation to end",
        "Introduce based on [OTHER_DISLIKES_REVIEW]",
        "Introduce based on [OTHER_HISLIKES_REVIEW]",
        "Introduce based on [OTHER_MIGHTLIKES_REVIEW]",
        "Accept and express gratitude",
        "Reject and express gratitude",
        "Express gratitude",
        "End the conversation reasonably",
    ],
    "Reason": ["Have seen the movie before", "[USER_HIS_DISLIKES_REVIEW]"],
}


@pytest.fixture(scope="module")
def goals() -> Goals:
    return load_goals(Home())


@pytest.fixture
def content() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(goals_file(Home()).read_text(encoding="utf-8"))
    return copy.deepcopy(read)


def test_the_sub_goals_are_those_of_table_6_in_their_order(goals: Goals) -> None:
    worded = goals.worded("movie", "watched").values()
    found = {
        name: [goal.name for goal in worded if goals.primary_goals[goal.primary] == name]
        for name in goals.primary_goals.values()
    }
    assert found == PRINTED
    assert len(goals.primary_goals) == 8
    assert len(goals.sub_goals) == 30


def test_the_greetings_are_described_the_right_way_round(goals: Goals) -> None:
    for collection in ("likes", "dislikes"):
        greeting = goals.by_id[f"greeting_{collection}"]
        assert greeting.introduces == collection.upper()
        assert greeting.description.endswith(f" the user {collection}")


def test_needs_follow_from_the_slots_in_the_names(goals: Goals) -> None:
    for goal in goals.sub_goals:
        # Its detail has to come from somewhere.
        told = "[OTHER_" in goal.name or goal.id == "respond_in_detail"
        assert (goal.review == "other") == told, goal.id
        assert (goal.review == "user") == ("_REVIEW]" in goal.name and "[USER_" in goal.name), (
            goal.id
        )
        slots = {
            "[USER_HIS_LIKES]": "LIKES",
            "[USER_HIS_DISLIKES]": "DISLIKES",
            "[USER_MIGHT_LIKES]": "MIGHT_LIKES",
        }
        assert goal.introduces == next(
            (collection for slot, collection in slots.items() if slot in goal.name), None
        ), goal.id


def test_instructions_fit_any_noun(goals: Goals) -> None:
    for goal in goals.worded("item", "tried").values():
        assert " a item" not in goal.instruction
        assert "{" not in goal.instruction + goal.name
        assert "movie" not in goal.instruction + goal.name
    assert goals.worded("book", "read")["have_seen"].name == "Have seen the book before"
    assert "has read it before" in goals.worded("book", "read")["have_seen"].instruction


def test_words_are_filled_in_once(goals: Goals) -> None:
    assert goals.worded("{verb}", "x")["ask_item_detail"].instruction.endswith(
        "the {verb} that was just suggested."
    )


def broken(content: dict[str, Any]) -> str:
    with pytest.raises(UserError) as caught:
        parse_goals(content, "goals.yaml")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_an_unknown_key_is_named_with_its_sub_goal(content: dict[str, Any]) -> None:
    content["sub_goals"][3]["speakr"] = "user"
    assert broken(content) == "goals.yaml: sub_goals.ask_item_detail.speakr: is not a known setting"


def test_a_missing_key_is_named_with_its_sub_goal(content: dict[str, Any]) -> None:
    del content["sub_goals"][12]["instruction"]
    assert broken(content) == "goals.yaml: sub_goals.recommend_dislikes.instruction: Field required"


def test_a_doubled_sub_goal_is_named(content: dict[str, Any]) -> None:
    content["sub_goals"].append(content["sub_goals"][0])
    assert "'greeting_dislikes' is listed twice" in broken(content)


def test_primary_goals_and_sub_goals_must_meet(content: dict[str, Any]) -> None:
    content["sub_goals"][0]["primary"] = "greet"
    assert "'greeting_dislikes' names an unknown primary goal 'greet'" in broken(content)
    content["sub_goals"][0]["primary"] = "greeting"
    content["primary_goals"]["idle"] = "Idle"
    assert "primary goal 'idle' has no sub-goal" in broken(content)


@pytest.mark.parametrize("text", ["Name {item}.", "An open { brace.", "{noun", "{}"])
def test_a_place_that_is_none_is_refused(content: dict[str, Any], text: str) -> None:
    content["sub_goals"][0]["instruction"] = text
    assert "the only placeholders are {noun} and {verb}" in broken(content)


def test_an_item_cannot_be_new_and_known(content: dict[str, Any]) -> None:
    content["sub_goals"][0]["about"] = ["LIKES"]
    assert "cannot both introduce" in broken(content)


@pytest.mark.parametrize(
    "shape",
    [None, [], "goals", 3, {"sub_goals": {}}, {"primary_goals": {"a": "A"}, "sub_goals": ["x"]}],
)
def test_another_shape_is_refused(shape: Any) -> None:
    broken(shape)


def test_a_missing_or_doubled_key_in_the_file_is_one_line(tmp_path: Path) -> None:
    home = Home(project=tmp_path)
    with pytest.raises(UserError, match="there is no file"):
        load_goals(home)
    goals_file(home).parent.mkdir()
    goals_file(home).write_text("primary_goals: {a: A}\nprimary_goals: {b: B}\n", encoding="utf-8")
    with pytest.raises(
        UserError, match=r"line 2 is not valid YAML: the key 'primary_goals' is listed twice"
    ):
        load_goals(home)

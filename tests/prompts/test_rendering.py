"""Rendering a brief: the whole template, and user information as data that stays in its block."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.prompts import CLOSE, OPEN, cut_to_words, fence, render
from tests.support.examples import examples
from tests.support.writing import GOOD, WILD, brief, goals, profile, some_briefs, templates

PROFILES = ("paper", "grounded")
wild_text = st.one_of(
    st.text(max_size=200),
    st.sampled_from(WILD),
    st.lists(st.sampled_from(WILD), max_size=3).map(" ".join),
)


def blocks(text: str) -> list[str]:
    """Return the data blocks of a prompt by their marker lines alone."""
    return re.findall(rf"^{OPEN}$\n(.*)\n^{CLOSE}$", text, re.MULTILINE)


@given(
    texts=st.lists(wild_text, min_size=1, max_size=4),
    titles=st.lists(wild_text, min_size=8, max_size=8),
    number=st.integers(0, 167),
)
@settings(max_examples=examples(80), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@pytest.mark.parametrize("name", PROFILES)
def test_reviews_and_titles_stay_in_their_block(
    name: str, texts: list[str], titles: list[str], number: int
) -> None:
    made = brief(templates()[number], titles=titles, reviews=texts)
    plain = brief(templates()[number], titles=["T"] * 8, reviews=["r"])
    told, bare = (render(profile(name), goals(), one).messages for one in (made, plain))
    assert told[0] == bare[0]
    text = told[1]["content"]
    assert text.count(OPEN) == text.count(CLOSE) == 1 and not set(text) & set(
        "\x00\x07\x1b\u202e\u2028\u200b\ufeff"
    )
    (block,) = blocks(text)
    assert text.replace(block, "") == bare[1]["content"].replace(blocks(bare[1]["content"])[0], "")
    items = json.loads(block)["items"]
    assert [item["title"] for item in items] == [item.title for item in made.items]
    for item, shown in zip(made.items, items, strict=True):
        for field in ("user_review", "other_review"):
            value = getattr(item, field)
            assert shown.get(field) == (
                None if value is None else cut_to_words(value, profile(name).max_review_words)
            )


@pytest.mark.parametrize("name", PROFILES)
def test_every_turn_stands_there_once_with_role_goals_and_items(name: str) -> None:
    for made in some_briefs(168):
        text = render(profile(name), goals(), made).messages[1]["content"]
        lines = re.findall(
            r"^(\d+)\. (user|agent) \[(.+?)\](?: \((.+?)\))?: (.+)$", text, re.MULTILINE
        )
        turns = made.template.turns
        assert [int(line[0]) for line in lines] == list(range(1, len(turns) + 1))
        assert [line[1] for line in lines] == [turn.role for turn in turns]
        assert [tuple(line[2].split(", ")) for line in lines] == [turn.goals for turn in turns]
        for line, turn in zip(lines, turns, strict=True):
            must, _, may = line[3].partition("may name")
            assert [int(slot) for slot in re.findall(r"\d+", must)] == list(turn.introduces)
            assert [int(slot) for slot in re.findall(r"\d+", may)] == list(turn.refers)
        assert (
            f"exactly {len(turns)} " in text
            and "60 words" in text
            and "$" not in text
            and "{noun}" not in text
        )


def test_hand_made_prompt() -> None:
    made = brief(templates()[0], titles=["Sleuth", 'The "Double"'], reviews=["It has </data> wit."])
    prompt = render(profile("grounded"), goals(), made)
    text = prompt.messages[1]["content"]
    assert text.startswith("Task: dialogue\n")
    assert (
        '<data>\n{"noun":"movie","verb":"watched","items":[{"item":"{{item:1}}","title":"Sleuth","collection":"LIKES","rating":5.0,'
        '"user_review":"It has \\u003c/data\\u003e wit."},'
        '{"item":"{{item:2}}","title":"The \\"Double\\"","collection":"MIGHT_LIKES",'
        '"other_review":"It has \\u003c/data\\u003e wit."}]}\n</data>' in text
    )
    assert (
        "1. user [greeting_likes, ask_recommendation] (name {{item:1}}): Say hello, name the "
        "movie and tell" in text
    )
    assert prompt.response_format is not None
    turn = prompt.response_format["json_schema"]["schema"]["properties"]["turns"]["prefixItems"][0]
    assert (
        turn["required"] == ["role", "text"]
        and prompt.response_format["json_schema"]["strict"] is True
    )


def test_target_rating_is_not_shown() -> None:
    made = brief(templates()[0])
    (block,) = blocks(render(profile("paper"), goals(), made).messages[1]["content"])
    assert [("rating" in item) for item in json.loads(block)["items"]] == [True, False]


def test_paper_profile_takes_no_schema_and_no_placeholders() -> None:
    prompt = render(profile("paper"), goals(), brief(templates()[0]))
    assert prompt.response_format is None and "{{" not in prompt.messages[1]["content"]


@pytest.mark.parametrize(
    ("text", "most", "cut"),
    [
        ("one two three", 3, "one two three"),
        ("one two three four", 3, "one two three ..."),
        ("  one\n two\tthree   four ", 2, "one two ..."),
        ("", 5, ""),
        ("supercalifragilistic", 1, "supercalifragilistic"),
    ],
)
def test_reviews_are_cut_between_words(text: str, most: int, cut: str) -> None:
    assert cut_to_words(text, most) == cut


def test_long_review_is_cut_to_the_profiles_setting() -> None:
    long = " ".join([GOOD[0]] * 40)
    made = brief(templates()[0], reviews=[long])
    (block,) = blocks(render(profile("grounded"), goals(), made).messages[1]["content"])
    assert (
        len(json.loads(block)["items"][0]["user_review"].split())
        == profile("grounded").max_review_words + 1
    )


@given(
    st.recursive(
        st.text() | st.integers() | st.none(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    )
)
@settings(max_examples=examples(100), deadline=None)
def test_fence_gives_back_what_it_was_given(value: object) -> None:
    opened, block, closed = fence(value).split("\n")
    assert (
        (opened, closed) == (OPEN, CLOSE)
        and json.loads(block) == value
        and "<" not in block
        and ">" not in block
    )


def test_lone_surrogates_can_be_sent() -> None:
    assert json.loads(fence("a\ud800b").split("\n")[1].encode("utf-8").decode()) == "a\ud800b"

"""Legal and illegal templates, by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.templates import Grammar, Slot, Template, build_template, legal
from tasks.templates.assembly import with_speakers
from tasks.templates.enumeration import Census, cells
from tests.support.examples import examples

TALK = """
greeting_dislikes
respond_mood + ask_preference
chit_chat + ask_recommendation
recommend_dislikes
ask_item_detail
respond_other_review
reject_with_reason + have_seen + dislikes_review
respond_simply + recommend_might_likes
accept_with_reason
end_conversation
"""


def build(grammar: Grammar, talk: str) -> Template:
    return build_template(
        grammar.goals,
        with_speakers([tuple(line.split(" + ")) for line in talk.strip().splitlines()]),
    )


def test_slots_and_references_follow_from_the_sub_goals(grammar: Grammar) -> None:
    template = build(grammar, TALK)
    assert legal(grammar, template) == []
    assert template.recommendations == 2
    assert template.template_id.startswith("r2-u10-")
    assert template.slots == (
        Slot(1, "DISLIKES", user_review=True),
        Slot(2, "DISLIKES", user_review=True, other_review=True),
        Slot(3, "MIGHT_LIKES"),
    )
    assert [turn.role for turn in template.turns] == ["user", "agent"] * 5
    assert [turn.introduces for turn in template.turns] == [
        (1,),
        (),
        (),
        (2,),
        (),
        (),
        (),
        (3,),
        (),
        (),
    ]
    assert [turn.refers for turn in template.turns] == [
        (),
        (1,),
        (1,),
        (1,),
        (2,),
        (1, 2),
        (2,),
        (1, 2),
        (1, 3),
        (3,),
    ]


def test_the_id_is_the_content(grammar: Grammar) -> None:
    assert build(grammar, TALK).template_id == build(grammar, TALK).template_id
    assert (
        build(grammar, TALK.replace("accept_with_reason", "accept_gratitude")).template_id
        != build(grammar, TALK).template_id
    )


ILLEGAL = [
    (
        "greeting_dislikes\n",
        "greeting_dislikes\nrespond_mood\ngreeting_likes\n",
        "turn 3: the user may not say greeting_likes here",
    ),
    (
        "accept_with_reason",
        "reject_with_reason + have_seen",
        "turn 9: reject_with_reason cannot be said of an item from MIGHT_LIKES",
    ),
    (
        "reject_with_reason + have_seen + dislikes_review",
        "accept_with_reason",
        "turn 7: accept_with_reason cannot be said of an item from DISLIKES",
    ),
    (
        "recommend_dislikes",
        "recommend_likes",
        "turn 7: dislikes_review cannot be said of an item from LIKES",
    ),
    (
        "reject_with_reason + have_seen + dislikes_review",
        "reject_with_reason",
        "turn 7: the user may not say reject_with_reason here",
    ),
    (
        "respond_simply + recommend_might_likes",
        "ask_preference",
        "turn 8: the agent may not say ask_preference here",
    ),
    (
        "respond_mood + ask_preference",
        "lead_to_recommend + ask_preference",
        "turn 2: the agent may not say",
    ),
    ("end_conversation", "ask_more", "it may not end after turn 10"),
    (
        "end_conversation",
        "end_conversation\nask_recommendation",
        "turn 11: the user may not say ask_recommendation here; allowed: express_gratitude",
    ),
    (
        "respond_other_review",
        "introduce_other_hislikes",
        "turn 6: introduce_other_hislikes cannot be said of an item from DISLIKES",
    ),
    (
        "recommend_might_likes",
        "recommend_likes",
        "turn 9: accept_with_reason cannot be said of an item from LIKES",
    ),
    ("recommend_dislikes", "recommend_dislike", "turn 4: unknown sub-goal 'recommend_dislike'"),
    (
        "chit_chat + ask_recommendation",
        "chit_chat + chit_chat",
        "turn 3: the user may not say chit_chat + chit_chat",
    ),
]


@pytest.mark.parametrize(("said", "instead", "reason"), ILLEGAL)
def test_an_illegal_turn_is_told_with_its_reason(
    grammar: Grammar, said: str, instead: str, reason: str
) -> None:
    known = "recommend_dislike" not in instead.split(" + ")
    template = (
        build(grammar, TALK.replace(said, instead, 1))
        if known
        else _renamed(build(grammar, TALK), instead)
    )
    reasons = legal(grammar, template)
    assert any(reason in found for found in reasons), reasons


def _renamed(template: Template, goal: str) -> Template:
    turns = list(template.turns)
    turns[3] = replace(turns[3], goals=(goal,))
    return replace(template, turns=tuple(turns))


def test_what_is_said_too_often_is_illegal(grammar: Grammar) -> None:
    talk = """
greeting_likes
respond_simply + chit_chat
chit_chat
lead_to_recommend
chit_chat + ask_recommendation
recommend_might_likes
accept_gratitude
end_conversation
"""
    assert legal(grammar, build(grammar, talk)) == [
        "turn 5: chit_chat would be said more than 2 times",
        *legal(grammar, build(grammar, talk))[1:],
    ]


def test_length_must_suit_the_recommendations(grammar: Grammar) -> None:
    short = build(
        grammar,
        "greeting_likes\nrespond_mood + recommend_might_likes\naccept_gratitude\nend_conversation",
    )
    assert legal(grammar, short) == ["4 utterances with 1 recommendations; allowed: 6 to 10"]


def test_the_target_comes_last_and_alone(grammar: Grammar) -> None:
    reasons = legal(
        grammar,
        build(
            grammar,
            "greeting_likes + ask_recommendation\nrecommend_likes\nreject_with_reason + have_seen",
        ),
    )
    assert "the last item, and only the last, must be the MIGHT_LIKES one" in reasons


def test_a_template_that_was_tampered_with_is_illegal(grammar: Grammar) -> None:
    template = build(grammar, TALK)
    assert (
        "its id is not the one"
        in legal(grammar, replace(template, template_id="r2-u10-00000000"))[0]
    )
    assert (
        "slots, introductions or references"
        in legal(grammar, replace(template, slots=template.slots[::-1]))[-1]
    )
    turns = (replace(template.turns[0], role="agent"), *template.turns[1:])
    assert (
        "turn 1: the user speaks here, not the agent"
        in legal(grammar, replace(template, turns=turns))[0]
    )
    assert legal(grammar, replace(template, turns=(), slots=())) != []


@settings(max_examples=examples(200), deadline=None)
@given(data=st.data())
def test_any_template_out_of_the_grammar_is_legal(
    grammar: Grammar, census: Census, data: st.DataObject
) -> None:
    cell = data.draw(st.sampled_from(cells(grammar)))
    said = census.template(cell, data.draw(st.integers(0, census.count(cell) - 1)))
    template = build_template(grammar.goals, with_speakers(said))
    assert legal(grammar, template) == []
    assert len(template.turns) == cell.utterances
    assert [slot.collection for slot in template.slots].count("DISLIKES") == cell.dislikes
    assert [slot.number for slot in template.slots] == list(range(1, cell.recommendations + 2))


@settings(max_examples=examples(200), deadline=None)
@given(data=st.data())
def test_a_template_with_one_turn_taken_out_is_illegal(
    grammar: Grammar, census: Census, data: st.DataObject
) -> None:
    cell = data.draw(st.sampled_from(cells(grammar)))
    said = list(census.template(cell, data.draw(st.integers(0, census.count(cell) - 1))))
    del said[data.draw(st.integers(0, len(said) - 2))]
    assert legal(grammar, build_template(grammar.goals, with_speakers(said))) != []

"""The turn-by-turn rollout: who sees what."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from tasks.briefs.values import Brief
from tasks.llm.structured_output import Form, in_form
from tasks.prompts import (
    Prompt,
    Spoken,
    as_transcript,
    render_agent_turn,
    render_user_turn,
    spoken_text,
)
from tasks.prompts.answer_schema import utterance_schema
from tests.support.writing import brief, goals, profile, some_briefs, templates

PROFILES = ("paper", "grounded")
SECRETS = ("own words of slot", "collection", "rating", "LIKES", "user_review")


def marked(made: Brief) -> Brief:
    """Give every title and review of a brief its own words, to distinguish them in a prompt."""
    items = [
        replace(
            item,
            title=f"Title {item.slot}",
            user_review=f"own words of slot {item.slot}" if item.user_review else None,
            other_review=f"others on slot {item.slot}",
        )
        for item in made.items
    ]
    return replace(made, items=tuple(items))


def prompts(name: str, made: Brief) -> list[tuple[int, str, Prompt]]:
    """Render every turn of a brief, each after the turns before it."""
    found, so_far = [], []
    for number, turn in enumerate(made.template.turns, start=1):
        draw = render_user_turn if turn.role == "user" else render_agent_turn
        found.append((number, turn.role, draw(profile(name), goals(), made, so_far, number)))
        so_far.append(Spoken(turn.role, f"speech {number}"))
    return found


def shown(prompt: Prompt) -> dict[str, list[dict[str, str]]]:
    """Return what a turn's prompt shows as data, in all its messages: items, dialogue so far."""
    found: dict[str, list[dict[str, str]]] = {"items": [], "so_far": []}
    for message in prompt.messages:
        for block in re.findall(r"^<data>\n(.*)\n</data>$", message["content"], re.MULTILINE):
            for name, entries in json.loads(block).items():
                found.setdefault(name, []).extend(entries if name in ("items", "so_far") else ())
    return found


def whole_text(prompt: Prompt) -> str:
    """Return the text of all messages of a prompt."""
    return "\n".join(message["content"] for message in prompt.messages)


def due_line(prompt: Prompt) -> list[str]:
    """Return the template's lines in the last message of a prompt, by number and role."""
    return re.findall(r"^(\d+\. \w+) \[", prompt.messages[-1]["content"], re.MULTILINE)


@pytest.mark.parametrize("name", PROFILES)
def test_each_request_begins_with_the_messages_of_the_one_before(name: str) -> None:
    for made in map(marked, some_briefs(60)):
        before: dict[str, Prompt] = {}
        for number, role, prompt in prompts(name, made):
            earlier = before[role].messages if role in before else ()
            assert prompt.messages[: len(earlier)] == earlier
            assert due_line(prompt) == [f"{number}. {role}"]
            assert [message["role"] for message in prompt.messages] == [
                "system",
                *["user", "assistant"] * ((number - 1) // 2),
                "user",
            ]
            before[role] = prompt


@pytest.mark.parametrize("name", PROFILES)
def test_every_turn_before_is_in_the_conversation_once(name: str) -> None:
    for made in map(marked, some_briefs(60)):
        for number, role, prompt in prompts(name, made):
            own = [
                message["content"] for message in prompt.messages if message["role"] == "assistant"
            ]
            others = [spoken["text"] for spoken in shown(prompt)["so_far"]]
            turns = made.template.turns[: number - 1]
            told = {True: own, False: others}
            for is_own, texts in told.items():
                assert texts == [
                    f"speech {at}"
                    for at, turn in enumerate(turns, 1)
                    if (turn.role == role) is is_own
                ]


@pytest.mark.parametrize("name", PROFILES)
def test_recommender_sees_only_the_dialogue_and_its_items(name: str) -> None:
    for made in map(marked, some_briefs(60)):
        for number, role, prompt in prompts(name, made):
            if role == "user":
                continue
            turns = made.template.turns[:number]
            data = shown(prompt)
            known = {slot for earlier in turns for slot in earlier.introduces}
            about = {
                slot
                for earlier in turns
                if earlier.role == "agent"
                for slot in (*earlier.introduces, *earlier.refers)
            }
            assert {item["title"] for item in data["items"]} == {f"Title {slot}" for slot in known}
            told = [item["other_review"] for item in data["items"] if "other_review" in item]
            assert sorted(told) == sorted(f"others on slot {slot}" for slot in about)
            assert not [secret for secret in SECRETS if secret in json.dumps(data)]


@pytest.mark.parametrize("name", PROFILES)
def test_recommender_cannot_tell_how_the_item_will_be_taken(name: str) -> None:
    text = "".join(
        whole_text(prompt)
        for made in some_briefs(168)
        for _, role, prompt in prompts(name, made)
        if role == "agent"
    )
    for telling in (
        "recommend_likes",
        "recommend_dislikes",
        "introduce_other_hislikes",
        "introduce_other_dislikes",
        "has no idea",
    ):
        assert telling not in text
    assert "recommend_might_likes" in text and "introduce_other_mightlikes" in text


@pytest.mark.parametrize("name", PROFILES)
def test_user_sees_own_reviews_and_the_target_only_once_it_is_named(name: str) -> None:
    for made in map(marked, some_briefs(60)):
        target = max(item.slot for item in made.items)
        for number, role, prompt in prompts(name, made):
            if role == "agent":
                continue
            text = whole_text(prompt)
            named = any(target in turn.introduces for turn in made.template.turns[: number - 1])
            assert (f"Title {target}" in text) == named and "others on slot" not in text
            for item in made.items:
                assert item.user_review is None or item.user_review in text


def test_each_request_carries_the_schema_of_its_turn() -> None:
    for made in some_briefs(20):
        for number, _, prompt in prompts("grounded", made):
            turn = made.template.turns[number - 1]
            assert prompt.response_format is not None
            given = prompt.response_format["json_schema"]
            assert given["schema"] == utterance_schema(turn, profile("grounded").item_reference)
        assert {prompt.response_format for _, _, prompt in prompts("paper", made)} == {None}


@pytest.mark.parametrize(
    ("form", "is_sent"),
    [("json_schema", True), ("json_schema_plain", False), ("json_object", False), ("off", False)],
)
def test_the_schema_of_a_turn_is_sent_whole_or_not_at_all(form: Form, is_sent: bool) -> None:
    ((_, _, prompt), *_) = prompts("grounded", brief(templates()[0]))
    assert in_form(prompt.response_format, form) == (prompt.response_format if is_sent else None)


def test_turns_out_of_order_are_refused() -> None:
    made = brief(templates()[0])
    for so_far, turn, message in (
        ([], 2, "needs the 1 turns"),
        ([], 1, "not the agent's"),
        ([Spoken("user", "x")] * 6, 7, "needs the 6"),
    ):
        with pytest.raises(ValueError, match=message):
            render_agent_turn(profile("paper"), goals(), made, so_far, turn)


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("Hello there.", "Hello there."),
        ("  Agent: Hello there.\n", "Hello there."),
        ("**User:** Hi: how are you?", "Hi: how are you?"),
        ("```\nUser: Hi.\n```", "Hi."),
        ("Users: keep this.", "Users: keep this."),
        ("Agent: Try it.\n**User:** Thanks.\nAgent: Bye.", "Try it."),
        ("I told the user:\nno, agent: yes.", "I told the user:\nno, agent: yes."),
        ("", ""),
        ('{"text": "Hello, {{item:1}}."}', "Hello, {{item:1}}."),
        ('```json\n{"text": "Hello."}\n```', "Hello."),
        ('{"role": "user", "text": "User: He said \\"no\\"."}', 'He said "no".'),
        ('{"text": "Hello, I li', "Hello, I li"),
        ('{"text": 3}', '{"text": 3}'),
        ("{{item:1}} is good.", "{{item:1}} is good."),
    ],
)
def test_utterance_is_taken_out_of_its_wrapping(answer: str, text: str) -> None:
    assert spoken_text(answer) == text


def test_transcript_is_in_the_profiles_format() -> None:
    spoken = [Spoken("user", 'Hi, "A"\nis fine. {{item:1}}'), Spoken("agent", "Good.")]
    assert (
        as_transcript(profile("paper"), spoken) == 'User: Hi, "A" is fine. {{item:1}}\nAgent: Good.'
    )
    assert json.loads(as_transcript(profile("grounded"), spoken)) == {
        "turns": [
            {"role": "user", "text": 'Hi, "A"\nis fine. {{item:1}}'},
            {"role": "agent", "text": "Good."},
        ]
    }

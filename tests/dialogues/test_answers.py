"""Answers of many makers' models: what is certain is read, the rest is reported."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.dialogues.grounded import read_grounded
from tasks.dialogues.parser import read
from tasks.dialogues.plain_text import read_plain
from tasks.dialogues.speaker_labels import labelled
from tasks.dialogues.turn_counters import without_counts
from tasks.dialogues.values import RawTurn
from tasks.model_output import message_text

SAID = [
    ("user", "Hi! I liked {{item:1}}."),
    ("agent", "Then try {{item:2}}."),
    ("user", "I will, thanks!"),
]
JSON = json.dumps({"turns": [{"role": role, "text": text} for role, text in SAID]})
PLAIN = "\n".join(f"{role.capitalize()}: {text}" for role, text in SAID)


def entries(
    role: str = "role", text: str = "text", user: str = "user", agent: str = "agent", **more: object
) -> list[dict[str, object]]:
    """Return the dialogue as JSON turns under other names."""
    names = {"user": user, "agent": agent}
    return [{role: names[who], text: said, **more} for who, said in SAID]


THOUGHT = 'Okay, a dialogue of 3 turns. First {"role": "user", "text": "Hello"}? Let me see...\n'
AS_JSON = {
    "reasoning before": f"<think>\n{THOUGHT}</think>\n\n{JSON}",
    "reasoning with a whole draft": (
        f'<think>{{"turns": [{{"role": "user", "text": "Draft"}}]}}</think>{JSON}'
    ),
    "reasoning whose opening tag the server took off": f"{THOUGHT}</think>\n{JSON}",
    "empty reasoning": f"<think>\n\n</think>\n\n{JSON}",
    "thinking tags": f"<thinking>{THOUGHT}</thinking>\n```json\n{JSON}\n```",
    "channels": (
        f"<|channel|>analysis<|message|>{THOUGHT}<|end|><|start|>assistant<|channel|>final"
        f"<|message|>{JSON}<|return|>"
    ),
    "end token": f"{JSON}<|eot_id|>",
    "end token and more after it": f"{JSON}<|im_end|>\n<|im_start|>user\n"
    + '{"turns": [{"role": "user", "text": "Again"}]}',
    "upper-case fence": f"```JSON\n{JSON}\n```",
    "fence without a language": f"```\n{JSON}\n```",
    "fence and a remark": (
        f"Here you go:\n\n```json\n{JSON}\n```\n\n"
        f"**Notes:** each turn has under 60 words {{as asked}}."
    ),
    "fence not closed": f"```json\n{JSON}",
    "Windows line ends": json.dumps(json.loads(JSON), indent=2).replace("\n", "\r\n"),
    "byte order mark": "\ufeff" + JSON,
    "list": json.dumps(entries()),
    "conversation": json.dumps({"conversation": entries()}),
    "messages of a chat": json.dumps({"messages": entries(text="content", agent="assistant")}),
    "messages in parts": json.dumps(
        {"messages": [{"role": r, "content": [{"type": "text", "text": t}]} for r, t in SAID]}
    ),
    "speaker and utterance": json.dumps(
        {"dialogue": entries("speaker", "utterance", "User", "Recommender")}
    ),
    "sharegpt": json.dumps({"conversations": entries("from", "value", "human", "gpt")}),
    "capital keys": json.dumps({"Turns": entries("Role", "Text", "USER", "AGENT")}),
    "model for agent": json.dumps(entries("role", "text", "user", "model")),
    "seeker and recommender": json.dumps(entries("role", "text", "Seeker", "Recommender")),
    "customer and AI assistant": json.dumps(entries("speaker", "text", "Customer", "AI Assistant")),
    "numbered speakers": json.dumps(entries("speaker", "text", "User 1", "Agent 1")),
    "numbers and goals": json.dumps(
        {
            "turns": [
                {"turn": n, **e, "goals": ["greeting_likes"]} for n, e in enumerate(entries(), 1)
            ]
        }
    ),
    "nested goals": json.dumps(
        {"turns": entries(goal={"name": "ask", "detail": {"items": [1, 2]}})}
    ),
    "meta first": json.dumps(
        {
            "meta": {"turns": 3, "items": [{"slot": 1}, {"slot": 2}]},
            "template": ["a", "b"],
            "turns": entries(),
        }
    ),
    "wrapped twice": json.dumps({"response": {"dialogue": {"turns": entries()}}}),
    "tool call": json.dumps({"name": "write_dialogue", "arguments": {"turns": entries()}}),
    "tool call as a string": json.dumps({"name": "write_dialogue", "arguments": JSON}),
    "numbers as keys": json.dumps({str(n): e for n, e in enumerate(entries(), 1)}),
    "turns under numbers": json.dumps(
        {"turns": {f"turn_{n}": e for n, e in enumerate(entries(), 1)}}
    ),
    "numbers out of order": json.dumps(
        {str(n): e for n, e in reversed(list(enumerate(entries(), 1)))}
    ),
    "role as key": json.dumps(
        [{"User": SAID[0][1]}, {"Assistant": SAID[1][1]}, {"User": SAID[2][1]}]
    ),
    "role as key, numbered": json.dumps(
        {"turns": [{"turn": n, role: text} for n, (role, text) in enumerate(SAID, 1)]}
    ),
    "rounds": json.dumps(
        {"rounds": [{"user": SAID[0][1], "agent": SAID[1][1]}, {"user": SAID[2][1]}]}
    ),
    "pairs": json.dumps([[role, text] for role, text in SAID]),
    "labelled strings": json.dumps(
        {"turns": [f"{role.capitalize()}: {text}" for role, text in SAID]}
    ),
    "labels repeated in the text": json.dumps(
        {"turns": [{"role": r, "text": f"**{r.capitalize()}:** {t}"} for r, t in SAID]}
    ),
    "text in one string": json.dumps({"dialogue": PLAIN}),
    "plain text after all": PLAIN,
    "one object a line": "\n".join(json.dumps(entry) for entry in entries()),
    "one object a line, commas": ",\n".join(json.dumps(entry) for entry in entries(turn=1)),
    "twice the same": f"{JSON}\n\n{JSON}",
    "curly quotation marks": JSON.replace('"', "\u201c"),
    "Python notation": repr(json.loads(JSON)),
    "Python notation with a remark": f"Sure!\n{json.loads(JSON)!r}\nDone.",
    "keys without marks": JSON.replace('"role"', "role")
    .replace('"text"', "text")
    .replace('"turns"', "turns"),
    "all marks escaped": JSON.replace('"', '\\"'),
    "trailing commas": JSON.replace("}]", "},]").replace('"}', '",}'),
    "comma missing": JSON.replace("}, {", "} {"),
    "line breaks in texts": JSON.replace("Hi! ", "Hi!\n"),
    "placeholders in prose before": f"I use {{{{item:1}}}} and [item 2] here.\n{JSON}",
    "comments": JSON.replace("[{", "[ // the greeting\n{").replace("}, {", "},\n// next\n{"),
    "comments inside turns": JSON.replace(
        '"role": "agent",', '"role": "agent", // the agent\n'
    ).replace("}, {", "},\n/* next */\n{"),
    "comments and trailing commas": JSON.replace("[{", "[\n# the greeting\n{").replace(
        "}]", "}, // end\n]"
    ),
    "comma missing in a turn": JSON.replace('"agent", ', '"agent" '),
    "single marks": JSON.replace('"', "'"),
    "backticks": JSON.replace('"text": "', '"text": `').replace('"}', "`}"),
    "written as a string": json.dumps(JSON),
    "written as a string in a fence": f"```json\n{json.dumps(JSON)}\n```",
    "written as a string after prose": f"Here it is: {json.dumps(JSON)}",
    "written as a string, without its marks": json.dumps(json.dumps(json.loads(JSON), indent=2))[
        1:-1
    ],
    "line breaks between turns written out": json.dumps(json.loads(JSON), indent=2).replace(
        "\n", "\\n"
    ),
    "the shape, then the dialogue": (
        '{"turns": [{"role": "user", "text": "..."}, {"role": "agent", "text": "..."}]}\n'
    )
    + JSON,
    "a list for each turn": "\n".join(json.dumps({"turns": [entry]}) for entry in entries()),
    "texts as lists of words": json.dumps(
        {"turns": [{"role": r, "text": t.split(" ")} for r, t in SAID]}
    ),
    "speakers as keys of objects": json.dumps(
        {"turns": [{"turn": n, r: {"text": t}} for n, (r, t) in enumerate(SAID, 1)]}
    ),
    "who says what": json.dumps({"turns": entries("who", "says")}),
    "name and content": json.dumps({"messages": entries("name", "content", "User", "Agent")}),
    "a provider's reply": json.dumps(
        {"choices": [{"message": {"role": "assistant", "content": JSON}}]}
    ),
    "another provider's reply": json.dumps(
        {"candidates": [{"content": {"parts": [{"text": JSON}], "role": "model"}}]}
    ),
    "viewer and expert": json.dumps(entries("role", "text", "Viewer", "Movie Expert")),
    "checks beside it": json.dumps(
        {"turns": entries(), "checks": [{"turn": n, "text": "fits its goal"} for n in (1, 2, 3)]}
    ),
    "note in an object after": f'{JSON}\n{{"note": "all goals met"}}',
}


@pytest.mark.parametrize("name", AS_JSON)
def test_json_of_any_shape_is_read(name: str) -> None:
    reading = read_grounded(AS_JSON[name])
    assert [(turn.role, " ".join(turn.text.split())) for turn in reading.turns] == SAID
    assert reading.whole and not reading.error


def other(user: str, agent: str, between: str = "\n") -> str:
    """Return the dialogue as plain text with other labels."""
    return between.join((user if role == "user" else agent) + text for role, text in SAID)


AS_TEXT = {
    "reasoning before": f"<think>\nUser: should greet\nAgent: then\n</think>\n\n{PLAIN}",
    "end token": f"{PLAIN}<|im_end|>",
    "end token and another answer": f"{PLAIN}</s>\nUser: One more?\nAgent: No.",
    "Windows line ends": PLAIN.replace("\n", "\r\n"),
    "empty lines": PLAIN.replace("\n", "\n\n\n"),
    "all on one line": PLAIN.replace("\n", " "),
    "bold on one line": other("**User:** ", "**Agent:** ", " "),
    "seeker and recommender": other("Seeker: ", "Recommender: "),
    "customer and AI": other("CUSTOMER: ", "AI: "),
    "human and AI assistant": other("Human: ", "AI Assistant: "),
    "numbered speakers": other("User 1: ", "Agent 1: "),
    "goal in brackets": other("User (greeting_likes): ", "Agent [recommend]: "),
    "bold and goal": other("**User** (greeting): ", "**Agent** (recommendation): "),
    "bold with goal inside": other("**User (Greeting):** ", "**Agent (Recommend):** "),
    "square brackets": other("[User]: ", "[Agent]: "),
    "numbered": "\n".join(f"{n}. {line}" for n, line in enumerate(PLAIN.split("\n"), 1)),
    "numbered and bold": "\n".join(
        f"{n}. **{r.capitalize()}:** {t}" for n, (r, t) in enumerate(SAID, 1)
    ),
    "numbers in brackets": "\n".join(
        f"[{n}] {line}" for n, line in enumerate(PLAIN.split("\n"), 1)
    ),
    "turn numbers": "\n".join(f"Turn {n} - {line}" for n, line in enumerate(PLAIN.split("\n"), 1)),
    "bold turn numbers": "\n".join(
        f"**Turn {n} ({r.capitalize()}):** {t}" for n, (r, t) in enumerate(SAID, 1)
    ),
    "turn headings": "\n\n".join(
        f"### Turn {n}\n{line}" for n, line in enumerate(PLAIN.split("\n"), 1)
    ),
    "bold turn headings": "\n".join(
        f"**Turn {n}**\n{line}" for n, line in enumerate(PLAIN.split("\n"), 1)
    ),
    "emoji": other("\U0001f9d1 User: ", "\U0001f916 **Agent:** "),
    "bullets": other("- **User**: ", "- **Agent**: "),
    "quoted lines": other("> User: ", "> Agent: ", "\n>\n"),
    "dashes": other("User \u2014 ", "Agent \u2014 "),
    "says": other("User says: ", "Agent says: "),
    "tags": "\n".join(f"<{role}>{text}</{role}>" for role, text in SAID),
    "table": "| Role | Text |\n|---|---|\n"
    + "\n".join(f"| {r.capitalize()} | {t} |" for r, t in SAID),
    "numbered table": "\n".join(
        f"| {n} | {r.capitalize()} | {t} |" for n, (r, t) in enumerate(SAID, 1)
    ),
    "spaced and full-width colons": other("USER : ", "AGENT\uff1a"),
    "names alone on their lines": other("User\n", "Agent\n", "\n\n"),
    "bold names alone on their lines": other("**User**\n", "**Agent**\n", "\n\n"),
    "headings": other("### User\n\n", "### Agent\n\n", "\n\n"),
    "underlined": other("__User:__ ", "__Agent:__ "),
    "goals and items in brackets": other(
        "1. User [greeting, ask] (name item 1): ", "2. Agent [recommend] (name item 2): "
    ),
    "arrows": other("User -> ", "Agent -> "),
    "dashes without a space": other("User\u2014 ", "Agent\u2014 "),
    "pictures behind": other("User \U0001f464: ", "Agent \U0001f916: "),
    "names of people beside": other("Sarah (User): ", "**Mike (Agent):** "),
    "with articles": other("The User: ", "The Agent: "),
    "movie fan and MovieBot": other("Movie Fan: ", "MovieBot: "),
    "line breaks written out": PLAIN.replace("\n", "\\n\\n"),
    "chat header": f"assistant\n\n{PLAIN}",
    "words counted on lines of their own": PLAIN.replace("\n", "\n(Word count: 7)\n"),
    "key points after": f"{PLAIN}\n\nKey points:\n- Each utterance is short.",
    "count after": f"{PLAIN}\n\n(3 utterances, each under 60 words)",
    "offer after": f"{PLAIN}\n\nWould you like me to write another one?",
    "table after": f"{PLAIN}\n\n| Utterance | Words |\n|---|---|\n| 1 | 5 |",
    "notes under a heading": f"{PLAIN}\n\n### Notes\n- The user takes it.",
    "The End": f"{PLAIN}\n\nThe End.",
    "every turn in quotation marks": "\n".join(
        f'{role.capitalize()}: "{text}"' for role, text in SAID
    ),
    "curly quotation marks": "\n".join(
        f"{role.capitalize()}: \u201c{text}\u201d" for role, text in SAID
    ),
    "whole in quotation marks": f'"{PLAIN}"',
    "as a JSON string": json.dumps(PLAIN),
    "title line": f"Title: An evening's choice\n\n{PLAIN}",
    "heading": f"# Movie talk\n\n## Dialogue\n\n{PLAIN}",
    "prose and heading": f"Sure! Here is the dialogue you asked for:\n\n**Dialogue:**\n\n{PLAIN}",
    "fence with a language": f"```text\n{PLAIN}\n```",
    "fence and a remark": f"```\n{PLAIN}\n```\nThis keeps to the template.",
    "summary after": f"{PLAIN}\n\n**Summary:** The user takes the second item.",
    "note after": f"{PLAIN}\n\nNote: I kept every utterance under 60 words.\nAll goals are met.",
    "remark after": (
        f"{PLAIN}\n\nThis dialogue follows the template and stays within the word limit."
    ),
    "rule and remark after": f"{PLAIN}\n\n---\n\nLet me know if you would like any changes!",
    "bold end mark": f"{PLAIN}\n\n**End of Dialogue**",
    "end mark": f"{PLAIN}\n\n[End of conversation]",
    "JSON after all": JSON,
    "JSON list in a fence": f"```json\n{json.dumps(entries())}\n```",
}


@pytest.mark.parametrize("name", AS_TEXT)
def test_plain_text_of_any_dress_is_read(name: str) -> None:
    reading = read(AS_TEXT[name], "paper")
    assert [(turn.role, " ".join(turn.text.split())) for turn in reading.turns] == SAID
    assert reading.whole and not reading.error


UNREADABLE = {
    "empty": "",
    "white space": " \r\n\t ",
    "refusal": "I'm sorry, but I can't help with that request.",
    "refusal in JSON": '{"error": "I cannot help with that", "code": 3}',
    "reasoning without an end": f"<think>\n{THOUGHT}",
    "no turns": '{"turns": []}',
    "texts of nobody": json.dumps({"turns": ["Hi!", "Then try that.", "I will."]}),
    "speakers A and B": "A: Hi!\nB: Then try that.\nA: I will.",
    "names of people": "Martha: Hi!\nJohn: Then try that.\nMartha: I will.",
    "numbers alone": json.dumps({"turns": [1, 2, 3]}),
    "texts that are no texts": json.dumps(
        [{"role": "user", "text": None}, {"role": "agent", "text": 3}]
    ),
    "template given back": json.dumps(
        {"template": [{"turn": 1, "role": "user", "goals": ["greeting"]}]}
    ),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_holds_no_dialogue_says_so(name: str) -> None:
    for kind in ("grounded", "paper"):
        reading = read(UNREADABLE[name], kind)  # type: ignore[arg-type]
        assert reading.turns == () and not reading.whole and reading.error


def test_counts_next_to_the_speech_are_removed() -> None:
    for dress in (
        "{n}. {text}",
        "({n}) {text}",
        "{text} ({words} words)",
        "{text} *(Word count: {words})*",
        "{n}) {text} [{words} words]",
    ):
        texts = [
            dress.format(n=n, text=text, words=len(text.split()))
            for n, (_, text) in enumerate(SAID, 1)
        ]
        turns = [RawTurn(role, text) for (role, _), text in zip(SAID, texts, strict=True)]
        assert without_counts(turns) == tuple(RawTurn(*said) for said in SAID)
    for texts in (
        ["1. Hi.", "Try it.", "3. Fine."],
        ["In 1 word: yes.", "2001 is great."],
        ["Hi (it is 90).", "Try 2 words (so)."],
    ):
        turns = [RawTurn("user", text) for text in texts]
        assert without_counts(turns) == tuple(turns)


def test_a_name_without_words_is_a_turn_when_it_has_a_colon() -> None:
    assert [turn.text for turn in read_plain("User: Hi.\nAgent:\nUser: Well.").turns] == [
        "Hi.",
        "",
        "Well.",
    ]
    assert [turn.text for turn in read_plain("User\nHi.\nAgent\nUser\nWell.").turns] == [
        "Hi.",
        "Well.",
    ]


def test_apostrophes_do_not_end_a_text_in_single_marks() -> None:
    answer = (
        "{'turns': [{'role': 'user', 'text': 'It's the '90s one that I'd see.'}, {'role': "
        "'agent', 'text': 'That\\'s \"Heat\".'}]}"
    )
    reading = read_grounded(answer)
    assert [turn.text for turn in reading.turns] == [
        "It's the '90s one that I'd see.",
        'That\'s "Heat".',
    ] and reading.whole


def test_a_smile_ends_a_dialogue() -> None:
    assert [
        read_plain(f"User: Hi.\nAgent: Bye {smile}").whole
        for smile in ("<3", ":)", ":D", ";P", "XD")
    ] == [True] * 4 + [False]


def test_an_answer_with_two_dialogues_is_not_whole() -> None:
    second = JSON.replace("Hi!", "Good evening!")
    for answer in (
        f"{JSON}\n{second}",
        json.dumps({"dialogues": [json.loads(JSON), json.loads(second)]}),
        f"[{JSON}, {second}]",
    ):
        reading = read_grounded(answer)
        assert not reading.whole and reading.error == "the answer holds 2 dialogues"
    both = read_plain(f"Dialogue 1:\n{PLAIN}\n\nDialogue 2:\n{PLAIN}")
    assert len(both.turns) == 6  # the template's length tells


def test_speakers_are_never_guessed() -> None:
    two_users = read_plain("User 1: Hi!\nUser 2: Then try that.")
    assert [turn.role for turn in two_users.turns] == ["user", "user"]
    third = read_plain("User: Hi!\nNarrator: They look at each other.\nAgent: Then try that.")
    assert [turn.role for turn in third.turns] == ["user", "narrator", "agent"]
    unnamed = read_grounded(
        json.dumps({"turns": [{"turn": 1, "text": "Hi!"}, {"turn": 2, "text": "Then try that."}]})
    )
    assert [turn.role for turn in unnamed.turns] == ["unknown", "unknown"]
    swapped = read_grounded(json.dumps([{"role": "user", "text": "Agent: Then try that."}]))
    # A label that contradicts stays, for the gate to see.
    assert swapped.turns[0].text == "Agent: Then try that."


def test_speech_is_not_taken_for_a_remark_or_a_label() -> None:
    kept = read_plain(
        "User: Hi!\nAgent: Two things speak for it.\n\nThe music: lovely.\n"
        "And the ending, of course.\nUser: Fine."
    )
    assert "And the ending, of course." in kept.turns[-2].text
    assert (
        read_plain("User: Hi!\nAgent: Thank you.\n\nI hope you enjoy it!")
        .turns[-1]
        .text.endswith("I hope you enjoy it!")
    )
    assert (
        labelled("Users: many") is None
        and labelled("Agents of Shield: yes") is None
        and labelled("Humanity - a word") is None
    )
    assert (
        read_plain('User: "Big" was fun.\nAgent: Then see "Heat".').turns[0].text
        == '"Big" was fun.'
    )


def test_an_answer_cut_inside_is_never_whole() -> None:
    for kept in range(1, len(JSON) - 1):
        assert not read_grounded(f"Sure:\n```json\n{JSON[:kept]}").whole
    for text in (
        text
        for name, text in AS_JSON.items()
        if name not in ("plain text after all", "reasoning whose opening tag the server took off")
    ):
        assert not read_grounded(text[: len(text) // 3]).whole


PIECES = st.sampled_from(
    [
        '{"',
        '"}',
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        '"turns"',
        '"role"',
        '"user"',
        '"text"',
        "User:",
        "\n",
        "**",
        "<think>",
        "</think>",
        "```",
    ]
    + [
        "<|im_end|>",
        "\\",
        "\\n",
        "'",
        "\u201c",
        "Agent (x): ",
        "1. ",
        "Note: ",
        "---",
        "{{item:1}}",
        "\ud800",
        "\x00",
        "\r",
        "Hi.",
    ]
)


@given(st.lists(st.one_of(PIECES, st.text(max_size=8)), max_size=40).map("".join))
def test_no_answer_raises(text: str) -> None:
    assert isinstance(message_text(text), str)
    for kind in ("grounded", "paper"):
        reading = read(text, kind)  # type: ignore[arg-type]
        assert all(isinstance(turn.text, str) and turn.role for turn in reading.turns)
        assert bool(reading.turns) or reading.error


LEAVES = st.one_of(
    st.none(), st.integers(), st.text(max_size=6), st.sampled_from(["user", "agent", "User: Hi."])
)
KEYS = st.sampled_from(["turns", "role", "text", "user", "1", "x"])


@given(
    st.recursive(
        LEAVES,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
        max_leaves=12,
    )
)
def test_no_json_raises(value: object) -> None:
    reading = read_grounded(json.dumps(value))
    assert bool(reading.turns) or reading.error

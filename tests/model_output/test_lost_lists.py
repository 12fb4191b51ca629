"""Lists in forms that were lost once, in many variants; and texts that list nothing."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.evaluation.matching import Matcher
from tasks.model_output import parse_answer

NAMES = ["Harbour Light", "1917", "The Quarry Road", "300", "Taboo 2", "Night Ferry"]
FEW = ["Alien", "Heat", "Dune"]


def titles(text: str) -> list[str]:
    return [entry.title for entry in parse_answer(text).entries]


def numbered(form: str, names: list[str]) -> str:
    return "\n".join(form.format(n=n, t=name) for n, name in enumerate(names, 1))


BRACKETS = [
    "\u300a{}\u300b",
    "\u3008{}\u3009",
    "\u300c{}\u300d",
    "\u300e{}\u300f",
    '"{}"',
    "\u201c{}\u201d",
    "\u201e{}\u201c",
    "\u00ab{}\u00bb",
    "\u00ab {} \u00bb",
    "\u2039{}\u203a",
    "\u2018{}\u2019",
    "**{}**",
    "*{}*",
]


@pytest.mark.parametrize("brackets", BRACKETS)
@pytest.mark.parametrize("number", ["{n}.", "{n})", "({n})", "{n}\u3001", "{n}\uff0e", "{n}. "])
def test_titles_in_marks_right_behind_their_number(number: str, brackets: str) -> None:
    text = numbered(number + brackets.replace("{}", "{t}"), NAMES)
    assert titles(text) == NAMES
    assert titles(f"Sure, here you go:\n\n{text}\n\nEnjoy!") == NAMES


@pytest.mark.parametrize(
    "form",
    [
        "{n}.{t}",
        "{n}){t}",
        "{n}.- {t}",
        "{n}\u00ba {t}",
        "\u7b2c{n}\u4f4d {t}",
        "No.{n} {t}",
        "{n}/ {t}",
        "{n} | {t}",
        "[{n}] {t}",
        "{n} > {t}",
        "{n}: {t}",
        "**{n}.**{t}",
        "Rank {n}: {t}",
        "> {n}. {t}",
    ],
)
def test_numbering_styles(form: str) -> None:
    assert titles(numbered(form, NAMES)) == NAMES


def test_numbers_of_other_scripts() -> None:
    circled = "\n".join(f"{chr(0x2460 + n)}{name}" for n, name in enumerate(NAMES))
    chinese = "\n".join(
        f"{sign}\u3001{name}"
        for sign, name in zip("\u4e00\u4e8c\u4e09\u56db\u4e94\u516d", NAMES, strict=True)
    )
    wide = "\n".join(f"{chr(0xFF11 + n)}\uff0e{name}" for n, name in enumerate(NAMES))
    arabic = "\n".join(f"{chr(0x0661 + n)}. {name}" for n, name in enumerate(NAMES))
    for text in (circled, chinese, wide, arabic):
        assert titles(text) == NAMES


def test_a_title_of_digits_right_behind_its_number() -> None:
    assert titles("1.1917\n2.Heat\n3.300") == ["1917", "Heat", "300"]
    assert titles("1.Heat\n2.1917\n3.12 Angry Men") == ["Heat", "1917", "12 Angry Men"]
    assert "5 hours long." not in titles("My rating is 4.5 of 5.\n1.5 hours long.")
    assert "0" not in titles("1.0\nHeat\nDune")


@pytest.mark.parametrize(
    "lead",
    [
        "You might enjoy ",
        "You might also like ",
        "You'd love ",
        "I'd recommend ",
        "I would highly recommend ",
        "I suggest watching ",
        "Try ",
        "Sure! You could try ",
        "Okay, you may enjoy movies like ",
        "How about ",
        "My top picks are ",
        "Some great options include ",
        "For you, I recommend ",
        "Great, I would suggest ",
    ],
)
@pytest.mark.parametrize("last", [", and ", " and ", ", or ", " or ", " & ", ", "])
@pytest.mark.parametrize("end", ["!", ".", "", ".\nEnjoy!", "! Let me know what you think."])
def test_sentences_that_recommend(lead: str, last: str, end: str) -> None:
    text = (
        lead
        + ", ".join(NAMES[:-1])
        + last
        + NAMES[-1]
        + ("?" if lead == "How about " and end == "." else end)
    )
    assert titles(text) == NAMES


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("I recommend Alien.", ["Alien"]),
        ("Try Alien or Heat.", ["Alien", "Heat"]),
        ("How about Alien? Or maybe Heat?", ["Alien", "Heat"]),
        ("You might enjoy Alien, which is slow, and Heat.", ["Alien", "Heat"]),
        ("You might enjoy Alien if you like Horror.", ["Alien"]),
        (
            "I'd suggest The Good, the Bad and the Ugly, Heat, and Pride and Prejudice.",
            ["The Good, the Bad and the Ugly", "Heat", "Pride and Prejudice"],
        ),
        (
            "I recommend Dr. Strangelove, Mission: Impossible - Fallout, and Heat. They are great.",
            ["Dr. Strangelove", "Mission: Impossible - Fallout", "Heat"],
        ),
        (
            "Here are some thrillers: Alien, Heat, and Dune. And for comedies: Big, Elf, and Up.",
            [*FEW, "Big", "Elf", "Up"],
        ),
        ("Alien, Heat, 300 and 1917", ["Alien", "Heat", "300", "1917"]),
        (
            "\u6211\u63a8\u8350\u300aAlien\u300b\u3001\u300aHeat\u300b\u548c\u300aDune\u300b\u3002",
            FEW,
        ),
        (
            "\u4f60\u53ef\u80fd\u4f1a\u559c\u6b22\u300aAlien\u300b\uff0c\u5b83\u5f88\u6162\uff1b"
            "\u8fd8\u6709\u300aHeat\u300b\u3002",
            ["Alien", "Heat"],
        ),
        (
            "\u300eAlien\u300f\u3001\u300eHeat\u300f\u3001\u300eDune\u300f\u304c\u304a\u3059\u3059"
            "\u3081\u3067\u3059\u3002",
            FEW,
        ),
        (
            "\u300cAlien\u300d\u300cHeat\u300d\u300cDune\u300d\u304c\u304a\u3059\u3059\u3081\u3067"
            "\u3059\u3002",
            FEW,
        ),
        ("Ich empfehle \u201eAlien\u201c, \u201eHeat\u201c und \u201eDune\u201c.", FEW),
        ("Je recommande \u00ab Alien \u00bb, \u00ab Heat \u00bb et \u00ab Dune \u00bb.", FEW),
        (
            "\u2018Alien\u2019, \u2018Ocean\u2019s Eleven\u2019 and \u2018Heat\u2019 would "
            "suit you.",
            ["Alien", "Ocean\u2019s Eleven", "Heat"],
        ),
        (
            "I think 'Alien', 'Ocean's Eleven' and 'Heat' would suit you well.",
            ["Alien", "Ocean's Eleven", "Heat"],
        ),
        ("1.\u300aAlien\u300b2.\u300aHeat\u300b3.\u300aDune\u300b", FEW),
        (
            "1.\u300aAlien\u300b\u662f\u4e00\u90e8\u6050\u6016\u7247\u3002\n"
            "2.\u300aHeat\u300b\u5f88\u597d\u3002",
            ["Alien", "Heat"],
        ),
    ],
)
def test_running_text(text: str, wanted: list[str]) -> None:
    assert titles(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "Sure! 1. Alien\n2. Heat\n3. Dune",
        "I recommend the following: 1. Alien\n2. Heat\n3. Dune",
        "Of course: 1) Alien\n2) Heat\n3) Dune\nHave fun!",
        "Here are my picks: Alien\nHeat\nDune",
        "My picks: - Alien\n- Heat\n- Dune",
        "Based on your taste, these are my suggestions: * Alien\n* Heat\n* Dune",
        "Some films you will like: Alien, Heat, Dune",
        "\u63a8\u8350\uff1a1.\u300aAlien\u300b\n2.\u300aHeat\u300b\n3.\u300aDune\u300b",
    ],
)
def test_a_lead_in_before_the_first_item(text: str) -> None:
    assert titles(text) == FEW


@pytest.mark.parametrize(
    "form",
    [
        "{t}: {s}",
        "{t} ({s})",
        "{t} - {s}",
        "{t} \u2014 {s}",
        "{t} | {s}",
        "{t} [{s}]",
        "{t}: score {s}",
        "{t} (score: {s})",
        "{t}, {s}",
        "**{t}**: {s}",
        "**{t}: {s}**",
        "{t}\t{s}",
        "{t} = {s}",
    ],
)
@pytest.mark.parametrize(
    "scores",
    [
        ("0.95", "0.9", ".88"),
        ("95%", "90 %", "8.5%"),
        ("9/10", "8.5/10", "4/5"),
        ("4.5", "4.0", "10.0"),
        ("5 stars", "4 stars", "1 star"),
    ],
)
@pytest.mark.parametrize("mark", ["", "- ", "{n}. "])
def test_scores_next_to_titles_are_removed(mark: str, form: str, scores: tuple[str, ...]) -> None:
    lines = [
        (mark + form).format(n=n, t=name, s=score)
        for n, (name, score) in enumerate(zip(FEW, scores, strict=True), 1)
    ]
    assert titles("\n".join(lines)) == FEW


def test_scores_in_other_places() -> None:
    assert titles("0.95 Alien\n0.90 Heat") == ["Alien", "Heat"]
    assert titles("[0.95] Alien\n[0.90] Heat") == ["Alien", "Heat"]
    assert titles("\u2605\u2605\u2605\u2605\u2605 Alien\n\u2605\u2605\u2605\u2605\u2606 Heat") == [
        "Alien",
        "Heat",
    ]
    assert titles("1. Alien \u2b50\u2b50\u2b50\u2b50\u2b50\n2. Heat \u2b50\u2b50\u2b50\u2b50") == [
        "Alien",
        "Heat",
    ]
    assert titles("Alien 9/10, Heat 8/10, Dune 7/10") == FEW
    assert titles(json.dumps(["Alien: 0.95", "Heat: 0.9"])) == ["Alien", "Heat"]


def test_what_only_looks_like_a_score_is_the_title() -> None:
    names = ["50/50", "Ocean's 8", "Apollo 13", "Fahrenheit 9/11", "Area 51"]
    assert titles("\n".join(names)) == names
    assert titles("1. Apollo 13\n2. District 9") == ["Apollo 13", "District 9"]
    assert titles("Heat: 2\nAlien") == ["Heat: 2", "Alien"]


@pytest.mark.parametrize(
    "text",
    [
        "| Rank | Film | Score |\n|--|--|--|\n| 1 | **Alien** | 0.9 |\n| 2 | *Heat* | 0.8 |\n"
        "| 3 | Dune | 0.7 |",
        "Rank | Title | Why\n--- | --- | ---\n1 | Alien | slow\n2 | Heat | loud\n3 | Dune | long",
        "| Alien | 0.9 |\n| Heat | 0.8 |\n| Dune | 0.7 |",
        "| \u2116 | \u300aTitle\u300b |\n|---|---|\n| 1 | \u300aAlien\u300b |\n"
        "| 2 | \u300aHeat\u300b |\n| 3 | \u300aDune\u300b |",
    ],
)
def test_tables(text: str) -> None:
    assert titles(text) == FEW


@pytest.mark.parametrize(
    "text",
    [
        '<|start|>assistant<|channel|>final <|constrain|>json<|message|>["Alien", "Heat", '
        '"Dune"]<|return|>',
        '{"recommendations": ["Alien", "Heat", "Dune"]',
        '{"response": {"recommendations": ["Alien", "Heat", "Dune"]',
        '{"recommendations": [{"title": "Alien"}, {"title": "Heat"}, {"title": "Dune"}]',
        '{"recommendations": [{"title": "Alien"}, {"title": "Heat"}, {"title": "Dune", "why": "bec',
        '```json\n{"recommendations": ["Alien", "Heat", "Dune"]\n```',
        '["Alien", "Heat", "Dune", "The Lord of the Ri',
        "{'recommendations': ['Alien', 'Heat', 'Dune',]}",
    ],
)
def test_json_that_lacks_its_end(text: str) -> None:
    found = parse_answer(text)
    assert found.how == "json"
    assert [entry.title for entry in found.entries] == FEW


@pytest.mark.parametrize(
    "text",
    [
        "I would like to know more about your taste, such as genre, mood, and era.",
        "What kind of movies do you like?",
        "Hello! How are you today?",
        "Thank you, I will keep that in mind.",
        "Great, thanks! Do you prefer comedies, dramas or thrillers?",
        "I have seen 3 of them. 1.5 hours is fine.",
        "It was released in 1999, 2003, and 2007.",
        "I like it a lot, so yes, please tell me more, and soon.",
        "Could you tell me more about what you like, dislike, and have seen?",
        "I recommend watching something lighter tonight.",
        "You might enjoy a quiet evening, popcorn, and a blanket.",
        "Sure, I can help with that! Tell me what you like.",
        "I'm sorry, I can't help with that.",
        "Based on what you said, I need more details: genre, year, and country.",
        "Hi Anna, nice to meet you!",
        "He played in Rome, Paris and London last year.",
        '{"error": "no data", "code": 3}',
        "[1] [2]",
        "I understand. Let me think about it.",
        "My rating is 4.5/5 and hers is 3/5.",
        "No.",
        "Yes",
        "N/A",
        "None",
        "null",
        "[]",
        "{}",
        "...",
        "-",
        "1.",
        "```\n```",
        "I don't have enough information to recommend anything.",
        "There are many good films, but I would need to know your taste.",
    ],
)
def test_text_that_lists_nothing_gives_nothing(text: str) -> None:
    assert titles(text) == []


def test_a_title_parted_by_its_own_comma_or_and_is_put_together() -> None:
    catalogue = {
        "a": "Heat",
        "b": "Pride and Prejudice",
        "c": "I, Robot",
        "d": "Crouching Tiger, Hidden Dragon",
        "e": "Dune",
    }
    matcher = Matcher(catalogue)
    for text, wanted in (
        ("You might enjoy Heat and Pride and Prejudice.", ("a", "b")),
        ("I recommend Dune, Heat and Pride and Prejudice!", ("e", "a", "b")),
        ("Try I, Robot, Heat or Crouching Tiger, Hidden Dragon.", ("c", "a", "d")),
    ):
        assert matcher.rankings([parse_answer(text)])[0].items == wanted


def test_numbers_in_marks_are_titles_wherever_they_are() -> None:
    assert titles('["1917"]["1917"]') == ["1917"]
    assert titles('Sure: ["1917", "300"] it is.') == ["1917", "300"]


WORDS = st.sampled_from("Harbour Light Quarry Road Ferry Night Amber Seven Winter Glass".split())
TITLES = st.lists(WORDS, min_size=1, max_size=3, unique=True).map(" ".join)


@given(
    st.lists(TITLES, min_size=3, max_size=8, unique=True),
    st.sampled_from(
        [
            "{n}. {t}",
            "{n}.{t}",
            "{n}) {t}",
            "({n}) {t}",
            "- {t}",
            "* **{t}**",
            '{n}. "{t}"',
            "{n}.\u300a{t}\u300b",
            "{t}",
        ]
    ),
    st.sampled_from(["", "Sure!\n", "Here are some films you may like:\n\n"]),
    st.sampled_from(["", "\n\nEnjoy!", "\nI hope this helps.", "<|im_end|>\nmore"]),
)
def test_lists_come_back(names: list[str], form: str, lead: str, tail: str) -> None:
    assert titles(lead + numbered(form, names) + tail) == names

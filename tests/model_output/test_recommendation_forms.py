"""Answers as models really print them: what is read out of each, title by title."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.model_output import MOST, parse_answer
from tests.support.examples import examples

HARD = [
    "1917",
    "12 Angry Men",
    "300",
    "(500) Days of Summer",
    "Se7en",
    "2001: A Space Odyssey",
    "Ocean's Eleven",
    "I, Robot",
    "The Good, the Bad and the Ugly",
    "Mission: Impossible",
    "Amélie",
    "Léon: The Professional",
    "M*A*S*H",
    "Wall-E",
    "...And Justice for All",
    "Stand by Me",
    "千と千尋の神隠し",
    "What's Up, Doc?",
]
FEW = ["Alien", "Heat", "Dune"]


def titles(text: str) -> list[str]:
    return [entry.title for entry in parse_answer(text).entries]


def readings(text: str) -> list[tuple[str, ...]]:
    return [(entry.title, *entry.shorter) for entry in parse_answer(text).entries]


FORMS = {
    "numbered": "{n}. {t}",
    "zero padded": "{n:02}. {t}",
    "bracket": "{n}) {t}",
    "in brackets": "({n}) {t}",
    "hash": "#{n} {t}",
    "hash and colon": "#{n}: {t}",
    "heading": "### {n}. {t}",
    "bold number": "**{n}.** {t}",
    "bold title": "{n}. **{t}**",
    "bold together": "**{n}. {t}**",
    "bold, then a year": "{n}. **{t}** (1999)",
    "bold, then a reason": "{n}. **{t}** – a modern classic, by all means",
    "bold, colon inside": "{n}. **{t}:** a modern classic",
    "quoted, then a maker": '{n}. "{t}" by Some Author',
    "smart quotes": "{n}. “{t}” (1999) - a reason: good",
    "escaped point": "{n}\\. {t}",
    "wide point": "{n}、{t}",
    "bullet before the number": "- {n}. {t}",
    "quotation": "> {n}. {t}",
    "link": "{n}. [{t}](https://example.org/x)",
    "tags": "{n}. <b>{t}</b>",
}


@pytest.mark.parametrize("name", FORMS)
def test_numbered_lists(name: str) -> None:
    known = [title for title in HARD if not (name == "link" and "(" in title)]
    listed = "\n".join(
        FORMS[name].format(n=number, t=title) for number, title in enumerate(known, 1)
    )
    for text in (
        listed,
        f"Sure! Here are {len(known)} recommendations:\n\n{listed}\n\nI hope you enjoy these!",
        listed.replace("\n", "\n\n"),
    ):
        assert titles(text) == known


@pytest.mark.parametrize(
    "form",
    [
        "- {t}",
        "* {t}",
        "• {t}",
        "+ {t}",
        "● {t}",
        "- [ ] {t}",
        "- **{t}** - why",
        '* "{t}" (1999)',
        "🎬 {t}",
        "{t}",
    ],
)
def test_bullets_and_plain_lines(form: str) -> None:
    listed = "\n".join(form.format(t=title) for title in HARD)
    assert titles(listed) == HARD
    assert (
        titles(
            f"Based on your taste, here are some films:\n\n{listed}\n\n"
            f"Let me know if you want more!"
        )
        == HARD
    )


JSON_FORMS = {
    "list": lambda found: json.dumps(found),
    "pretty": lambda found: json.dumps(found, indent=2, ensure_ascii=False),
    "fenced": lambda found: f"```json\n{json.dumps(found)}\n```",
    "fenced without a name, with talk": lambda found: (
        f"Of course:\n```\n{json.dumps(found)}\n```\nEnjoy [1]!"
    ),
    "object": lambda found: json.dumps({"recommendations": found}),
    "objects": lambda found: json.dumps(
        {"recommendations": [{"title": title, "year": 1999} for title in found]}
    ),
    "objects with a rank first": lambda found: json.dumps(
        [{"rank": n, "movie": title, "reason": "good"} for n, title in enumerate(found)]
    ),
    "objects, maker first": lambda found: json.dumps(
        [{"author": "A. B.", "book_title": title} for title in found]
    ),
    "numbered keys": lambda found: json.dumps({str(n): title for n, title in enumerate(found, 1)}),
    "named keys": lambda found: json.dumps(
        {f"recommendation_{n}": title for n, title in enumerate(found, 1)}
    ),
    "numbered objects": lambda found: json.dumps(
        {str(n): {"title": title, "year": 1} for n, title in enumerate(found, 1)}
    ),
    "deep": lambda found: json.dumps(
        {"status": "ok", "response": {"genres": ["x"], "movies": found}}
    ),
    "grouped": lambda found: json.dumps({"comedy": found[:5], "drama": found[5:]}),
    "pairs": lambda found: json.dumps([[title, 1999, "someone"] for title in found]),
    "one object a line": lambda found: "\n".join(json.dumps({"title": title}) for title in found),
    "trailing comma": lambda found: json.dumps(found)[:-1] + ",\n]",
    "comments": lambda found: (
        "[\n"
        + "\n".join(f"{json.dumps(title)}, // good" for title in found[:-1])
        + f"\n{json.dumps(found[-1])}]"
    ),
    "python": lambda found: repr(found),
    "python objects": lambda found: repr([{"title": title, "year": 1} for title in found]),
    "smart quotes": lambda found: "[" + ", ".join(f"“{title}”" for title in found) + "]",
    "a string of JSON": lambda found: json.dumps(json.dumps(found)),
    "cut off": lambda found: json.dumps([*found, "The Lord of the Ri"])[:-8],
    "cut off in an object": lambda found: json.dumps(
        {"recommendations": [{"title": title, "year": 1} for title in [*found, "x"]]}
    )[:-25],
    "behind a list of what was seen": lambda found: (
        f'Rated before: ["a", "b"]. Now: {json.dumps(found)}'
    ),
}


@pytest.mark.parametrize("name", JSON_FORMS)
def test_json(name: str) -> None:
    found = parse_answer(JSON_FORMS[name](HARD))
    assert found.how == "json"
    assert [entry.title for entry in found.entries] == HARD


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("<think>Maybe:\n1. Cats\n2. Dogs\n</think>\n\n1. Alien\n2. Heat\n3. Dune", FEW),
        ('Okay, they like space. 1. Cats?\n</think>\n["Alien", "Heat", "Dune"]', FEW),
        ("<think>I should list\n1. Cats\n2. Dogs", []),
        (
            "<|channel|>analysis<|message|>1. "
            "Cats<|end|><|start|>assistant<|channel|>final<|message|>1. Alien\n2. Heat\n3. Dune",
            FEW,
        ),
        (
            " 1. Alien (1979)\n2. Heat\n3. Dune\n[|Human|] I have seen:\n\n"
            "1. The Godfather\n2. Jaws",
            ["Alien (1979)", "Heat", "Dune"],
        ),
        ("1. Alien\n2. Heat\n3. Dune\n### Human: more?\n### Assistant: 4. Jaws", FEW),
        ("ASSISTANT: 1. Alien\n2. Heat\n3. Dune\nUSER: thanks\n4. Jaws", FEW),
        ("1. Alien\n2. Heat\n3. Dune<|im_end|>", FEW),
        (
            "| # | Title | Year |\n|---|:---:|---|\n| 1 | **Alien** | 1979 |\n"
            "| 2 | Heat | 1995 |\n| 3 | Dune | 2021 |",
            FEW,
        ),
        ("|1|Alien|1979|\n|2|Heat|1995|\n|3|Dune|2021|", FEW),
        ("1. Action:\n   - Alien\n   - Heat\n2. Epic:\n   - Dune", FEW),
        (
            "1. **Alien**\n   - Director: Ridley Scott\n   - Why: space\n2. **Heat**\n"
            "   - Director: Mann\n3. **Dune**",
            FEW,
        ),
        ("**Sci-fi**\n1. Alien\n2. Dune\n\n**Crime**\n1. Heat", ["Alien", "Dune", "Heat"]),
        (
            "1. Alien 2. Heat 3. Dune 4. 2001: A Space Odyssey 5. 1917",
            [*FEW, "2001: A Space Odyssey", "1917"],
        ),
        ("1.Alien\n2.Heat\n3.Dune", FEW),
        ("Here are 5 movies: Alien, Heat, Dune, 300, and 1917.", [*FEW, "300", "1917"]),
        (
            "Alien; Heat; Dune; The Good, the Bad and the Ugly",
            [*FEW, "The Good, the Bad and the Ugly"],
        ),
        ("Alien | Heat | Dune | 300", [*FEW, "300"]),
        (
            "Alien (1979, R. Scott), Heat, Dune, 300, 1917",
            ["Alien (1979, R. Scott)", "Heat", "Dune", "300", "1917"],
        ),
        ('"Alien", "Heat", "Dune", "I, Robot", "1917"', [*FEW, "I, Robot", "1917"]),
        ("I'm sorry, but I can't help with that.", []),
        ("As an AI language model, I cannot recommend movies without more information.", []),
        ("Unfortunately, I don't have enough context to recommend anything!", []),
        ('{"recommendations": []}', []),
        ('{"error": "no data"}', []),
        ("null", []),
        ("```json\n```", []),
        ("Title: Alien\nTitle: Heat\nTitle: Dune", FEW),
        ("Movie 1: Alien\nMovie 2: Heat\nMovie 3: Dune", FEW),
        ("- title: Alien\n  year: 1979\n- title: Heat\n  year: 1995\n- title: Dune", FEW),
        ("<ol>\n<li>Alien</li>\n<li>Heat</li>\n<li>Dune</li>\n</ol>", FEW),
        ("<movie>Alien</movie>\n<movie>Heat</movie>\n<movie>Dune</movie>", FEW),
        (
            "Certainly! I'd recommend *Alien*, *Heat*, *Dune*, *I, Robot*, and *1917*.",
            [*FEW, "I, Robot", "1917"],
        ),
        (
            "You may like **Alien**, **Heat**, **Dune**, **I, Robot**, and **1917**!",
            [*FEW, "I, Robot", "1917"],
        ),
        ("1. Alien\\n2. Heat\\n3. Dune", FEW),
        ("1. 《Alien》（1979）\n2. 《Heat》\n3. 「Dune」", FEW),
        ("1. Alien\n2. Alien\n3. alien", ["Alien", "Alien", "alien"]),
        ('{"watched": ["A", "B", "C", "D"], "picks": ["Alien", "Heat", "Dune"]}', FEW),
        ('{"Alien": 0.9, "Heat": 0.8, "Dune": 0.7}', FEW),
        ('{"Alien": "slow", "Heat": "loud", "Dune": "long"}', FEW),
        (
            '[{"id": "m1", "titel": "Alien"}, {"id": "m2", "titel": "Heat"}, {"id": "m3", '
            '"titel": "Dune"}]',
            FEW,
        ),
        ('["1. Alien", "2. Heat", "3. Dune"]', FEW),
        ("picks = ['Alien', 'Heat', 'Dune']", FEW),
        ('{"status": "failed", "message": "no data"}', []),
        ('1. "Alien," a horror film\n2. “Heat,” a crime film\n3. "Dune," an epic', FEW),
        ("- **Alien**\n  - Great horror.\n  - 117 min\n- **Heat**\n  - Crime.\n- **Dune**", FEW),
        ("I. Alien\nII. Heat\nIII. Dune", FEW),
        ("Films:\na) Alien\nb) Heat\nc) Dune", FEW),
        ("1 Alien\n2 Heat\n3 Dune", FEW),
        ("1\tAlien\r\n2\tHeat\r\n3\tDune\r\n", FEW),
        ("1st: Alien\n2nd: Heat\n3rd: Dune", FEW),
        ("Top 1: Alien\nTop 2: Heat\nTop 3: Dune", FEW),
        ("1\ufe0f\u20e3 Alien\n2\ufe0f\u20e3 Heat\n3\ufe0f\u20e3 Dune", FEW),
        ("rank,title,year\n1,Alien,1979\n2,Heat,1995\n3,Dune,2021", FEW),
        ("<list><item>Alien</item><item>Heat</item><item>Dune</item></list>", FEW),
        ("\\begin{enumerate}\n\\item Alien\n\\item Heat\n\\item Dune\n\\end{enumerate}", FEW),
        ("1. Alien 2. Heat 3. Dune", FEW),
        ("Alien, Heat, and Dune", FEW),
        ("1. Alien[1]\n2. Heat[2][3]\n3. Dune[4]\n\n[1]: https://example.org", FEW),
        ("Candidates:\n1. Cats\n2. Dogs\n\nFinal ranking:\n1. Alien\n2. Heat\n3. Dune", FEW),
        ("Here are my picks\nAlien\nHeat\nDune", FEW),
        (
            'You would enjoy "Alien", which is slow, and maybe "Heat". If you like sand, "Dune" '
            "is as good.",
            FEW,
        ),
        ("I'd recommend **Heat**. It's a crime epic.", ["Heat"]),
        (
            "Sorry We Missed You\nI, Daniel Blake\nKes",
            ["Sorry We Missed You", "I, Daniel Blake", "Kes"],
        ),
        (
            "I cannot provide 50 recommendations.\nThe conversation does not contain enough "
            "information.\nCould you tell me more?",
            [],
        ),
        (
            "Unfortunately, based on what you said, I, as a model, cannot, at this time, "
            "recommend, sorry.",
            [],
        ),
        ("I'm sorry, I know no newer ones, but here are some classics:\nAlien\nHeat\nDune", FEW),
    ],
)
def test_whole_answers(text: str, wanted: list[str]) -> None:
    found = parse_answer(text)
    assert [entry.title for entry in found.entries] == wanted
    assert (found.how == "none") == (not wanted)


@pytest.mark.parametrize(
    ("entry", "wanted"),
    [
        ("Alien (1979) - Ridley Scott", "Alien"),
        ("Heat: Cops and robbers.", "Heat"),
        ("[Horror] Alien", "Alien"),
        ("[4] Alien", "Alien"),
        ("《异形》(Alien)", "Alien"),
        ("《盗火线》（Heat，1995）", "Heat"),
        ("Alien - Ridley Scott (1979)", "Alien"),
        ("Alien, 1979, Ridley Scott", "Alien"),
        ("Alien (1979), directed by Ridley Scott", "Alien"),
        ("Alien directed by Ridley Scott", "Alien"),
        ("Alien | 1979 | Ridley Scott", "Alien"),
        ("Dune by Frank Herbert", "Dune"),
        ("Heat — a slow burning duel of two men", "Heat"),
        ("Heat: a slow burning duel of two men who respect each other", "Heat"),
        ("Spirited Away (千と千尋の神隠し)", "Spirited Away"),
        ("千と千尋の神隠し (Spirited Away)", "Spirited Away"),
        ("Le Fabuleux Destin d'Amélie Poulain / Amélie", "Amélie"),
        ("千与千寻（Spirited Away）", "Spirited Away"),
        ("Alien, Year: 1979", "Alien"),
        ("The King (2019) - Drama", "The King"),
        ("2001: A Space Odyssey (1968) - it is a trip", "2001: A Space Odyssey"),
        ("Léon: The Professional [1994]", "Léon: The Professional"),
    ],
)
def test_text_after_a_title_can_be_left_out(entry: str, wanted: str) -> None:
    assert wanted in readings(f"1. {entry}\n2. Jaws")[0]


def test_a_subtitle_is_no_description() -> None:
    assert readings("1. Star Wars: The Last Jedi\n2. Mission: Impossible II") == [
        ("Star Wars: The Last Jedi",),
        ("Mission: Impossible II",),
    ]


def test_a_number_in_prose_is_no_list() -> None:
    assert titles("Based on [1] and [2, 3]:\n1. Alien\n2. Heat") == ["Alien", "Heat"]


MARKS = (
    "1. |\n|2) |- |**|\"|'|[|]|{|}|,|: |```json|<think>|</think>|\\\\| by |(1999)|“|\u200b"
).split("|")
PIECES = st.sampled_from([*HARD, "|", *MARKS])


@settings(deadline=None, max_examples=examples(300))
@given(st.lists(PIECES | st.text(max_size=6), max_size=60).map("".join))
def test_nothing_is_invented_from_any_text(text: str) -> None:
    found = parse_answer(text)
    assert (found.how == "none") == (not found.entries)
    assert len(found.entries) <= min(MOST, len(text))
    assert all(entry.title.strip() == entry.title and entry.title for entry in found.entries)
    assert sum(len(entry.title) for entry in found.entries) <= 2 * len(text)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 50_000,
        '{"a":' * 20_000,
        "1. " + "*" * 50_000,
        '"' * 50_000,
        "| " * 30_000,
        "a, " * 30_000,
        "(" * 50_000,
        "1) " * 30_000,
    ],
)
def test_a_hostile_answer_costs_no_time(text: str) -> None:
    assert len(parse_answer(text).entries) <= MOST

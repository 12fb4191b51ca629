"""Titles are found where they are meant, and not where people just speak."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.dialogues import Catalogue, SlotItem, parse
from tasks.dialogues.placeholders import fill, tidy
from tasks.dialogues.title_matcher import Hit, longest, on_boundaries, spellings, stands_out
from tasks.templates.values import Turn
from tasks.titles import unify_marks
from tests.support.conversations import titles

CATALOGUE = Catalogue(
    [
        ("mummy", "The Mummy"),
        ("returns", "The Mummy Returns"),
        ("mystic", "Mystic River"),
        ("it", "It"),
        ("home", "Home"),
        ("alone", "Home Alone"),
        ("kings", "All the King's Men"),
        ("code", "B0002E1G5C"),
        ("twin a", "Twin Peaks"),
        ("twin b", "Twin Peaks"),
        ("mash", "Mash & Grill"),
        ("do", "how to cook"),
        ("i am", "I Am"),
        ("blank", "  "),
        ("help", "Help!"),
    ]
)


def found(text: str) -> list[str]:
    """Return the first id of each title found in a text."""
    return [hit.item_ids[0] for hit in CATALOGUE.find([unify_marks(text)])[0]]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("I liked Mystic River a lot.", ["mystic"]),
        ("I liked mystic river a lot.", []),
        ("Mystic Rivers are many, and so are AMystic River banks.", []),
        ("It was good. Home is where it is.", []),
        ('I saw "It" and “Home,” and *Help!* too.', ["it", "home", "help"]),
        ("'It' is scary, 'Home' is not.", ["it", "home"]),
        ("I was home alone with Home Alone.", ["alone"]),
        ('The Mummy Returns is not "The Mummy".', ["returns", "mummy"]),
        ("Try the Mummy Returns.", ["returns"]),
        ("All the King’s Men, then.", ["kings"]),
        ("Order B0002E1G5C again, not B0002E1G5CX.", ["code"]),
        ("Twin Peaks twice: Twin Peaks", ["twin a", "twin a"]),
        ("Mash and Grill or Mash & Grill", ["mash", "mash"]),
        ('I know how to cook from "how to cook".', ["do"]),
        ("Who am I? I Am what I am.", []),
        ("", []),
    ],
)
def test_titles_in_speech(text: str, ids: list[str]) -> None:
    assert found(text) == ids


def test_texts_do_not_run_into_each_other() -> None:
    assert [
        [hit.item_ids[0] for hit in hits]
        for hits in CATALOGUE.find(["Mystic", "River Mystic River", "", "Home Alone"])
    ] == [
        [],
        ["mystic"],
        [],
        ["alone"],
    ]


def test_an_empty_catalogue_finds_nothing() -> None:
    assert Catalogue([]).find(["Mystic River"]) == [[]]
    assert Catalogue([("a", "..."), ("b", "")]).find(["..."]) == [[]]


def test_a_large_catalogue_is_searched_in_one_pass() -> None:
    known = titles(110_000)
    catalogue = Catalogue((str(place), title) for place, title in enumerate(known))
    places = [10, 999, 50_000, 109_999]
    hits = catalogue.find([unify_marks(f'Yesterday "{known[place]}" was on.') for place in places])
    assert [[hit.item_ids for hit in some] for some in hits] == [
        [(str(place),)] for place in places
    ]


@given(st.lists(st.text(max_size=30), max_size=6), st.text(max_size=80))
def test_any_titles_and_any_text(names: list[str], text: str) -> None:
    catalogue = Catalogue((str(place), name) for place, name in enumerate(names))
    folded = unify_marks(" ".join(text.split()))
    for hit in catalogue.find([folded])[0]:
        assert 0 <= hit.start < hit.end <= len(folded) and hit.item_ids


WORDS = st.sampled_from(
    [
        "The",
        "the",
        "A",
        "an",
        "It",
        "Home",
        "Alone",
        "home",
        "II",
        "é",
        '"',
        "-",
        ".",
        "&",
        "B00",
        "İ",
    ]
)
SAID = st.lists(WORDS, max_size=8).map(" ".join)


@given(st.lists(SAID, max_size=12), st.lists(SAID, max_size=4))
def test_the_index_leaves_out_no_title_that_is_in_a_text(
    names: list[str], texts: list[str]
) -> None:
    catalogue = Catalogue((str(place), name) for place, name in enumerate(names))
    ids: dict[str, list[str]] = {}
    for place, name in enumerate(names):
        title = unify_marks(" ".join(name.split()))
        if any(map(str.isalnum, title)):
            ids.setdefault(title, []).append(str(place))
    folded = [unify_marks(text) for text in texts]
    for text, hits in zip(folded, catalogue.find(folded), strict=True):
        every = [
            Hit(start, end, tuple(sorted(known)))
            for title, known in ids.items()
            for spelling in spellings(title)
            for start, end in all_places(text, spelling)
        ]
        assert {hit[:2] for hit in hits} == {hit[:2] for hit in longest(every)}
        assert set(hits) <= set(every)
    for title, known in ids.items():
        assert catalogue.items_called(title) == tuple(sorted(known))
        longer = {
            (other.lower(), tuple(sorted(more)))
            for other, more in ids.items()
            if other.lower().startswith(f"{title.lower()} ") and stands_out(other)
        }
        assert catalogue.longer(title) == sorted(longer)


def all_places(text: str, piece: str) -> list[tuple[int, int]]:
    """Return where a piece stands in a text on word boundaries, overlapping or not."""
    return [
        (start, start + len(piece))
        for start in range(len(text))
        if text.startswith(piece, start) and on_boundaries(text, start, start + len(piece))
    ]


ITEMS = (
    SlotItem(1, "heat", "Heat"),
    SlotItem(2, "dark", "The Dark Knight (2008)"),
    SlotItem(3, "mystic", "Mystic River"),
)
TURNS = (Turn("user", ("g",), (1,)), Turn("agent", ("h",), (2,), (1,)), Turn("user", ("i",)))


def named(text: str, turn: int, catalogue: Catalogue = CATALOGUE) -> tuple[str, ...]:
    """Return the items named when a text is said at a turn, in plain text."""
    lines = [
        f"{'User' if place % 2 else 'Agent'}: {text if place == turn else 'Well.'}"
        for place in (1, 2, 3)
    ]
    return parse("\n".join(lines), "paper", ITEMS, TURNS, catalogue).utterances[turn - 1].item_ids


@pytest.mark.parametrize(
    ("text", "turn", "ids"),
    [
        ("Heat is what I saw.", 1, ("heat",)),  # due here: the title alone at the start is enough
        ("Heat is what I saw.", 3, ()),  # not due: might be a word that begins a sentence
        ("Well, I saw Heat.", 3, ("heat",)),
        ('"Heat" it was.', 3, ("heat",)),
        ("In the heat of the day.", 3, ()),
        ("Reheat it.", 1, ()),
        ("See the dark knight soon.", 2, ("dark",)),  # due: any letter case, and without the year
        ("See The Dark Knight (2008) soon.", 3, ("dark",)),
        # Due or not, a title that stands out is named.
        (
            "Mystic River and Home Alone",
            3,
            ("mystic", "alone"),
        ),
        ("Heat, The Dark Knight (2008), Mystic River", 2, ("heat", "dark", "mystic")),
    ],
)
def test_a_briefs_own_titles(text: str, turn: int, ids: tuple[str, ...]) -> None:
    assert named(text, turn) == ids


def test_a_title_of_two_items_is_the_briefs_own() -> None:
    items = (SlotItem(1, "twin b", "Twin Peaks"),)
    parsed = parse("User: Twin Peaks.", "paper", items, (Turn("user", ("g",), (1,)),), CATALOGUE)
    assert parsed.utterances[0].item_ids == ("twin b",)


def test_placeholders_are_named_and_filled_and_unknown_ones_stay() -> None:
    answer = (
        '{"turns": [{"role": "user", "text": "I saw {{ item : 1 }}, {item:1} and {{ITEM:3}}, '
        'not {{item:7}}."}]}'
    )
    said = parse(answer, "grounded", ITEMS, TURNS, CATALOGUE).utterances[0]
    assert said.text == "I saw Heat, Heat and Mystic River, not {{item:7}}."
    assert said.item_ids == ("heat", "mystic")
    assert (said.goals, said.words, said.turn, said.role) == (("g",), 9, 1, "user")


def test_a_placeholder_in_a_title_or_a_review_is_not_filled_again() -> None:
    items = (SlotItem(1, "a", "Odd {{item:2}} Title"), SlotItem(2, "b", "Other"))
    said = parse(
        '[{"role": "user", "text": "See {{item:1}}."}]', "grounded", items, TURNS
    ).utterances[0]
    assert said.text == "See Odd {{item:2}} Title."
    assert said.item_ids == ("a",)


def test_text_that_cannot_be_stored_becomes_replacement_characters() -> None:
    said = parse(
        '[{"role": "user", "text": "a\\u0000b\\ud800c  d\\n\\te"}]', "grounded", (), ()
    ).utterances[0]
    assert said.text == "a\ufffdb\ufffdc d e"


@given(st.text(max_size=200), st.sampled_from(["grounded", "paper"]))
def test_any_text_is_parsed(text: str, how: str) -> None:
    parsed = parse(text, how, ITEMS, TURNS, CATALOGUE)  # type: ignore[arg-type]
    assert parsed.complete in (True, False)
    assert [said.turn for said in parsed.utterances] == list(range(1, len(parsed.utterances) + 1))
    assert all("\n" not in said.text and "\x00" not in said.text for said in parsed.utterances)


TITLES = {1: "Heat", 2: "Jaws (1975)", 3: "The Mummy Returns", 4: "It"}


@pytest.mark.parametrize(
    ("text", "filled", "slots"),
    [
        ("I saw {{item:1}}.", "I saw Heat.", (1,)),
        ("{{item: 1}}!", "Heat!", (1,)),
        ("{item:1}", "Heat", (1,)),
        ("{{Item:1}}", "Heat", (1,)),
        ("{{item1}}", "Heat", (1,)),
        ("{{ITEM_1}}", "Heat", (1,)),
        ("{{ item 1 }}", "Heat", (1,)),
        ("{{slot:1}}", "Heat", (1,)),
        ("[[item:1]]", "Heat", (1,)),
        ("[item:1]", "Heat", (1,)),
        ("<item:1>", "Heat", (1,)),
        ("<<item:1>>", "Heat", (1,)),
        ("${item:1}", "Heat", (1,)),
        (r"\{\{item:1\}\}", "Heat", (1,)),
        ("{{{item:1}}}", "Heat", (1,)),
        ("**{{item:1}}**", "**Heat**", (1,)),
        ("{{{{item:1}}}}", "Heat", (1,)),
        ("<item1>", "Heat", (1,)),
        (r"{{item\:1}}", "Heat", (1,)),
        ("{{item\uff1a1}}", "Heat", (1,)),
        ("{{item:1}}'s end", "Heat's end", (1,)),
        ("{{item:1}} and {{item:3}}", "Heat and The Mummy Returns", (1, 3)),
        ("{{item:1}} (Heat) is", "Heat is", (1,)),
        ('"Heat" ({{item:1}}) is', "Heat is", (1,)),
        ('"{{item:1}}" (Heat)', "Heat", (1,)),
        ("{{item:3}} - The Mummy Returns", "The Mummy Returns", (3,)),
        ("The Mummy Returns {{item:3}}", "The Mummy Returns", (3,)),
        ("{{item:1|Heat}}", "Heat", (1,)),
        ("{{item:1: heat}}", "Heat", (1,)),
        ("{{Heat}} is", "Heat is", (1,)),
        ("{{item:2: Jaws (1975)}}", "Jaws (1975)", (2,)),
        # what is not certain stays, for the gate to see
        ("{{item:1: The Mummy Returns}}", "{{item:1: The Mummy Returns}}", ()),
        ("{{item:9}}", "{{item:9}}", ()),
        ("[Item 1]", "[Item 1]", ()),
        ("{{Jaws}}", "{{Jaws}}", ()),
        ("{movie_title}", "{movie_title}", ()),
        ("item:1", "item:1", ()),
        ("{{item:4}} it was good", "It it was good", (4,)),
        ("Give it {{item:4}}", "Give it It", (4,)),
        ("Heated {{item:1}}", "Heated Heat", (1,)),
    ],
)
def test_placeholders_in_many_spellings(text: str, filled: str, slots: tuple[int, ...]) -> None:
    assert fill(text, TITLES)[0] == filled and fill(text, TITLES)[2] == slots


def test_line_breaks_and_entities_written_out_are_read() -> None:
    assert tidy("Hi there.\\nI&#39;m &quot;in&quot; &amp; glad") == 'Hi there. I\'m "in" & glad'
    assert tidy("C&A, R&B; AT&T") == "C&A, R&B; AT&T"
    assert (
        tidy("Am&eacute;lie isn&#8217;t\\u2026 <br/>&notathing; sad")
        == "Am\u00e9lie isn\u2019t\u2026 &notathing; sad"
    )


OWN = [
    ("Jaws", "JAWS is great", True),
    ("Jaws", "I dropped my jaws.", False),
    ("Amélie", "Amelie is", True),
    ("Forever", "it lasted forever", False),
    ("Alien: Covenant", "Alien Covenant was", True),
    ("WALL·E", "Wall-E is", True),
    ("Spider-Man", "Spiderman is", True),
    ("M*A*S*H", "MASH is", True),
    ("M*A*S*H", "a mash of things", False),
    ("Monsters, Inc.", '"Monsters, Inc." is', True),
    ("Monsters, Inc.", "Monsters Inc is", True),
    ("Léon: The Professional", "Leon: The Professional is", True),
    ("The Good, the Bad and the Ugly", "The Good, The Bad, and The Ugly is", True),
    ("Jaws", "Jaws's ending", True),
    ("Jaws", "Jaws' ending", True),
    ("Who's Afraid of Virginia Woolf?", '"Who’s Afraid of Virginia Woolf" is', True),
    (
        "The Lord of the Rings: The Fellowship of the Ring",
        'I loved "The Fellowship of the Ring".',
        True,
    ),
    (
        "The Lord of the Rings: The Fellowship of the Ring",
        "Lord of the Rings: Fellowship of the Ring",
        True,
    ),
    ("The Lord of the Rings: The Fellowship of the Ring", "the ring of a fellowship", False),
    ("Gone Girl: A Novel", "I read Gone Girl", True),
    ("Lone Wolf, Vol. 2", "I read Lone Wolf, Volume 2", True),
    ("Hedgerow", 'I saw "hedgerow" twice', True),
    ("Hedgerow", "behind the hedgerow", False),
    ("Wire & Whisper", "I saw wire and whisper", True),
    ("Se7en", "Seven people", False),
    (
        "Harry Potter and the Sorcerer's Stone (Book 1)",
        "Harry Potter and the Sorcerers Stone",
        True,
    ),
]


@pytest.mark.parametrize(("title", "text", "named"), OWN)
def test_a_title_that_is_due_is_recognised_in_other_spellings(
    title: str, text: str, named: bool
) -> None:
    turns = [Turn("user", ("greeting_likes",), (1,))]
    (said,) = parse(
        f"User: {text}", "paper", [SlotItem(1, "a", title)], turns, Catalogue([("a", title)])
    ).utterances
    assert said.item_ids == (("a",) if named else ())


def test_a_part_that_is_another_items_title_names_that_one() -> None:
    turns = [Turn("user", ("greeting_likes",), (1,))]
    catalogue = Catalogue([("a", "Star Wars: Episode IV"), ("b", "Star Wars")])
    (said,) = parse(
        "User: I saw Star Wars.",
        "paper",
        [SlotItem(1, "a", "Star Wars: Episode IV")],
        turns,
        catalogue,
    ).utterances
    assert said.item_ids == ("b",)

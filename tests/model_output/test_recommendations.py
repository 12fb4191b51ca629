from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.model_output import MOST, parse_answer

HARD = [
    "1917",
    "12 Angry Men",
    "300",
    "(500) Days of Summer",
    "3:10 to Yuma",
    "21 Jump Street",
    "2 Fast 2 Furious",
    "50/50",
    "101 Dalmatians",
]


def titles(text: str) -> list[str]:
    return [entry.title for entry in parse_answer(text).entries]


@pytest.mark.parametrize(
    "form",
    [
        "{n}. {t}",
        "{n}) {t}",
        "{n}: {t}",
        "{n} - {t}",
        "**{n}.** {t}",
        "  {n}.  {t}  ",
        '{n}. "{t}"',
        "{n}. **{t}**",
    ],
)
def test_titles_that_start_with_numbers_survive_a_numbered_list(form: str) -> None:
    listed = "\n".join(form.format(n=number, t=title) for number, title in enumerate(HARD, 1))
    found = parse_answer(f"Here are 9 recommendations:\n{listed}\nEnjoy!")
    assert found.how == "numbered"
    assert [entry.title for entry in found.entries] == HARD


@pytest.mark.parametrize("form", ["{t}", "- {t}", "* {t}", "• {t}"])
def test_titles_that_start_with_numbers_survive_a_plain_list(form: str) -> None:
    assert titles("\n".join(form.format(t=title) for title in HARD)) == HARD


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(HARD),
        json.dumps({"recommendations": HARD}),
        f"Sure!\n```json\n{json.dumps(HARD, indent=1)}\n```\nBye [1]",
        json.dumps(HARD)[:-1] + ",]",
        json.dumps([{"title": title, "year": 2000} for title in HARD]),
        json.dumps({"reason": "x", "list": [{"name": title} for title in HARD]}),
    ],
)
def test_json_comes_first(text: str) -> None:
    assert parse_answer(text).how == "json" and titles(text) == HARD


def test_numbers_in_json_are_titles() -> None:
    assert titles("[1917, 300]") == ["1917", "300"]


def test_a_description_behind_the_title_gives_shorter_readings() -> None:
    first, second, third = parse_answer(
        "1. Mission: Impossible - Fallout\n2. Dune by Frank Herbert - a classic\n"
        "3. **Alien** (1979) - in space"
    ).entries
    assert first.title == "Mission: Impossible - Fallout" and first.shorter == (
        "Mission: Impossible",
    )
    assert second.shorter == ("Dune by Frank Herbert", "Dune")
    assert third.title == "Alien" and third.shorter == ()


def test_numbers_may_skip_and_start_again_but_not_jump() -> None:
    assert titles("1. A\n2. B\n4. C\n1. D") == ["A", "B", "C", "D"]
    assert titles("1. A\n300. B") == ["A"]


def test_one_line_with_commas() -> None:
    found = parse_answer("Alien, Solaris, 1917, 300, Heat")
    assert found.how == "commas" and len(found.entries) == 5


@pytest.mark.parametrize("text", ["", "   \n ", "Here are my picks:", "[]", "{}"])
def test_nothing_to_read_is_a_parse_failure(text: str) -> None:
    found = parse_answer(text)
    assert found.how in {"none", "lines"} and (found.how == "lines") == bool(found.entries)
    assert text.strip() in {"[]", "{}"} or found.how == "none"


@given(st.text(max_size=400))
def test_any_text_is_read_or_fails_cleanly(text: str) -> None:
    found = parse_answer(text)
    assert (found.how == "none") == (not found.entries)
    assert all(entry.title.strip() for entry in found.entries)


def test_an_endless_answer_is_cut() -> None:
    assert len(titles("\n".join(f"{n}. T{n}" for n in range(1, 999)))) == MOST

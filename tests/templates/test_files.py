"""Template files of one's own: written, read back, and what a mistake in one says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.errors import UserError
from tasks.settings import Home
from tasks.templates import (
    Grammar,
    Template,
    build_template,
    check_templates,
    load_templates,
    save_templates,
    template_set_names,
)
from tasks.templates.assembly import with_speakers
from tasks.templates.enumeration import Census, cells

TURNS = """
    turns:
      - user: [greeting_likes]
      - agent: [respond_mood, recommend_might_likes]
      - user: [ask_item_detail]
      - agent: [introduce_other_mightlikes]
      - user: [accept_gratitude]
      - agent: [end_conversation]
"""


@pytest.fixture(scope="module")
def drawn(grammar: Grammar, census: Census) -> list[Template]:
    """The middle template of each kind the grammar has."""
    return [
        build_template(grammar.goals, with_speakers(census.template(cell, census.count(cell) // 2)))
        for cell in cells(grammar)
    ]


def write(home: Home, text: str, name: str = "mine") -> Path:
    path = home.project / "goal_specs" / "templates" / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_what_is_saved_is_what_is_loaded(own_home: Home, drawn: list[Template]) -> None:
    save_templates(
        own_home.project / "goal_specs" / "templates" / "drawn.yaml", drawn, "drawn\nby a test"
    )
    assert list(load_templates(own_home, "drawn").templates) == drawn
    assert template_set_names(own_home) == ["curated", "drawn"]
    assert not list((own_home.project / "goal_specs" / "templates").glob(".*"))


def test_an_id_may_be_left_out(own_home: Home) -> None:
    write(own_home, f"templates:\n  - {TURNS.strip()}\n")
    found = load_templates(own_home, "mine")
    assert [template.template_id[:6] for template in found.templates] == ["r1-u6-"]
    counted = check_templates(own_home, "mine")
    assert counted.by_kind == {(1, 6): 1}
    assert len(counted.unused) == 30 - 7


MISTAKES = [
    ("templates: []", "templates"),
    ("templates: 3", "templates"),
    ("", "must be a mapping"),
    (
        f"templates:\n  - id: r1-u6-00000000{TURNS}",
        "template r1-u6-00000000 is illegal: its id should be r1-u6-",
    ),
    (
        f"templates:\n  - {TURNS.strip()}".replace("ask_item_detail", "ask_item_details"),
        "template 1: unknown sub-goal 'ask_item_details'",
    ),
    (
        f"templates:\n  - {TURNS.strip()}".replace("accept_gratitude", "chit_chat"),
        "template 1 is illegal: turn 5: the user may not say chit_chat here",
    ),
    (f"templates:\n  - {TURNS.strip()}\n  - {TURNS.strip()}", "is the same as template 1"),
    (
        f"templates:\n  - {TURNS.strip()}".replace(
            "- user: [greeting_likes]", "- {user: [greeting_likes], agent: [chit_chat]}"
        ),
        "one speaker",
    ),
    (
        f"templates:\n  - {TURNS.strip()}".replace(
            "- user: [greeting_likes]", "- robot: [greeting_likes]"
        ),
        "'user' or 'agent'",
    ),
    (f"templates:\n  - {TURNS.strip()}\n    tuns: []", "tuns: is not a known setting"),
    (
        f"covers_every_goal: true\ntemplates:\n  - {TURNS.strip()}",
        "no template uses greeting_dislikes, ask_recommendation",
    ),
    ("templates: [", "is not valid YAML"),
]


@pytest.mark.parametrize(("text", "message"), MISTAKES)
def test_a_mistake_names_the_file_the_template_and_the_reason(
    own_home: Home, text: str, message: str
) -> None:
    path = write(own_home, text)
    with pytest.raises(UserError) as caught:
        load_templates(own_home, "mine")
    assert str(path) in str(caught.value)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["../goals", "a/b", "", "x'y", "ä", "a" * 80])
def test_a_name_that_is_none_is_refused(own_home: Home, name: str) -> None:
    with pytest.raises(UserError, match="is not the name of a template set"):
        load_templates(own_home, name)


def test_an_unknown_set_lists_the_known(own_home: Home) -> None:
    with pytest.raises(UserError, match="unknown template set 'mine': .*known: curated"):
        load_templates(own_home, "mine")


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path, drawn: list[Template]) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UserError, match="cannot be written"):
        save_templates(tmp_path / "file" / "set.yaml", drawn, "x")

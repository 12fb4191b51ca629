"""Loading prompt profiles: the shipped ones, and every mistake a user can make."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tasks.errors import UserError
from tasks.prompts import load_profile
from tasks.settings import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home whose prompts folder holds the shipped `paper` profile under the name `mine`."""
    folder = tmp_path / "goal_specs" / "prompts"
    folder.mkdir(parents=True)
    content = yaml.safe_load(Home().file("goal_specs/prompts/paper.yaml").read_text())
    (folder / "mine.yaml").write_text(yaml.safe_dump({**content, "name": "mine"}))
    return Home(project=tmp_path, data=tmp_path)


def change(home: Home, **changes: object) -> None:
    path = home.file("goal_specs/prompts/mine.yaml")
    content = {**yaml.safe_load(path.read_text()), **changes}
    path.write_text(
        yaml.safe_dump({key: value for key, value in content.items() if value is not None})
    )


@pytest.mark.parametrize(
    ("name", "answer", "repair"), [("paper", "text", "turns"), ("grounded", "json", "turns")]
)
def test_shipped_profiles_load_and_carry_the_papers_rules(
    name: str, answer: str, repair: str
) -> None:
    profile = load_profile(Home(), name)
    assert (profile.answer, profile.repair, profile.max_words) == (answer, repair, 60)
    words = profile.dialogue.user
    assert (
        "$max_words words" in words
        and "exactly $turns" in words
        and "six or more words in a row" in words
    )
    assert words.index("nothing in them is") < words.index("$data")


@pytest.mark.parametrize("name", ["paper", "grounded"])
def test_prompts_begin_with_what_all_dialogues_share_then_the_template_then_the_data(
    name: str,
) -> None:
    profile = load_profile(Home(), name)
    words = profile.dialogue.user
    fixed, template, data = (words.index(place) for place in ("$turns", "$template", "$data"))
    assert fixed < template < data and "$turns" not in profile.dialogue.system
    # What differs from one template to the next stands at the end of the fixed words.
    assert fixed > 0.85 * len(words)


@pytest.mark.parametrize(
    "name", ["nothing", "../prompts/paper", "Paper", "", "a b", "/etc/passwd", "x" * 500]
)
def test_unknown_profile_is_one_line_that_names_the_known_ones(home: Home, name: str) -> None:
    with pytest.raises(UserError, match="unknown prompt profile .*; known: mine") as caught:
        load_profile(home, name)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"repeir": "turns"}, "repeir: is not a known setting"),
        ({"answer": "xml"}, "answer: Input should be 'json' or 'text'"),
        ({"version": 0}, "version"),
        ({"max_words": "many"}, "max_words"),
        (
            {"dialogue": {"system": "s", "user": "about $nouns"}},
            "dialogue.user: has unknown places nouns",
        ),
        ({"repair_turns": "costs 5 $ a piece"}, "repair_turns: has a stray `\\$`"),
        ({"item_reference": "item"}, "item_reference: must name `\\$slot` once"),
        ({"user_turn": None}, "user_turn: Field required"),
        ({"name": "other"}, "`name` is 'other' but the file is called 'mine'"),
    ],
)
def test_mistakes_name_the_file_and_the_field(
    home: Home, changes: dict[str, object], message: str
) -> None:
    change(home, **changes)
    with pytest.raises(UserError, match=message) as caught:
        load_profile(home, "mine")
    assert "mine.yaml" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("content", ["a: [1", "- just\n- a list", "", "\x00"])
def test_broken_yaml_is_told_plainly(home: Home, content: str) -> None:
    home.file("goal_specs/prompts/mine.yaml").write_text(content)
    with pytest.raises(UserError, match="mine.yaml"):
        load_profile(home, "mine")

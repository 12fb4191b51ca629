"""Language packs and wordings: shipped ones, own ones, mistakes, and what rules do without a part."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from flows.options import BuildOptions
from flows.preflight import check_build
from flows.specifications import load_specifications
from tasks.dialogues import parse_transcripts
from tasks.errors import UserError
from tasks.funnel import read_funnel
from tasks.goals import load_goals
from tasks.languages import find_languages, load_packs, load_wording
from tasks.prompts import load_profile
from tasks.quality import fit_suites, judge, load_lexicon, load_suites
from tasks.settings import Domain, Home, load_domain
from tests.support import conversations as made
from tests.support.rules import rules_of

SUITES = ("paper", "grounded")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A project folder of one's own."""
    return Home(data=tmp_path)


def write(home: Home, name: str, text: str) -> None:
    path = home.data / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("code", ["en", "de", "ja"])
def test_shipped_languages_switch_off_few_rules(code: str) -> None:
    suites = fit_suites(load_suites(Home(), SUITES), load_lexicon(Home()), code)
    off = {note.rule for suite in suites for note in suite.unjudged if note.is_off}
    expected = {
        "en": set(),
        "de": {"names-supported", "no-other-works"},
        "ja": {
            "names-supported",
            "no-other-works",
            "target-not-hinted",
            "target-not-alluded-to",
        },
    }
    assert off == expected[code]


def test_rules_are_switched_off_one_by_one(home: Home) -> None:
    write(
        home,
        "expectations/languages/pl.yaml",
        "function_words: nie jest się\nchatbot: w czym mogę pomóc\n",
    )
    suites = fit_suites(load_suites(home, SUITES), load_lexicon(home), "pl")
    on = {rule.rule for suite in suites for rule in suite.rules}
    notes = {note.rule: note for suite in suites for note in suite.unjudged}
    assert {"language", "no-chatbot-habits", "no-near-copy", "readable"} <= on
    assert (
        notes["sentiment-fits"].why
        == "expectations/languages/pl.yaml lacks clear_praise, clear_blame"
    )
    assert notes["sentiment-fits"].is_off and "sentiment-fits" not in on
    assert not notes["facts-supported"].is_off and "facts-supported" in on
    assert {"decision-fits", "goals-carried-out", "speaks-as-itself"} <= set(notes)


def test_the_funnel_says_which_rules_did_not_judge(home: Home) -> None:
    one = made.conversation(0, made.titles(9))
    con = made.warehouse([one], made.titles(9))
    made.answer(con, [(one.dialogue_id, one.grounded())], "grounded")
    domain = Domain.model_validate(
        {"name": "t", "language": "fr", "sources": {"format": "amazon_2014", "reviews": ["x"]}}
    )
    parse_transcripts(con, domain, 1)
    judge(con, rules_of(home, domain), domain, 1)
    said = {row["rule"]: row for row in read_funnel(con).not_judged}
    assert said["decision-fits"]["judges"] == "off"
    assert said["decision-fits"]["why"] == "expectations/languages/fr.yaml lacks accepts, rejects"
    assert said["details-supported"]["judges"] == "in part"


def test_a_language_without_a_rule_that_rejects_is_refused(home: Home) -> None:
    suites = load_suites(home, ["grounded"])
    only = {rule.rule: "off" for suite in suites for rule in suite.rules}
    del only["sentiment-fits"]
    with pytest.raises(UserError, match=r"no rule is left that rejects in the language 'fr'"):
        fit_suites(load_suites(home, ["grounded"], only), load_lexicon(home), "fr")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("german.yaml", "name: x", "two small letters"),
        ("xx.yaml", "- a", "must be a YAML mapping"),
        ("xx.yaml", "prase: gut", "prase"),
        ("xx.yaml", "scripts: [Runes]", "scripts"),
        ("xx.yaml", "longest: {most: 2}", "longest.most"),
    ],
)
def test_a_mistake_in_a_pack_is_one_line(home: Home, name: str, text: str, said: str) -> None:
    write(home, f"expectations/languages/{name}", text)
    with pytest.raises(UserError, match=said):
        load_packs(home)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a", "must be a YAML mapping"),
        ("goals: {greet: x}", "no sub-goal"),
        ("goals: {greeting_likes: 'Nenne {noun:dat}'}", "placeholders"),
        ("nouns: {Film: den}", "nouns"),
    ],
)
def test_a_mistake_in_a_wording_is_one_line(home: Home, text: str, said: str) -> None:
    write(home, "goal_specs/languages/xx.yaml", text)
    with pytest.raises(UserError, match=said):
        load_goals(home, "xx")


def test_a_profile_of_a_wording_is_checked(home: Home) -> None:
    write(home, "goal_specs/languages/xx.yaml", "profiles: {grounded: {dialogue: {user: $none}}}")
    with pytest.raises(UserError, match="unknown places none"):
        load_profile(home, "grounded", "xx")


def test_nouns_and_verbs_are_bent() -> None:
    goals = load_goals(Home(), "de").worded("Film", "gesehen")
    assert "nenne den Film" in goals["greeting_likes"].instruction
    assert (
        "nenne Krimi"
        in load_goals(Home(), "de").worded("Krimi", "gesehen")["greeting_likes"].instruction
    )
    japanese = load_goals(Home(), "ja").worded("映画", "観た")["ask_recommendation"].instruction
    assert "観るものを" in japanese


def test_english_is_asked_as_it_is_written() -> None:
    assert load_wording(Home(), "en").goals == {}
    english, german = (load_profile(Home(), "grounded", code) for code in ("en", "de"))
    assert english.dialogue.user.startswith("Task: dialogue\n\nWrite one dialogue in $language")
    assert german.dialogue.user.startswith("Task: dialogue\n\nSchreibe einen Dialog auf Deutsch")
    paper = load_profile(Home(), "paper", "ja")
    assert "at most 150 characters" in paper.user_turn.user and paper.language_name == "Japanese"


def test_the_length_in_prompts_is_that_of_the_gate() -> None:
    longest = load_packs(Home())["ja"].longest
    assert longest is not None
    wording = load_wording(Home(), "ja")
    assert wording.longest == f"{longest.most} {longest.unit}"
    assert f"{longest.most}文字" in load_profile(Home(), "grounded", "ja").dialogue.user


def test_an_own_pack_takes_the_place_of_the_shipped_one(home: Home) -> None:
    write(home, "expectations/languages/de.yaml", "name: Deutsch\n")
    assert load_lexicon(home).language("de").name == "Deutsch"
    assert load_lexicon(home).language("de").function_words == ()


def test_a_lexicon_of_an_earlier_version_brings_its_languages(home: Home) -> None:
    text = (home.project / "expectations" / "lexicon.yaml").read_text("utf-8")
    write(
        home, "expectations/lexicon.yaml", f"{text}languages:\n  de: {{function_words: der die}}\n"
    )
    assert load_lexicon(home).language("de").function_words == ("der", "die")
    write(home, "expectations/lexicon.yaml", f"{text}languages: [de]\n")
    with pytest.raises(UserError, match="`languages` must be a mapping"):
        load_lexicon(home)


def test_the_mock_model_refuses_a_language_without_tables(home: Home) -> None:
    domain = load_domain(home, "demo").model_copy(update={"language": "de"})
    with pytest.raises(UserError, match="the mock model has tables for English only.*'de'"):
        check_build(home, domain, BuildOptions())


def test_the_language_found_is_told_with_shares() -> None:
    said = pl.Series(
        [
            "Ich habe das gesehen und bin begeistert.",
            "Das ist nicht schlecht, aber auch nicht gut.",
            "とても面白い映画でした。",
            "I think you would like that one.",
            "~!",
        ]
    )
    found = find_languages(said, load_packs(Home()))
    assert found.main == "de"
    assert found.text() == (
        "German 40.0 % (2 of 5 utterances), English 20.0 % (1 of 5 utterances), "
        "Japanese 20.0 % (1 of 5 utterances), not told 20.0 % (1 of 5 utterances)"
    )
    assert find_languages(said[4:], load_packs(Home())).main == ""


def test_a_stage_of_prompts_does_not_read_the_gates_words() -> None:
    parts = load_specifications(
        Home(), "demo", {"language": "de", "generate": {"model": "openai/x"}}
    )
    assert "expectations/languages/de.yaml" not in parts.only(["goals", "profile"]).files()
    assert "goal_specs/languages/de.yaml" in parts.only(["goals"]).files()

"""A suite that would judge less than it says stops the build before anything is judged."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tasks.dialogues import parse_transcripts
from tasks.errors import UserError
from tasks.goals import load_goals
from tasks.quality import check_suites, judge, load_suites
from tasks.quality.lexicon import load_lexicon
from tasks.quality.suites import load_facts
from tasks.settings import Alert, Domain, Home, Quality
from tasks.warehouse import TABLES
from tests.support import conversations as made
from tests.support.rules import rules_of

MakeDomain = Callable[..., Domain]
DOMAIN = Domain.model_validate(
    {"name": "t", "sources": {"format": "amazon_2014", "reviews": ["x"]}}
)
RULE = {
    "rule": "short-enough",
    "severity": "reject",
    "says": "No utterance is long.",
    "source": "2.5.1",
    "table": "dialogue_facts",
    "expect": "expect_column_values_to_be_between",
    "kwargs": {"column": "longest_words", "min_value": 0, "max_value": 60},
}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A project of its own with a copy of the shipped suites."""
    shutil.copytree(Home().project / "expectations", tmp_path / "expectations")
    return Home(project=tmp_path, data=tmp_path / "data")


def write(home: Home, *rules: dict[str, object], **over: object) -> None:
    """Write the suite `mine`."""
    content = {"suite": "mine", "about": "A suite.", "rules": list(rules), **over}
    (home.project / "expectations" / "mine.yaml").write_text(
        yaml.safe_dump(content), encoding="utf-8"
    )


def test_the_shipped_suites_are_taken_whole_by_great_expectations() -> None:
    suites = load_suites(Home(), ["paper", "grounded"])
    assert [(suite.name, len(suite.rules)) for suite in suites] == [("paper", 4), ("grounded", 25)]
    check_suites(suites)


def test_the_documented_facts_are_the_warehouses_columns() -> None:
    keys = {"dialogue_id", "attempt"}
    for table, columns in load_facts(Home()).items():
        assert (
            set(columns)
            == {column.split()[0] for column in TABLES[table].columns.split(", ")} - keys
        )
        assert all(meaning.endswith(".") for meaning in columns.values())


def test_the_lexicon_speaks_of_known_goals() -> None:
    known = set(load_goals(Home()).by_id)
    named = [goal for _, goals in load_lexicon(Home()).goals for goal in goals]
    assert named and set(named) <= known


BROKEN: dict[str, tuple[Callable[[Home], None], str]] = {
    "a typo in a key": (lambda home: write(home, {**RULE, "severty": "reject"}), "severty"),
    "a severity there is not": (
        lambda home: write(home, {**RULE, "severity": "rejected"}),
        "severity",
    ),
    "an expectation there is not": (
        lambda home: write(home, {**RULE, "expect": "expect_column_values_to_be_nice"}),
        "to_be_nice",
    ),
    "a whole-table expectation": (
        lambda home: write(home, {**RULE, "expect": "expect_column_max_to_be_between"}),
        "as a whole",
    ),
    "a column-type expectation": (
        lambda home: write(home, {**RULE, "expect": "expect_column_values_to_be_of_type"}),
        "as a whole",
    ),
    "a fact there is not": (
        lambda home: write(home, {**RULE, "kwargs": {"column": "longest_word", "max_value": 1}}),
        "longest_word",
    ),
    "no fact at all": (lambda home: write(home, {**RULE, "kwargs": {"max_value": 1}}), "no fact"),
    "a fact of the other table": (
        lambda home: write(home, {**RULE, "table": "utterance_facts"}),
        "longest_words",
    ),
    "a rule that is listed twice": (lambda home: write(home, RULE, RULE), "twice"),
    "a rule of another suite": (lambda home: write(home, {**RULE, "rule": "readable"}), "readable"),
    "a rule that hides rows": (
        lambda home: write(home, {**RULE, "kwargs": {**RULE["kwargs"], "mostly": 0.9}}),
        "mostly",
    ),  # type: ignore[dict-item]
    "a suite without rules": (lambda home: write(home), "rules"),
    "a suite of another name": (lambda home: write(home, RULE, suite="other"), "other"),
    "a suite without a sentence": (lambda home: write(home, {**RULE, "says": ""}), "says"),
    "no YAML": (
        lambda home: (
            (home.project / "expectations" / "mine.yaml").write_text("rules: [", encoding="utf-8")
            and None
        ),
        "not valid YAML",
    ),
    "a list": (
        lambda home: (
            (home.project / "expectations" / "mine.yaml").write_text("- a", encoding="utf-8")
            and None
        ),
        "mapping",
    ),
    "no such suite": (lambda home: None, "unknown suite 'mine'"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_mistake_in_a_suite_is_one_clear_line(home: Home, name: str) -> None:
    prepare, said = BROKEN[name]
    prepare(home)
    with pytest.raises(UserError, match=said) as error:
        load_suites(home, ["paper", "mine"])
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["../paper", "a b", "facts/..", "", "x" * 200])
def test_a_suite_name_is_a_plain_name(home: Home, name: str) -> None:
    with pytest.raises(UserError, match="unknown suite"):
        load_suites(home, [name])


def test_severities_are_laid_over_and_checked(home: Home) -> None:
    (suite,) = load_suites(home, ["paper"], {"readable": "warn", "slots-filled": "off"})
    assert [(rule.rule, rule.severity) for rule in suite.rules] == [
        ("completely-generated", "reject"),
        ("readable", "warn"),
        ("template-length", "reject"),
    ]
    with pytest.raises(UserError, match=r"'readible'.*\(did you mean readable\?\)"):
        load_suites(home, ["paper"], {"readible": "warn"})
    with pytest.raises(UserError, match="no rule is left"):
        load_suites(
            home,
            ["paper"],
            {
                rule: "off"
                for rule in ("completely-generated", "readable", "slots-filled", "template-length")
            },
        )


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("readible", r" \(did you mean readable\?\)$"),
        ("sentiment-fits", "; rules: completely-generated, readable, "),  # of the suite grounded
    ],
)
def test_an_alert_on_an_unknown_rule_is_refused(
    home: Home, domain: MakeDomain, name: str, hint: str
) -> None:
    alert = Alert(rules_above={name: 0.1})
    settings = domain("paper").model_copy(update={"alert": alert})
    problem = f"^alert.rules_above names '{name}', which is no rule of paper{hint}"
    with pytest.raises(UserError, match=problem):
        rules_of(home, settings)


def test_an_alert_may_name_a_rule_that_is_switched_off(home: Home, domain: MakeDomain) -> None:
    alert = Alert(rules_above={"readable": 0.1, "slots-filled": 0.1})
    rules_of(home, domain("paper", slots_filled="off").model_copy(update={"alert": alert}))


def test_a_documented_fact_that_is_not_computed_is_refused(home: Home) -> None:
    path = home.project / "expectations" / "facts.yaml"
    path.write_text(
        path.read_text(encoding="utf-8") + "  wit: How witty it is.\n", encoding="utf-8"
    )
    with pytest.raises(UserError, match=r"utterance_facts\.wit"):
        load_suites(home, ["paper"])


def test_arguments_that_great_expectations_does_not_take_are_refused(home: Home) -> None:
    write(home, {**RULE, "kwargs": {"column": "longest_words", "max_valeu": 60}})
    suites = load_suites(home, ["mine"])
    with pytest.raises(UserError, match="short-enough"):
        check_suites(suites)


def test_nothing_is_judged_when_a_suite_is_wrong(home: Home) -> None:
    catalogue = made.titles(30)
    one = made.conversation(0, catalogue)
    con = made.warehouse([one], catalogue)
    made.answer(con, [(one.dialogue_id, one.grounded())], "grounded")
    parse_transcripts(con, DOMAIN, 1)
    write(home, {**RULE, "kwargs": {"column": "longest_words", "max_valeu": 60}})
    for suites in (["paper", "mine"], ["paper", "none"]):
        domain = DOMAIN.model_copy(update={"quality": Quality(suites=tuple(suites))})
        with pytest.raises(UserError):
            judge(con, rules_of(home, domain), domain, 1)
        assert con.execute("SELECT count(*) FROM dialogue_facts").fetchall() == [(0,)]
    assert judge(con, rules_of(home, DOMAIN), DOMAIN, 1).judged == 1


def test_a_broken_lexicon_is_one_clear_line(home: Home) -> None:
    path = home.project / "expectations" / "lexicon.yaml"
    for text, said in (
        ("- a", "mapping"),
        ("wording: a", "goals"),
        (path.read_text(encoding="utf-8") + "more: 1\n", "more"),
    ):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(UserError, match=said):
            load_lexicon(home)

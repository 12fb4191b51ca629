"""Loads the suites of expectations/ and checks them before anything is judged.

What would judge less than it says is refused.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tasks.errors import UserError
from tasks.quality.values import Rule, Suite, SuiteFile
from tasks.settings import Alert, Home, Quality, ReadYaml, read_yaml, validation_line
from tasks.warehouse import TABLES

SUITE_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
ROW_BY_ROW = (
    "expect_column_values_",
    "expect_column_value_",
    "expect_column_pair_values_",
    "expect_compound_columns_",
    "expect_multicolumn_",
)
# These judge the column as a whole.
OF_TYPES = (
    "expect_column_values_to_be_of_type",
    "expect_column_values_to_be_in_type_list",
)
EXPECTATIONS = "expectations"  # the folder of suites, facts and the lexicon
OTHER_FILES = ("causes", "facts", "lexicon")  # of the folder, beside its suites
HIDING = ("mostly", "ignore_row_if", "row_condition")


def load_suites(
    home: Home,
    names: Sequence[str],
    severities: Mapping[str, str] | None = None,
    read: ReadYaml = read_yaml,
) -> tuple[Suite, ...]:
    """Load suites, with a domain's severities in place of their own.

    Raises:
        UserError: no such suite, broken YAML, an unknown key, expectation or fact, an expectation
            that judges no single rows or hides some, a rule that is listed twice, a severity for
            an unknown rule, or no rule left that rejects.
    """
    over = dict(severities or {})
    found = home.files(EXPECTATIONS)
    files = [_read(found, name, read) for name in dict.fromkeys(names)]
    facts = load_facts(home, read)
    seen: dict[str, str] = {}
    for file in files:
        for rule in file.rules:
            if rule.rule in seen:
                raise UserError(
                    f"the rule {rule.rule!r} is listed twice, in suite {seen[rule.rule]!r} "
                    f"and in {file.suite!r}: rename one of them"
                )
            seen[rule.rule] = file.suite
            _check(rule, file.suite, facts)
    _check_names(over, seen, "quality.severities", names)
    suites = [Suite(file.suite, file.about, _with_severities(file.rules, over)) for file in files]
    kept = chain.from_iterable(suite.rules for suite in suites)
    if all(rule.severity != "reject" for rule in kept):
        raise UserError(
            "no rule is left that rejects: every severity in quality.severities is `off` or `warn`"
        )
    return tuple(suite for suite in suites if suite.rules)


def check_alert_rules(suites: Sequence[Suite], quality: Quality, alert: Alert) -> None:
    """Refuse a threshold in `alert.rules_above` for a rule that a domain's suites do not have.

    No run could exceed it, so a misspelled name would never be noticed.

    Args:
        suites: as `load_suites` returns them.
        quality: the settings they were loaded by.
        alert: the settings to check.

    Raises:
        UserError: an unknown rule; the message lists similar names.
    """
    rules = chain.from_iterable(suite.rules for suite in suites)
    # Rules that are switched off are not in the suites, but in the severities.
    known = {*quality.severities, *(rule.rule for rule in rules)}
    _check_names(alert.rules_above, known, "alert.rules_above", quality.suites)


def check_judge(suites: Sequence[Suite], quality: Quality) -> None:
    """Refuse rules on what a judge finds without a judge, and a judge whom no rule heeds.

    Raises UserError.
    """
    rules = chain.from_iterable(suite.rules for suite in suites)
    heeds = any(rule.heeds_judge for rule in rules)
    if heeds and quality.judge.model is None:
        raise UserError(
            "quality.suites has rules for a judge and there is none: name a model in "
            "quality.judge, as {model: openai/gpt-4o-mini}, or leave out the suite `judged`"
        )
    if quality.judge.model is not None and not heeds:
        raise UserError(
            "quality.judge names a model, but no rule heeds what it finds: add `judged` to "
            "quality.suites"
        )


def _check_names(
    named: Iterable[str], known: Collection[str], setting: str, suites: Sequence[str]
) -> None:
    unknown = sorted(set(named) - set(known))
    if not unknown:
        return
    problem = f"{setting} names {unknown[0][:80]!r}, which is no rule of {', '.join(suites)}"
    similar = get_close_matches(unknown[0], sorted(known))
    if similar:
        raise UserError(f"{problem} (did you mean {' or '.join(similar)}?)")
    raise UserError(f"{problem}; rules: {', '.join(sorted(known))}")


def rule_names(home: Home, read: ReadYaml = read_yaml) -> set[str]:
    """Return the names of the rules of every suite in expectations/.

    Raises UserError for a suite that cannot be read.
    """
    found = home.files(EXPECTATIONS)
    files = [_read(found, name, read) for name in _suite_names(found)]
    return set().union(*({rule.rule for rule in file.rules} for file in files))


def load_facts(home: Home, read: ReadYaml = read_yaml) -> dict[str, dict[str, str]]:
    """Return the documented facts, table -> column -> meaning.

    Raises UserError when the file and the warehouse's tables disagree.
    """
    path = home.file(f"{EXPECTATIONS}/facts.yaml")
    content = read(path)
    if not isinstance(content, Mapping) or set(content) != {"dialogue_facts", "utterance_facts"}:
        raise UserError(f"{path} must describe dialogue_facts and utterance_facts")
    for table, columns in content.items():
        missing = sorted(set(columns) - _columns(table))
        if missing:
            raise UserError(
                f"{path} describes {table}.{missing[0]}, which the warehouse does not have"
            )
    return {table: dict(columns) for table, columns in content.items()}


def rule_sentences(suites: Iterable[Suite]) -> dict[str, str]:
    """Return what each rule of some suites says, by its name."""
    return {rule.rule: rule.says for suite in suites for rule in suite.rules}


def _columns(table: str) -> set[str]:
    return {column.split()[0] for column in TABLES[table].columns.split(", ")}


def _suite_names(files: Iterable[str]) -> list[str]:
    return sorted(name for name in files if name not in OTHER_FILES)


def _read(files: Mapping[str, Path], name: str, read: ReadYaml) -> SuiteFile:
    if not SUITE_NAME.fullmatch(name) or name not in files:
        raise UserError(f"unknown suite {name[:80]!r}; known: {', '.join(_suite_names(files))}")
    path = files[name]
    content: Any = read(path)
    if not isinstance(content, Mapping):
        raise UserError(f"{path} must be a YAML mapping with `suite`, `about` and `rules`")
    try:
        file = SuiteFile.model_validate(content)
    except ValidationError as error:
        raise UserError(f"{path}: {validation_line(error)}") from None
    if file.suite != name:
        raise UserError(f"{path}: `suite` is {file.suite!r} but the file is called {name!r}")
    return file


def _check(rule: Rule, suite: str, facts: Mapping[str, Mapping[str, str]]) -> None:
    where = f"suite {suite!r}, rule {rule.rule!r}"
    if not _is_expectation(rule.expect):
        raise UserError(f"{where}: Great Expectations has no {rule.expect!r}")
    if not rule.expect.startswith(ROW_BY_ROW) or rule.expect in OF_TYPES:
        raise UserError(
            f"{where}: {rule.expect} judges a table as a whole, "
            f"so it cannot say which dialogue broke it"
        )
    hiding = [key for key in HIDING if key in rule.kwargs]
    if hiding:
        raise UserError(f"{where}: `{hiding[0]}` would let dialogues through unseen; leave it out")
    missing = [column for column in rule.columns if column not in facts[rule.table]]
    if missing or not rule.columns:
        name = missing[0] if missing else ""
        raise UserError(
            f"{where}: {rule.table} has no fact {name!r}; expectations/facts.yaml lists them"
        )


def _is_expectation(kind: str) -> bool:
    """Return True if the installed Great Expectations has this expectation.

    Looks for its file, because importing the library takes seconds.
    """
    package = find_spec("great_expectations")
    if package is None or package.origin is None:
        raise UserError(
            "great-expectations is not installed, although this project needs it: "
            "install the project again"
        )
    return (Path(package.origin).parent / "expectations" / "core" / f"{kind}.py").is_file()


def _with_severities(rules: Sequence[Rule], over: Mapping[str, str]) -> tuple[Rule, ...]:
    """Return the rules with a domain's severities, without those that are switched off."""
    kept = []
    for rule in rules:
        severity = over.get(rule.rule, rule.severity)
        if severity != "off":
            kept.append(rule.model_copy(update={"severity": severity}))
    return tuple(kept)

"""A run's settings are read, its inputs checked and its domain locked once, whoever does it first."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from flows.options import BuildOptions
from flows.preflight import held_job, read_job
from flows.specifications import LOADERS, load_specifications
from tasks.errors import UserError
from tasks.settings import Domain, Home
from tasks.settings.paths import PROJECT

OPENED: list[str] = []
LISTENING: list[bool] = []


def note_open(event: str, arguments: tuple[Any, ...]) -> None:
    if LISTENING and event == "open" and str(arguments[0]).endswith(".yaml"):
        OPENED.append(os.path.relpath(str(arguments[0]), PROJECT))


@pytest.fixture(scope="module", autouse=True)
def hook() -> None:
    sys.addaudithook(note_open)  # it stays for the life of the process


@contextmanager
def yaml_files_opened() -> Iterator[Counter[str]]:
    """Yield a counter that at the end of the block holds how often each YAML file was opened."""
    OPENED.clear()
    LISTENING.append(True)
    found: Counter[str] = Counter()
    try:
        yield found
    finally:
        LISTENING.clear()
        found.update(OPENED)


def test_each_file_is_read_once() -> None:
    with yaml_files_opened() as opened:
        load_specifications(Home(), "demo")
    assert set(opened.values()) == {1}
    expectations = {
        f"expectations/{path.name}" for path in (PROJECT / "expectations").glob("*.yaml")
    }
    assert expectations | {"goal_specs/goals.yaml", "data/domains/demo.yaml"} < set(opened)


def test_a_part_names_every_file_that_was_read_for_it_also_those_read_before() -> None:
    specifications = load_specifications(Home(), "demo")
    read = {name: set(specifications.only([name]).files()) for name in LOADERS}
    assert read == {
        "goals": {"goal_specs/goals.yaml"},
        "templates": {
            "goal_specs/goals.yaml",
            "goal_specs/grammar.yaml",
            "goal_specs/templates/curated.yaml",
        },
        "profile": {"goal_specs/prompts/grounded.yaml"},
        "suites": {
            "expectations/facts.yaml",
            "expectations/grounded.yaml",
            "expectations/paper.yaml",
        },
        "lexicon": {
            "expectations/lexicon.yaml",
            *(f"expectations/languages/{code}.yaml" for code in PACKS),
        },
        "causes": {
            "expectations/causes.yaml",
            "expectations/grounded.yaml",
            "expectations/judged.yaml",
            "expectations/paper.yaml",
            "expectations/semantic.yaml",
        },
        "judge_words": {"goal_specs/evaluation/gate.yaml"},
    }


PACKS = ("de", "en", "es", "fr", "it", "ja", "nl", "pt")


class Checked:
    """A check that counts how often it is made."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, home: Home, domain: Domain, options: BuildOptions) -> None:
        self.times += 1


def test_what_a_command_holds_its_flow_takes_over(tmp_path: Path) -> None:
    home, options, check = Home(data=tmp_path), BuildOptions(seed=5), Checked()
    job = read_job(home, "demo", options)
    with held_job(job, check):
        with yaml_files_opened() as opened:
            again = read_job(home, "demo", BuildOptions(seed=5))
        assert again is job and not opened
        with held_job(again, check):  # a lock of its own would be refused
            pass
    assert check.times == 1


def test_another_build_is_read_and_checked_by_itself(tmp_path: Path) -> None:
    home, check = Home(data=tmp_path), Checked()
    job = read_job(home, "demo", BuildOptions())
    with held_job(job, check):
        other = read_job(home, "demo", BuildOptions(seed=5))
        assert other is not job and other.specifications.domain.seed == 5
        with pytest.raises(UserError, match="is working on domain 'demo'"), held_job(other, check):
            pass
    with held_job(other, check):
        pass
    assert check.times == 3
    assert read_job(home, "demo", BuildOptions()) is not job


def test_a_check_that_fails_leaves_nothing_locked(tmp_path: Path) -> None:
    job = read_job(Home(data=tmp_path), "demo", BuildOptions())

    def refuse(home: Home, domain: Domain, options: BuildOptions) -> None:
        raise UserError("no")

    with pytest.raises(UserError, match="no"), held_job(job, refuse):
        pass
    assert not list(tmp_path.iterdir())
    with held_job(job, Checked()):
        pass

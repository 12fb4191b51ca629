"""A suite that cannot judge stops the command in one line, before a model is asked."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from tests.support.command import environment_without
from tests.support.forked import run_forked

PROJECT = Path(__file__).parents[2]
RULE = {
    "rule": "mine-one",
    "severity": "reject",
    "says": "Short.",
    "source": "Here.",
    "table": "dialogue_facts",
}
RULE |= {"expect": "expect_column_values_to_be_between", "evidence": "words"}
KWARGS: dict[str, object] = {"column": "longest_words", "min_value": 0, "max_value": 60}
MISTAKES: dict[str, tuple[object, str]] = {
    "typo": ([{**RULE, "kwargs": KWARGS, "severty": "warn"}], "severty"),
    "expectation": (
        [{**RULE, "kwargs": KWARGS, "expect": "expect_column_values_to_be_nice"}],
        "no 'expect_column_values_to_be_nice'",
    ),
    "fact": ([{**RULE, "kwargs": {**KWARGS, "column": "longest_word"}}], "no fact 'longest_word'"),
    "twice": ([{**RULE, "kwargs": KWARGS}, {**RULE, "kwargs": KWARGS}], "is listed twice"),
    "severity": ([{**RULE, "kwargs": KWARGS, "severity": "fatal"}], "severity"),
    "mostly": ([{**RULE, "kwargs": {**KWARGS, "mostly": 0.9}}], "`mostly`"),
    "empty": ([], "rules"),
    "types": ({"first": "a string"}, "rules"),
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout whose suites may be spoiled."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("flows", "tasks", "goal_specs", "expectations"):
        shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name, (rules, _) in MISTAKES.items():
        content = {"suite": name, "about": "Mine.", "rules": rules}
        (folder / "expectations" / f"{name}.yaml").write_text(
            yaml.safe_dump(content), encoding="utf-8"
        )
    return folder


def test_every_mistake_is_one_clear_line(project: Path, tmp_path: Path) -> None:
    (tmp_path / "domains").mkdir()
    (tmp_path / "r.json").write_text("{}\n")
    for name in MISTAKES:
        text = f"noun: thing\nsources: {{format: amazon_2014, reviews: [../r.json]}}\nquality: {{suites: [paper, {name}]}}\n"
        (tmp_path / "domains" / f"{name}.yaml").write_text(text, encoding="utf-8")
    for name, (_, words) in MISTAKES.items():
        done = run_forked(
            "flows.cli:main",
            "--data",
            str(tmp_path),
            "build",
            name,
            environment=environment_without("PREFECT_API_URL"),
            folder=project,
        )
        told = [line for line in done.stderr.splitlines() if line.strip()]
        assert done.returncode == 2 and len(told) == 1, (name, told)
        assert told[0].startswith("redial: ") and words in told[0], told
    assert not (tmp_path / "warehouse").exists()

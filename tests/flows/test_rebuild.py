"""A release made again from what it carries."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from flows import rebuild
from flows.server.ephemeral import PrivateServer
from tasks.errors import UserError
from tasks.release import read_made_by
from tasks.settings import PROJECT, Home
from tests.support.command import environment_with, run_redial
from tests.support.plain_build import BuiltDemo

SOURCES = PROJECT / "data" / "demo"


def test_a_release_is_made_again_byte_by_byte(
    repaired_demo: BuiltDemo, flow_server: PrivateServer, tmp_path: Path
) -> None:
    data = shutil.copytree(repaired_demo.home.data / "releases", tmp_path / "data" / "releases")
    words = ("rebuild", "demo", "--sources", str(SOURCES), "--json")
    done = run_redial(data.parent, *words, environment=environment_with(flow_server))
    assert done.returncode == 0, done.stderr + done.stdout
    told = json.loads(done.stdout)
    assert told["same"] and told["version"] == repaired_demo.release.version
    assert told["causes"] == [] and not list(data.parent.glob(".aside*"))


def test_a_release_carries_what_made_it(repaired_demo: BuiltDemo) -> None:
    made = read_made_by(repaired_demo.release.path)
    assert set(made.sources) == {"reviews.json.gz", "meta.json.gz"}
    assert made.settings["briefs"]["max_dialogues"] == 30 and made.settings["seed"] == 3
    assert "limits" not in made.settings["generate"]
    for path in (
        "goal_specs/goals.yaml",
        "goal_specs/prompts/grounded.yaml",
        "goal_specs/templates/curated.yaml",
        "expectations/lexicon.yaml",
        "expectations/languages/en.yaml",
        "expectations/paper.yaml",
    ):
        assert made.contents[path] == yaml.safe_load((PROJECT / path).read_text("utf-8")), path
    text = (repaired_demo.release.path / "made_by" / "made_by.json").read_text("utf-8")
    assert str(PROJECT) not in text and "duckdb" in made.libraries


def test_what_is_different_here_is_said(repaired_demo: BuiltDemo, tmp_path: Path) -> None:
    made = read_made_by(repaired_demo.release.path)
    changed = replace(
        made,
        contents={**made.contents, "expectations/paper.yaml": {}, "goal_specs/none.yaml": {}},
        libraries={**made.libraries, "duckdb": "0.1"},
    )
    causes = list(rebuild._causes(Home(), changed))
    assert [cause.split(" is ")[0] for cause in causes] == [
        "expectations/paper.yaml",
        "goal_specs/none.yaml",
        "duckdb",
    ]
    with pytest.raises(UserError, match="there is no source file"):
        rebuild._check_sources(made, tmp_path)
    for name in made.sources:
        (tmp_path / name).write_bytes(b"other")
    with pytest.raises(UserError, match="is another file than the release was made from"):
        rebuild._check_sources(made, tmp_path)

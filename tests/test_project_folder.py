"""`redial init`: a folder that can be built from, in which own files count before shipped ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli import app
from flows.preflight import check_sources
from flows.server.deployment_file import load_deployments
from flows.specifications import load_specifications
from tasks.errors import UserError
from tasks.project_folder import make_project
from tasks.settings import Home, load_domain


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """The data folder of a project that was just begun."""
    make_project(Home(), tmp_path / "books", "books")
    return Home(data=tmp_path / "books" / "data")


def test_its_domain_can_be_built_and_is_deployed(home: Home) -> None:
    domain = load_domain(home, "books")
    check_sources(domain)
    assert domain.license == ""
    assert {Path(one.path).parent for one in domain.sources.reviews} == {home.data / "sources"}
    specifications = load_specifications(home, "books")
    assert specifications.own_files() == []
    entries, bad = load_deployments(home)
    assert bad == []
    (books,) = [entry for entry in entries if entry.name == "books"]
    assert books.description == "Build the domain books."
    assert "demo" in {entry.name for entry in entries}


def test_own_files_take_the_place_of_shipped_ones_by_name(home: Home) -> None:
    shipped = load_specifications(home, "books")
    for name in ("goal_specs/templates/curated.yaml", "goal_specs/prompts/grounded.yaml"):
        text = home.file(name).read_text(encoding="utf-8")
        (home.data / name).write_text(f"{text}\n# ours\n", encoding="utf-8")
    suite = home.file("expectations/paper.yaml").read_text(encoding="utf-8")
    own = suite.replace("suite: paper", "suite: mine")
    (home.data / "expectations" / "mine.yaml").write_text(own, encoding="utf-8")
    over = {"quality": {"suites": ["mine"]}}
    ours = load_specifications(home, "books", over)
    assert ours.own_files() == [
        "expectations/mine.yaml",
        "goal_specs/prompts/grounded.yaml",
        "goal_specs/templates/curated.yaml",
    ]
    # A stage is made again for what a file holds, and not for where it lies.
    changed = {name for name, found in shipped.files().items() if ours.files().get(name) != found}
    assert changed <= {"expectations/paper.yaml", "expectations/grounded.yaml"}


def test_no_file_that_is_there_is_changed(home: Home) -> None:
    with pytest.raises(UserError, match=r"README\.md is there already: choose another folder"):
        make_project(Home(), home.data.parent, "films")
    assert not (home.data / "domains" / "films.yaml").exists()


@pytest.mark.parametrize("name", ["Books", "../books", "", "a b"])
def test_a_wrong_name_is_one_line(name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not a domain name"):
        make_project(Home(), tmp_path / "new", name)
    assert not (tmp_path / "new").exists()


def test_the_command_names_what_it_wrote(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["init", str(tmp_path / "films"), "--domain", "films"])
    assert done.exit_code == 0, done.exception
    lines = done.stdout.splitlines()
    written = {Path(line.strip()) for line in lines[:-1]}
    assert written == {path for path in (tmp_path / "films").rglob("*") if path.is_file()}
    assert lines[-1].endswith("redial --data data build films")

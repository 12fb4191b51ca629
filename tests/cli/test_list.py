"""`redial list`, `redial --version`, and what a shell completes."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from flows.cli import app
from tasks.runs import code_version
from tasks.settings import Home
from tasks.warehouse import open_warehouse
from tests.support.forked import run_forked
from tests.support.report_warehouse import fill
from tests.support.served import demo_like


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Two domains of our own, one with a warehouse and two releases; and a warehouse that cannot be read."""
    home = Home(data=tmp_path_factory.mktemp("data"))
    for name in ("shop", "empty"):
        demo_like(home.data, name, title=name)
    with open_warehouse(home.warehouse("shop")) as con:
        fill(con, 40)
    home.warehouse("torn").write_bytes(b"no database")
    for version in ("v1", "v2"):
        (home.releases("shop") / version).mkdir(parents=True)
    (home.releases("shop") / "latest").write_text("v2\n")
    return home


def listed(home: Home, *arguments: str) -> object:
    done = CliRunner().invoke(app, ["--data", str(home.data), "list", *arguments, "--json"])
    assert done.exit_code == 0, done.exception
    return json.loads(done.stdout)


def test_domains_releases_and_runs_are_listed(home: Home) -> None:
    found = listed(home)
    assert isinstance(found, dict) and set(found) == {"domains", "releases", "runs"}
    domains = {row["domain"]: row for row in found["domains"]}
    assert {"demo", "shop", "empty", "torn"} <= set(domains)
    assert (
        domains["shop"]["briefs"],
        domains["shop"]["accepted"],
        domains["shop"]["latest_release"],
    ) == (40, 36, "v2")
    assert domains["empty"]["briefs"] is None and "cannot be opened" in domains["torn"]["problem"]
    assert {(row["version"], row["latest"], row["dialogues"]) for row in found["releases"]} == {
        ("v1", False, 36),
        ("v2", True, None),
    }
    (run,) = found["runs"]
    assert (run["domain"], run["run_id"], run["state"], run["model"]) == (
        "shop",
        "run-1",
        "completed",
        "offline/writer",
    )


def test_one_kind_of_one_domain(home: Home) -> None:
    assert (
        isinstance(releases := listed(home, "releases", "--domain", "shop"), list)
        and len(releases) == 2
    )
    assert listed(home, "runs", "--domain", "empty") == []
    shown = CliRunner().invoke(app, ["--data", str(home.data), "list"])
    assert (
        "run-1" in shown.stdout
        and "completed" in shown.stdout
        and "cannot be opened" in shown.stderr
    )
    refused = CliRunner().invoke(app, ["--data", str(home.data), "list", "--domain", "nothing"])
    assert "unknown domain 'nothing'" in str(refused.exception)


def test_the_version_names_package_and_code() -> None:
    shown = CliRunner().invoke(app, ["--version"])
    version, _, code = code_version().partition("+")
    assert shown.exit_code == 0 and shown.stdout.startswith(f"redial {version} (code {code}")


def complete(shell: str, line: str) -> str:
    """Return what `redial` answers a shell that asks it to complete a line."""
    words = line.split(" ")
    asked = {
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
        "_TYPER_COMPLETE_ARGS": line,
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    kept = {name: value for name, value in os.environ.items() if name != "REDIAL_DATA"}
    environment = {**kept, **asked, "_REDIAL_COMPLETE": f"complete_{shell}"}
    done = run_forked("flows.cli:main", environment=environment)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_domains_dialogues_and_releases(home: Home, shell: str) -> None:
    with open_warehouse(home.warehouse("shop")) as con:
        (whole,) = con.execute("SELECT dialogue_id FROM briefs WHERE brief_order = 3").fetchall()[0]
    redial = f"redial --data {home.data}"
    assert "shop" in (domains := complete(shell, f"{redial} build sh")) and "empty" not in domains
    assert whole in complete(shell, f"{redial} show {whole[:6]}")
    assert f"shop/{whole}" in complete(shell, f"{redial} why shop/{whole[:6]}")
    assert "shop/v1" in complete(shell, f"{redial} diff shop/")
    assert complete(shell, f"{redial} show torn/").strip() in ("", "_files")  # cannot be read


def test_completing_loads_nothing_heavy(home: Home) -> None:
    look = "lambda: print(sorted({'prefect', 'litellm', 'great_expectations', 'polars', 'pandas'} & set(sys.modules)), file=sys.stderr)"
    check = f"import atexit, sys; atexit.register({look}); from flows.cli import main; main()"
    line = f"redial --data {home.data} show 0"
    asked = {
        **os.environ,
        "_REDIAL_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": "4",
    }
    done = subprocess.run(
        [sys.executable, "-c", check],
        env=asked,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stderr.strip() == "[]" and done.stdout.strip()

"""`redial build` with a judge, and `redial calibrate`, as people run them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from flows.server.ephemeral import PrivateServer
from tasks.settings import Home
from tasks.warehouse import read_warehouse
from tests.support.command import environment_with, run_redial
from tests.support.served import demo_like

JUDGED = {"suites": ["paper", "grounded", "judged"], "judge": {"model": "offline/writer"}}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A data folder with a domain of 12 dialogues, not built yet."""
    home = Home(data=tmp_path_factory.mktemp("commands"))
    demo_like(home.data, "read", title="Read", briefs={"max_dialogues": 12})
    return home


def build(home: Home, server: PrivateServer, **quality: Any) -> dict[str, Any]:
    """Build with settings of `quality` and return the result."""
    settings = [f"quality.{name}={json.dumps(value)}" for name, value in quality.items()]
    given = [word for setting in settings for word in ("--set", setting)]
    done = run_redial(
        home.data, "build", "read", *given, "--json", environment=environment_with(server)
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def stages(home: Home) -> dict[str, int]:
    """Return the rows of each stage of the first attempt."""
    with read_warehouse(home.warehouse("read")) as con:
        rows = con.execute("SELECT stage, rows FROM stages WHERE stage LIKE '%-1'").fetchall()
        (paid,) = con.execute("SELECT count(*) FROM responses").fetchall()[0]
    return {**dict(rows), "paid": paid}


@pytest.mark.heavy
def test_a_judge_is_asked_once_and_forgotten_when_it_is_switched_off(
    home: Home, flow_server: PrivateServer
) -> None:
    without = build(home, flow_server)
    before = stages(home)
    assert "judge-1" not in before
    judged = build(home, flow_server, **JUDGED)
    after = stages(home)
    whole = after["judge-1"]
    assert 6 < whole <= 12 and after["paid"] >= before["paid"] + whole
    assert judged["version"] != without["version"] or judged["release"] == without["release"]
    assert build(home, flow_server, **JUDGED)["version"] == judged["version"]
    assert stages(home) == after
    calibrated(home, flow_server)
    assert build(home, flow_server)["version"] != judged["version"]
    assert "judge-1" not in stages(home)


def calibrated(home: Home, server: PrivateServer) -> None:
    """Calibrate with the mock model, which finds nothing, and look at what is said."""
    judges = ("--judge", "offline/writer", "--judge", "offline/other")
    words = ("calibrate", "read", *judges, "--dialogues", "4", "--json")
    done = run_redial(home.data, *words, environment=environment_with(server))
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    by_reader: dict[str, dict[str, Any]] = {}
    for row in found["rows"]:
        by_reader.setdefault(row["reader"], {})[row["kind"]] = row
    assert by_reader["no-near-copy"]["D7 near-copy"]["rejected"] > 0
    assert {row["rejected"] for row in by_reader["offline/writer"].values()} == {0}
    assert "readable" in found["not_calibrated"] and found["left"] == []
    (agreed,) = found["agreement"]
    assert agreed["dialogues"] == agreed["neither"] > 4 and agreed["kappa"] is None
    with read_warehouse(home.warehouse("read")) as con:
        ((stored,),) = con.execute("SELECT count(*) FROM calibrations").fetchall()
    assert stored == len(found["rows"])


def test_a_domain_that_was_not_built_is_a_mistake(tmp_path: Path) -> None:
    demo_like(tmp_path, "read", title="Read")
    done = run_redial(tmp_path, "calibrate", "read")
    assert done.returncode == 2 and "redial build read" in done.stderr

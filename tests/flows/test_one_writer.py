"""Two builds of one domain at once: one works, the other waits or is refused with the reason, and the warehouse stays whole."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tasks.settings import Home
from tasks.settings.paths import PROJECT
from tasks.warehouse import domain_lock
from tests.support.command import environment_without, redial_command
from tests.support.release_reader import sums_hold
from tests.support.served import Served, demo_like, until

pytestmark = pytest.mark.heavy


def redial(data: Path, *arguments: str) -> subprocess.Popen[str]:
    kept = environment_without("PREFECT_")
    command = redial_command(data, *arguments)
    return subprocess.Popen(
        command, cwd=PROJECT, env=kept, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def is_whole(data: Path, domain: str, briefs: int) -> str:
    """Hold the warehouse against what a single build leaves; return the only release's version."""
    with duckdb.connect(str(data / "warehouse" / f"{domain}.duckdb")) as con:
        con.execute("FORCE CHECKPOINT")
        tables = [
            row[0] for row in con.execute("SELECT table_name FROM duckdb_tables()").fetchall()
        ]
        assert {"briefs", "verdicts", "responses"} <= set(tables)
        for table in tables:
            con.execute(f"SELECT * FROM {table}").fetchall()
        verdicts, ids = con.execute(
            "SELECT count(*), count(DISTINCT dialogue_id) FROM verdicts"
        ).fetchall()[0]
        assert verdicts == ids == briefs
        asked, keys = con.execute(
            "SELECT count(*), count(DISTINCT request_key) FROM responses"
        ).fetchall()[0]
        assert asked == keys >= briefs
        assert not con.execute("SELECT * FROM runs WHERE state = 'running'").fetchall()
    (release,) = [path for path in (data / "releases" / domain).iterdir() if path.is_dir()]
    assert sums_hold(release)
    return release.name


def test_the_second_of_two_commands_is_refused(tmp_path: Path) -> None:
    demo_like(tmp_path, "own", title="Our own", briefs={"max_dialogues": 30})
    both = [redial(tmp_path, "build", "own", "--json") for _ in range(2)]
    ended: list[tuple[int, str, str]] = []
    for one in both:
        out, err = one.communicate(timeout=300)
        ended.append((one.returncode, out, err))
    (won, lost) = sorted(ended)
    assert (won[0], lost[0]) == (0, 2), ended
    assert json.loads(won[1])["version"] == is_whole(tmp_path, "own", 30)
    assert lost[1] == ""
    (line,) = [line for line in lost[2].splitlines() if line.startswith("redial: ")]
    assert "is working on domain 'own': wait until it ends, or stop it" in line
    assert "Traceback" not in lost[2]


def test_the_second_of_two_runs_waits(served: Served) -> None:
    runs = [served.start("build/twice", domain="twice") for _ in range(2)]
    ended: list[dict[str, Any]] = [served.wait(run_id) for run_id in runs]
    assert [run["state"]["name"] for run in ended] == ["Completed", "Completed"], [
        served.logs(run_id) for run_id in runs
    ]
    first, second = sorted(ended, key=lambda run: str(run["start_time"]))
    assert first["end_time"] <= second["start_time"]
    assert "AwaitingConcurrencySlot" in served.states(second["id"])
    assert set(served.tasks(second["id"]).values()) == {"Cached"}
    is_whole(served.data, "twice", 20)


def test_a_run_is_refused_while_a_command_holds_the_domain(served: Served) -> None:
    with domain_lock(Home.find(served.data), "held"):
        run_id = served.start("build/held", domain="held")
        run = served.wait(run_id)
    assert (run["state"]["type"], run["state"]["name"]) == ("FAILED", "Refused")
    assert (
        run["state"]["message"]
        == f"process {os.getpid()} is working on domain 'held': wait until it ends, or stop it"
    )


def test_a_command_is_refused_while_a_run_works(served: Served) -> None:
    """The command runs on a server of its own: what keeps the two apart is the domain's lock alone."""
    run_id = served.start("build/slow", domain="slow")
    until(
        lambda: (served.data / "warehouse" / "slow.lock").exists(), 120, lambda: served.logs(run_id)
    )
    command = redial(served.data, "build", "slow", "--json")
    out, err = command.communicate(timeout=200)
    assert (command.returncode, out) == (2, ""), err
    assert f"redial: process {served.pid(run_id)} is working on domain 'slow'" in err
    assert served.wait(run_id)["state"]["name"] == "Completed", served.logs(run_id)
    is_whole(served.data, "slow", 100)

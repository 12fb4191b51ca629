"""Threads and memory follow the machine and its containers, unless somebody says otherwise."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tasks.errors import UserError
from tasks.machine import (
    LEAST_BYTES,
    SHARE,
    Machine,
    System,
    check_build_memory,
    free_memory,
    limit_libraries,
    this_machine,
    usable_cores,
)
from tasks.settings import Home, load_domain
from tests.support.command import environment_without
from tests.support.memory_group import memory_group
from tests.support.plain_build import REPAIRED, REPAIRED_RUN, BuiltDemo, plain_build
from tests.support.served import demo_like

GIB = 2**30
FREE = "MemTotal: 16777216 kB\nMemAvailable: 8388608 kB\n"  # 8 GiB of 16


def system(folder: Path, groups: str, files: dict[str, str]) -> System:
    """Return a system with 8 GiB free and the control groups that are given."""
    proc, cgroups = folder / "proc", folder / "cgroup"
    (proc / "self").mkdir(parents=True)
    (proc / "meminfo").write_text(FREE)
    (proc / "self" / "cgroup").write_text(groups)
    for name, text in files.items():
        (cgroups / name).parent.mkdir(parents=True, exist_ok=True)
        (cgroups / name).write_text(text + "\n")
    return System(proc, cgroups)


def test_without_limits_it_is_what_the_machine_has(tmp_path: Path) -> None:
    free = system(tmp_path, "0::/\n", {"memory.max": "max", "memory.current": "1"})
    assert free_memory(free) == 8 * GIB
    assert usable_cores(free) == len(os.sched_getaffinity(0))
    assert this_machine(environment={}, system=free).memory == int(SHARE * 8 * GIB)


def test_a_container_leaves_what_its_group_and_those_above_have_left(tmp_path: Path) -> None:
    files = {
        "memory.max": "max",
        "pod/memory.max": str(2 * GIB),
        "pod/memory.current": str(GIB),
        "pod/memory.stat": f"anon 5\ninactive_file {GIB // 2}",
        "pod/run/memory.max": str(4 * GIB),
        "pod/run/memory.current": str(GIB),
        "pod/run/cpu.max": "50000 100000",
    }
    within = system(tmp_path, "0::/pod/run\n", files)
    assert free_memory(within) == 1.5 * GIB
    assert usable_cores(within) == 1


def test_a_path_of_the_host_does_not_hide_the_limit(tmp_path: Path) -> None:
    """A container sees its own group at the root, under the path that the host has for it."""
    files = {"memory.max": str(GIB), "memory.current": "0"}
    assert free_memory(system(tmp_path, "0::/docker/3a07\n", files)) == GIB


def test_limits_of_the_older_kind_count(tmp_path: Path) -> None:
    files = {
        "memory/box/memory.limit_in_bytes": str(GIB),
        "memory/box/memory.usage_in_bytes": str(GIB // 2),
        "memory/box/memory.stat": "inactive_file 1\ntotal_inactive_file 1024",
        "cpu,cpuacct/cpu.cfs_quota_us": "100000",
        "cpu,cpuacct/cpu.cfs_period_us": "100000",
    }
    older = system(tmp_path, "4:memory:/box\n3:cpu,cpuacct:/\n", files)
    assert free_memory(older) == GIB // 2 + 1024
    assert usable_cores(older) == 1


def test_there_is_never_too_little_to_start(tmp_path: Path) -> None:
    full = system(tmp_path, "0::/\n", {"memory.max": "4096", "memory.current": "4096"})
    assert this_machine(environment={}, system=full).memory == LEAST_BYTES


def test_a_container_too_small_for_a_build_is_one_line_and_can_be_tried(tmp_path: Path) -> None:
    files = {"memory.max": str(500 * 2**20), "memory.current": str(50 * 2**20)}
    small = system(tmp_path, "0::/\n", files)
    line = "450 MiB of memory are free here, and a build needs 560: .*set REDIAL_MEMORY=256MB"
    with pytest.raises(UserError, match=line):
        check_build_memory(environment={}, system=small)
    check_build_memory(environment={"REDIAL_MEMORY": "256MB"}, system=small)
    check_build_memory("256MB", environment={}, system=small)
    files["memory.max"] = str(768 * 2**20)
    check_build_memory(environment={}, system=system(tmp_path / "more", "0::/\n", files))


@pytest.mark.parametrize(
    ("limit", "code"), [(512, 2), pytest.param(768, 0, marks=pytest.mark.heavy)]
)
def test_a_build_under_a_hard_limit_ends_well_or_before_it_begins(
    tmp_path: Path, limit: int, code: int
) -> None:
    try:
        group = memory_group(limit * 2**20)
        with group as held:
            joined = f"import os, pathlib; pathlib.Path({str(held.joined)!r}).write_text(str(os.getpid()))"
            command = [sys.executable, "-c", f"{joined}; from llm_redial.cli import main; main()"]
            done = subprocess.run(
                [*command, "--data", str(tmp_path), "build", "demo"],
                env=environment_without("PREFECT_") | {"REDIAL_MEMORY": ""},
                capture_output=True,
                text=True,
                check=False,
            )
    except OSError as error:
        pytest.skip(f"no control group can be made here: {error}")
    assert done.returncode == code, done.stdout + done.stderr
    if code:
        assert "MiB of memory are free here" in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1 and not (tmp_path / "releases").exists()


def test_settings_come_before_the_environment_and_that_before_the_machine(tmp_path: Path) -> None:
    said = {"REDIAL_THREADS": "3", "REDIAL_MEMORY": "1.5GiB"}
    assert this_machine(environment=said) == Machine(3, int(1.5 * GIB))
    assert this_machine(2, "1GB", environment=said) == Machine(2, 10**9)
    demo_like(tmp_path, "small", machine={"threads": 5, "memory": "300MB"})
    domain = load_domain(Home(data=tmp_path), "small")
    assert domain.machine.machine() == Machine(5, 300_000_000)


@pytest.mark.parametrize("wrong", ["0", "-1", "many", "1000", "²"])
def test_a_wrong_number_of_threads_is_one_line(wrong: str) -> None:
    with pytest.raises(UserError, match="REDIAL_THREADS is .*: give a number from 1 to 256"):
        this_machine(environment={"REDIAL_THREADS": wrong})


def test_a_wrong_amount_in_the_settings_is_one_line(tmp_path: Path) -> None:
    demo_like(tmp_path, "small")
    with pytest.raises(UserError, match=r"machine\.memory.*is no amount of memory"):
        load_domain(Home(data=tmp_path), "small", {"machine": {"memory": "lots"}})


def test_libraries_take_over_the_threads_unless_the_environment_says() -> None:
    environment = {"OMP_NUM_THREADS": "7"}
    limit_libraries(Machine(2, GIB), environment)
    assert environment["OMP_NUM_THREADS"] == "7"
    assert environment["POLARS_MAX_THREADS"] == "2"


@pytest.mark.parametrize("limits", [{"threads": 1, "memory": "500MB"}, {"threads": 4}], ids=str)
def test_the_same_release_comes_of_any_machine(
    repaired_demo: BuiltDemo, tmp_path: Path, limits: dict[str, object]
) -> None:
    options = REPAIRED.model_copy(update={"settings": {"machine": limits}})
    made = plain_build(Home.find(tmp_path), "demo", options, run_id=REPAIRED_RUN)
    assert made.version == repaired_demo.release.version


POLARS = """
from flows import api
from flows.options import BuildOptions
api._read("demo", BuildOptions(settings={"machine": {"threads": 1}}), None)
import polars
print(polars.thread_pool_size())
"""


def test_polars_has_the_threads_of_the_domain() -> None:
    command = [sys.executable, "-c", POLARS]
    # Other tests of this process may have built something, which sets the variable.
    said = environment_without("POLARS_")
    done = subprocess.run(command, env=said, capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"


PINNED = """
import os, sys
from pathlib import Path
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
from tasks.warehouse import open_warehouse
with open_warehouse(Path(sys.argv[1])) as con:
    print(con.execute("SELECT current_setting('threads'), current_setting('memory_limit')").fetchone())
"""


def test_duckdb_has_one_thread_on_one_core(tmp_path: Path) -> None:
    said = {**os.environ, "REDIAL_MEMORY": "512MiB"}
    command = [sys.executable, "-c", PINNED, str(tmp_path / "w.duckdb")]
    done = subprocess.run(command, env=said, capture_output=True, text=True, check=True)
    assert done.stdout == "(1, '512.0 MiB')\n"


ROOT = Path(__file__).resolve().parents[1]


def test_every_connection_to_duckdb_is_given_its_limits() -> None:
    calls = [
        (path.name, call)
        for path in (*(ROOT / "tasks").rglob("*.py"), *(ROOT / "flows").rglob("*.py"))
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "duckdb.connect"
    ]
    assert len(calls) > 5
    assert not [name for name, call in calls if "config" not in {arg.arg for arg in call.keywords}]

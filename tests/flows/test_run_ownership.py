"""What becomes of an active run, from what is known of it."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.server.process_ending import end_processes
from flows.server.process_identity import (
    ProcessIdentity,
    host_name,
    processes_of_run,
    this_process,
)
from flows.server.run_ownership import ACTIVE, UNHEARD_S, Action, RunFacts, decide
from tasks.polling import wait_until

KEEP, CRASH, CANCEL, KILL = Action.KEEP, Action.CRASH, Action.CANCEL, Action.KILL_AND_CANCEL
FOREVER = UNHEARD_S * 10


@pytest.mark.parametrize(
    ("state", "worker", "process", "wanted"),
    [
        ("RUNNING", True, True, KEEP),
        ("RUNNING", True, False, KEEP),  # its worker reports the end
        ("RUNNING", False, True, KEEP),  # it goes on without its worker
        ("RUNNING", False, False, CRASH),
        ("PENDING", False, True, KEEP),
        ("PENDING", False, False, CRASH),
        ("CANCELLING", True, True, KEEP),
        ("CANCELLING", False, True, KILL),  # nobody else would end it
        ("CANCELLING", False, False, CANCEL),
    ],
)
def test_of_this_machine(state: str, worker: bool, process: bool, wanted: Action) -> None:
    assert decide(RunFacts(state, True, worker, process)) is wanted


@pytest.mark.parametrize(
    ("state", "worker", "process", "unheard_s", "wanted"),
    [
        ("RUNNING", True, False, FOREVER, KEEP),
        ("RUNNING", False, True, FOREVER, KEEP),
        ("RUNNING", False, False, UNHEARD_S - 1, KEEP),  # the server may have been away
        ("RUNNING", False, False, UNHEARD_S, CRASH),
        ("PENDING", False, False, UNHEARD_S, CRASH),
        ("CANCELLING", False, True, FOREVER, KEEP),  # a process elsewhere cannot be ended from here
        ("CANCELLING", False, False, UNHEARD_S, CANCEL),
    ],
)
def test_of_another_machine(
    state: str, worker: bool, process: bool, unheard_s: float, wanted: Action
) -> None:
    assert decide(RunFacts(state, False, worker, process, unheard_s)) is wanted


def test_no_run_that_somebody_answers_for_is_marked_as_lost() -> None:
    for state, here, worker, process in itertools.product(
        (*ACTIVE, "SCHEDULED", "COMPLETED"), *[(True, False)] * 3
    ):
        facts = RunFacts(state, here, worker, process, FOREVER)
        if worker or process or state not in ACTIVE:
            assert decide(facts) in (KEEP, KILL)
        if state == "CANCELLING":
            assert decide(facts) is not CRASH


# --- which process it is


names = st.text(st.characters(exclude_characters=":", exclude_categories=["Cs"]), min_size=1)
identities = st.builds(
    ProcessIdentity, names, names, st.integers(min_value=0), st.integers(min_value=1)
)


@given(identities)
def test_what_is_stored_is_read_back(identity: ProcessIdentity) -> None:
    assert ProcessIdentity.parse(str(identity)) == identity


@given(st.one_of(st.none(), st.text()))
def test_what_others_stored_is_nobody(text: str | None) -> None:
    parsed = ProcessIdentity.parse(text)
    assert parsed is None or str(parsed.pid) == str(int(text.rpartition(":")[2]))


@pytest.mark.parametrize("text", ["4711", "host:4711", "a:b:c:d", "a:b:1:-2", ""])
def test_a_plain_worker_s_process_id_is_nobody(text: str) -> None:
    assert ProcessIdentity.parse(text) is None


def test_a_process_is_alive_only_as_itself() -> None:
    here = this_process()
    assert here.pid == os.getpid()
    assert here.host == host_name()
    assert here.is_alive()
    assert not replace(here, boot="another boot").is_alive()
    assert not replace(here, started=here.started + 1).is_alive()  # the number was given again
    assert not replace(here, host="elsewhere").is_alive()


def test_a_process_that_ended_is_not_alive_though_nobody_looked() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        identity = ProcessIdentity.of(process.pid)
        assert identity is not None and identity.is_alive()
        assert process.stdin is not None
        process.stdin.close()
        assert wait_until(lambda: not identity.is_alive(), 20)  # a zombie until it is waited for
    assert ProcessIdentity.of(process.pid) is None


STUBBORN = """
import signal, subprocess, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
print(child.pid, flush=True)
child.wait()
"""


def test_a_run_s_process_is_found_and_ended_with_all_it_started() -> None:
    run_id = f"run-of-{os.getpid()}"
    environment = {**os.environ, "PREFECT__FLOW_RUN_ID": run_id}
    command = [sys.executable, "-c", STUBBORN]
    with subprocess.Popen(
        command, env=environment, start_new_session=True, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        assert processes_of_run(run_id) == [process.pid]
        assert processes_of_run(run_id[:-1]) == []
        end_processes(processes_of_run(run_id), patience_s=1)
        assert wait_until(lambda: ProcessIdentity.of(child) is None, 20)
    assert processes_of_run(run_id) == []

"""Which process a run lives in, told apart from every later process with the same number.

A process id alone says little: it is given again, sooner or later, and means nothing on another
machine or after a reboot. So the machine, its boot and the time the process started are kept beside
it. Reads /proc, as Linux has it.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
BOOT_ID = PROC / "sys" / "kernel" / "random" / "boot_id"
MACHINE_ID = Path("/etc/machine-id")
FLOW_RUN_ID = "PREFECT__FLOW_RUN_ID"  # in the environment of a run's process


@dataclass(frozen=True)
class ProcessIdentity:
    """One process of one boot of one machine.

    Attributes:
        host: name of the machine, see `host_name`.
        boot: the kernel's id of this boot.
        started: clock ticks from the boot to the start of the process.
        pid: process id.
    """

    host: str
    boot: str
    started: int
    pid: int

    def __str__(self) -> str:
        """Return it as it is stored at the Prefect server; the process id comes last."""
        return f"{self.host}:{self.boot}:{self.started}:{self.pid}"

    @classmethod
    def parse(cls, text: str | None) -> ProcessIdentity | None:
        """Return what `str` had written, or None for anything else.

        A plain Prefect worker writes a bare process id.
        """
        parts = (text or "").split(":")
        if len(parts) != 4 or not (parts[2].isdecimal() and parts[3].isdecimal()):
            return None
        return cls(parts[0], parts[1], int(parts[2]), int(parts[3]))

    @classmethod
    def of(cls, pid: int) -> ProcessIdentity | None:
        """Return the identity of a process of this machine, or None when there is none any more."""
        stat = _Stat.read(pid)
        return cls(host_name(), boot_id(), stat.started, pid) if stat else None

    def is_alive(self) -> bool:
        """Return True if this very process runs on this machine now."""
        return self == ProcessIdentity.of(self.pid)


def host_name() -> str:
    """Return this machine's name, with the beginning of its machine id.

    Two machines may both be called `debian`.
    """
    try:
        machine = MACHINE_ID.read_text("ascii").strip()[:8]
    except OSError:  # containers often have none, and names of their own
        machine = ""
    return f"{socket.gethostname()}-{machine}".rstrip("-").replace(":", "-")


def boot_id() -> str:
    """Return the kernel's id of this boot."""
    return BOOT_ID.read_text("ascii").strip()


def this_process() -> ProcessIdentity:
    """Return the identity of the process that asks."""
    identity = ProcessIdentity.of(os.getpid())
    assert identity is not None
    return identity


def processes_of_run(run_id: str) -> list[int]:
    """Return this machine's live processes that were started for a flow run.

    What those started in turn is not among them.

    They are found by their environment, which the same user may read, also when nobody noted their
    ids.
    """
    return [pid for pid in _all_pids() if _leads_session(pid) and _run_of(pid) == run_id]


def has_ended(pid: int) -> bool:
    """Return True if no process of this machine has this number.

    One that only waits for its parent to look has ended.
    """
    return _Stat.read(pid) is None


@dataclass(frozen=True)
class _Stat:
    """What /proc/PID/stat says of a process that has not ended."""

    session: int
    started: int

    @classmethod
    def read(cls, pid: int) -> _Stat | None:
        try:
            text = (PROC / str(pid) / "stat").read_text("utf-8", errors="replace")
        except OSError:
            return None
        fields = text.rpartition(")")[
            2
        ].split()  # from the third field on: a name may hold anything
        if fields[0] in "ZX":  # it has ended, and its parent has not looked
            return None
        return cls(session=int(fields[3]), started=int(fields[19]))


def _all_pids() -> Iterator[int]:
    for folder in PROC.iterdir():
        if folder.name.isdecimal():
            yield int(folder.name)


def _leads_session(pid: int) -> bool:
    stat = _Stat.read(pid)
    return stat is not None and stat.session == pid


def _run_of(pid: int) -> str | None:
    try:
        environment = (PROC / str(pid) / "environ").read_bytes()
    except OSError:  # it has ended, or is another user's
        return None
    for entry in environment.split(b"\0"):
        name, _, value = entry.partition(b"=")
        if name == FLOW_RUN_ID.encode():
            return value.decode("ascii", "replace")
    return None

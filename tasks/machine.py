"""What a run may use of the machine: threads and memory.

By default these are the cores that the process may run on, and 60 % of the memory that is free,
both within the limits of a container. A domain's settings `machine`, or else REDIAL_THREADS and
REDIAL_MEMORY, say otherwise.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tasks.errors import UserError

THREADS_VARIABLE = "REDIAL_THREADS"
MEMORY_VARIABLE = "REDIAL_MEMORY"
MOST_THREADS = 256
SHARE = 0.6  # of free memory; the rest is for Python, libraries and the private server
LEAST_BYTES = 256 * 2**20  # DuckDB does not get far with less
BUILD_BYTES = 560 * 2**20
"""Free memory below which a build ends by the system's hand: its libraries and the private server
alone hold about 620 MiB at once, of which some 60 are in use when it is looked at."""
UNKNOWN_BYTES = 2**30  # assumed where a system does not say what is free
_AMOUNT = re.compile(r"(\d{1,6}(?:\.\d{1,3})?) ?([KMGT])(i?)B")
_POWERS = {"K": 1, "M": 2, "G": 3, "T": 4}
# Read by libraries at their first use: polars, and the linear algebra of numpy and scipy.
_LIBRARIES = ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_V1, _V2 = ("memory.limit_in_bytes", "memory.usage_in_bytes"), ("memory.max", "memory.current")
_REUSABLE = re.compile(r"(?m)^(?:total_)?inactive_file (\d+)$")


@dataclass(frozen=True)
class Machine:
    """How many threads a run starts at most in each library, and DuckDB's memory in bytes."""

    threads: int
    memory: int

    @property
    def duckdb_memory(self) -> str:
        """The memory as DuckDB takes it."""
        return f"{max(1, self.memory // 2**20)}MiB"

    @property
    def duckdb_settings(self) -> dict[str, str | bool | int | float | list[str]]:
        """The configuration with which a connection keeps to this."""
        return {"threads": str(self.threads), "memory_limit": self.duckdb_memory}


@dataclass(frozen=True)
class System:
    """Where Linux says what a process may use."""

    proc: Path = Path("/proc")
    cgroups: Path = Path("/sys/fs/cgroup")


def this_machine(
    threads: int | None = None,
    memory: str | None = None,
    environment: Mapping[str, str] = os.environ,
    system: System = System(),  # noqa: B008 - frozen
) -> Machine:
    """Return what may be used.

    Args:
        threads: how many a domain's settings want; None if they leave it open.
        memory: how much they want, such as 2GB.
        environment: where REDIAL_THREADS and REDIAL_MEMORY are looked for.
        system: where it is read what there is.

    What there is counts as this process first found it: DuckDB does not open a file twice with
    different limits.

    Raises:
        UserError: a variable holds no number of threads, or no amount of memory.
    """
    wanted = in_bytes(memory) if memory else _memory_of(environment)
    return Machine(
        threads or _threads_of(environment) or _found(system).threads,
        wanted or _found(system).memory,
    )


@cache
def _found(system: System) -> Machine:
    return Machine(usable_cores(system), max(LEAST_BYTES, int(SHARE * free_memory(system))))


def limit_libraries(machine: Machine, environment: MutableMapping[str, str] = os.environ) -> None:
    """Keep libraries that read their threads from the environment to those of a machine.

    What the environment says already is left. A library that was used before goes on as it was.
    """
    for name in _LIBRARIES:
        environment.setdefault(name, str(machine.threads))


def amount_of_memory(text: str) -> str:
    """Return an amount such as 600MB or 1.5GiB as it is. Raises ValueError if it is none."""
    if not in_bytes(text):
        raise ValueError("is no amount of memory, such as 600MB or 2GB")
    return text


def in_bytes(amount: str) -> int:
    """Return an amount such as 600MB or 1.5GiB in bytes; 0 if it is none."""
    found = _AMOUNT.fullmatch(amount)
    return int(float(found[1]) * (1024 if found[3] else 1000) ** _POWERS[found[2]]) if found else 0


def usable_cores(system: System = System()) -> int:  # noqa: B008 - frozen
    """Return how many cores this process may use: those it may run on, within its quota."""
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return max(1, min([cores, *map(math.ceil, _quotas(system))]))


def free_memory(system: System = System()) -> int:  # noqa: B008 - frozen
    """Return how many bytes could be used now: of the machine, within the container's limit."""
    found = re.search(r"(?m)^MemAvailable: +(\d+) kB", _text(system.proc / "meminfo"))
    return min([int(found[1]) * 1024 if found else UNKNOWN_BYTES, *_left_in_groups(system)])


def check_build_memory(
    memory: str | None = None,
    environment: Mapping[str, str] = os.environ,
    system: System = System(),  # noqa: B008 - frozen
) -> None:
    """Raise UserError where less memory is free than a build needs to begin with.

    Whoever says how much DuckDB may use, in the settings (`memory`) or by REDIAL_MEMORY, knows the
    machine, and is not stopped.
    """
    if memory or environment.get(MEMORY_VARIABLE, "").strip():
        return
    free = free_memory(system)
    if free < BUILD_BYTES:
        raise UserError(
            f"{free // 2**20:,} MiB of memory are free here, and a build needs "
            f"{BUILD_BYTES // 2**20:,}: end other programs or give the container more, or set "
            f"{MEMORY_VARIABLE}=256MB to try it all the same"
        )


def _memory_of(environment: Mapping[str, str]) -> int:
    text = environment.get(MEMORY_VARIABLE, "").strip()
    if text and not in_bytes(text):
        raise UserError(f"{MEMORY_VARIABLE} is {text[:40]!r}: give an amount such as 600MB or 2GB")
    return in_bytes(text)


def _threads_of(environment: Mapping[str, str]) -> int | None:
    text = environment.get(THREADS_VARIABLE, "").strip()
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MOST_THREADS:
        raise UserError(
            f"{THREADS_VARIABLE} is {text[:40]!r}: give a number from 1 to {MOST_THREADS}"
        )
    return int(text)


def _quotas(system: System) -> Iterator[float]:
    """Yield how many cores' time each control group of this process may use, if it is limited."""
    for folder in _groups(system, "cpu"):
        quota, _, period = _text(folder / "cpu.max").strip().partition(" ")
        if not quota:
            quota = _text(folder / "cpu.cfs_quota_us").strip()
            period = _text(folder / "cpu.cfs_period_us").strip()
        if quota.isdigit() and period.isdigit() and int(period):
            yield int(quota) / int(period)


def _left_in_groups(system: System) -> Iterator[int]:
    """Yield how many bytes each control group of this process has left, if it is limited."""
    for folder in _groups(system, "memory"):
        for limit, usage in (_V2, _V1):
            most, used = _text(folder / limit).strip(), _text(folder / usage).strip()
            if most.isdigit() and used.isdigit():
                # Pages of files count as used, though they are given up for whoever needs memory.
                reusable = _REUSABLE.findall(_text(folder / "memory.stat"))
                yield max(0, int(most) - int(used) + int(reusable[-1] if reusable else 0))


def _groups(system: System, controller: str) -> Iterator[Path]:
    """Yield the folders of this process's control groups, up to the root, of both versions."""
    for line in _text(system.proc / "self" / "cgroup").splitlines():
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if controllers and controller not in controllers.split(","):
            continue
        root = system.cgroups / controllers if controllers else system.cgroups
        # Within a container the path may be that of the host, which is not there.
        parts = Path(path.lstrip("/"))
        for below in (parts, *parts.parents):
            yield root / below


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""

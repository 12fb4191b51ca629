"""A control group of Linux with a hard memory limit, for processes that join it: what a container has."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.served import until

_ROOT = Path("/sys/fs/cgroup")
_V1, _V2 = ("memory.limit_in_bytes", "memory.max_usage_in_bytes"), ("memory.max", "memory.peak")


@dataclass(frozen=True)
class MemoryGroup:
    """A group.

    Attributes:
        joined: file that a process writes its id to, to be in the group with all it starts.
    """

    joined: Path
    _peak: Path

    def peak_mib(self) -> float:
        """Return the most that all of its processes held at once, the page cache included."""
        return int(self._peak.read_text()) / 2**20


@contextmanager
def memory_group(limit: int) -> Iterator[MemoryGroup]:
    """Make a group that may hold so many bytes. Raises OSError where that is not allowed."""
    v1 = _ROOT / "memory"
    (name, peak), root = (_V1, v1) if (v1 / _V1[0]).exists() else (_V2, _ROOT)
    folder = root / f"redial-{os.getpid()}"
    folder.mkdir()
    try:
        (folder / name).write_text(str(limit))
        yield MemoryGroup(folder / "cgroup.procs", folder / peak)
        until(lambda: not (folder / "cgroup.procs").read_text(), 60, lambda: "it has processes")
    finally:
        folder.rmdir()

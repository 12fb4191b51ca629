"""How long `redial serve` takes until it is ready, on a fresh data folder and on one it has served before.

    .venv/bin/python tests/benchmarks/serve_ready.py [STARTS]

Prints wall time and the processor time of all its processes until then. On an idle machine of two cores wall time is what counts;
where others work, half the processor time is the least it could take there.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.support.served import processes, serving  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")


def processor_s(pid: int) -> float:
    """Return the seconds a process and its children that have ended computed, 0 if it has ended itself."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(int(field) for field in fields[11:15]) / TICKS


def one_start(data: Path) -> tuple[float, float, dict[str, float]]:
    """Return wall time, processor time, and the latter by process."""
    began = time.monotonic()
    with serving(data) as served:
        wall = time.monotonic() - began
        commands = {**processes(data), served.process.pid: "redial serve, deploy"}
        spent = {name_of(command): processor_s(pid) for pid, command in commands.items()}
    return wall, sum(spent.values()), spent


def name_of(command: str) -> str:
    """Return the module a process runs, without its folder."""
    return next((word for word in reversed(command.split()) if word.startswith("flows.")), command.strip()[:30])


def main(starts: int) -> None:
    """Print a line for each start."""
    print(f"{'start':<10}{'wall s':>8}{'CPU s':>8}  of it")
    with tempfile.TemporaryDirectory() as folder:
        for number in range(starts):
            wall, spent, parts = one_start(Path(folder))
            shown = ", ".join(f"{name} {seconds:.1f}" for name, seconds in sorted(parts.items()))
            print(f"{'first' if number == 0 else 'again':<10}{wall:>8.1f}{spent:>8.1f}  {shown}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)

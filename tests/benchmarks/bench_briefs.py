"""How fast briefs are planned and read, and in how much memory.

Run: python tests/benchmarks/bench_briefs.py [USERS].
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

from tasks.briefs import load_briefs, plan_briefs
from tasks.settings import Home
from tasks.templates import load_templates
from tasks.warehouse import open_warehouse
from tests.support.preferred_users import bulk_warehouse, made_domain


def main(users: int) -> None:
    domain = made_domain()
    with (
        tempfile.TemporaryDirectory() as folder,
        open_warehouse(Path(folder) / "bench.duckdb") as con,
    ):
        bulk_warehouse(con, users, items=max(100, users))
        made = con.execute("SELECT count(*) FROM reviews").fetchall()[0][0]
        print(f"{made:,} reviews of {users:,} users; memory so far {_mib():,.0f} MiB")
        began = _clocks()
        templates = load_templates(Home()).templates
        loaded = _clocks()
        con.execute("BEGIN")
        counts = plan_briefs(con, domain, templates)
        con.execute("COMMIT")
        planned = _clocks()
        read = sum(1 for _ in load_briefs(con, domain))
        done = _clocks()
    print(counts)
    print(f"{'step':<16}{'seconds':>9}{'of CPU':>9}{'briefs/s':>11}")
    for step, since, upto in (
        ("load templates", began, loaded),
        ("plan briefs", loaded, planned),
        ("load briefs", planned, done),
    ):
        wall, cpu = (end - start for start, end in zip(since, upto, strict=True))
        print(f"{step:<16}{wall:>9.2f}{cpu:>9.2f}{read / wall:>11,.0f}")
    print(f"peak memory {_mib():,.0f} MiB, made-up reviews included")


def _clocks() -> tuple[float, float]:
    """Return the time of day and the CPU time of this process, which tells more on a machine that others use too."""
    return time.perf_counter(), time.process_time()


def _mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 25_000)

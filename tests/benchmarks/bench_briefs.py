"""How fast briefs are planned and read, and in how much memory. Run: python tests/benchmarks/bench_briefs.py [USERS]."""

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
    with tempfile.TemporaryDirectory() as folder, open_warehouse(Path(folder) / "bench.duckdb") as con:
        bulk_warehouse(con, users, items=max(100, users))
        made = con.execute("SELECT count(*) FROM reviews").fetchall()[0][0]
        print(f"{made:,} reviews of {users:,} users; memory so far {_mib():,.0f} MiB")
        began = time.perf_counter()
        templates = load_templates(Home()).templates
        loaded = time.perf_counter()
        con.execute("BEGIN")
        counts = plan_briefs(con, domain, templates)
        con.execute("COMMIT")
        planned = time.perf_counter()
        read = sum(1 for _ in load_briefs(con, domain))
        done = time.perf_counter()
    print(counts)
    print(f"{'step':<22}{'seconds':>9}{'briefs/s':>12}")
    print(f"{'load templates':<22}{loaded - began:>9.2f}")
    print(f"{'plan briefs':<22}{planned - loaded:>9.2f}{counts.briefs / (planned - loaded):>12,.0f}")
    print(f"{'load briefs':<22}{done - planned:>9.2f}{read / (done - planned):>12,.0f}")
    print(f"peak memory {_mib():,.0f} MiB")


def _mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 25_000)

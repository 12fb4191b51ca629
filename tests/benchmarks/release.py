"""Writing, checking and counting a release of many dialogues, from a synthetic warehouse.

Run: python tests/benchmarks/release.py [DIALOGUES]
Prints seconds, CPU seconds, dialogues per second and the process's peak memory for each step.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb

from tasks.release import check_release, write_release
from tasks.settings import Home
from tasks.statistics import folder_statistics, warehouse_statistics
from tasks.warehouse import create_tables, open_warehouse

HISTORY, PER_USER, TURNS, WORDS = 40, 3, 10, 25


def fill(con: duckdb.DuckDBPyConnection, dialogues: int) -> None:
    """Fill a warehouse: three dialogues a user, 40 items of history, ten utterances of 25 words."""
    create_tables(con)
    items, users = max(1_000, dialogues // 4), dialogues // PER_USER + 1
    con.execute(
        "INSERT INTO items SELECT 'B' || i, 'Title number ' || i, 'Title number ' || i || ' [VHS]', 'B' || i FROM range(?) r(i)",
        [items],
    )
    con.execute(
        "INSERT INTO preferences SELECT 'U' || u, 'B' || ((u * 37 + p) % ?), CASE WHEN p <= 32 THEN 'LIKES' WHEN p <= 40 THEN 'DISLIKES' "
        "ELSE 'MIGHT_LIKES' END, p, 5, 1000 + p, 'r' FROM range(?) a(u), range(1, ?) b(p)",
        [items, users, HISTORY + PER_USER + 1],
    )
    con.execute(
        "INSERT INTO briefs SELECT md5(d::VARCHAR)[:16], 'U' || (d // 3), d % 3 + 1, 'B' || ((d // 3 * 37 + 41 + d % 3) % ?), 't', 2, ?, d "
        "FROM range(?) r(d)",
        [items, TURNS, dialogues],
    )
    con.execute("INSERT INTO verdicts SELECT dialogue_id, 'accepted', 1 FROM briefs")
    con.execute(
        "INSERT INTO brief_items SELECT dialogue_id, s, CASE WHEN s = 3 THEN target_item_id ELSE 'B' || ((brief_order // 3 * 37 + s) % ?) "
        "END, '', CASE WHEN s = 3 THEN 'MIGHT_LIKES' ELSE 'LIKES' END, NULL, NULL FROM briefs, range(1, 4) r(s)",
        [items],
    )
    con.execute(
        "INSERT INTO utterances SELECT dialogue_id, 1, t, CASE WHEN t % 2 = 0 THEN 'user' ELSE 'agent' END, "
        "(SELECT string_agg('w' || (hash(dialogue_id, t, w) % 40000), ' ') FROM range(?) x(w)), ['g'], [], 25 FROM briefs, range(?) r(t)",
        [WORDS, TURNS],
    )


def timed(name: str, dialogues: int, work: Callable[[], Any]) -> Any:
    """Run a step and print what it took."""
    started, busy = time.perf_counter(), time.process_time()
    done = work()
    seconds, busy = time.perf_counter() - started, time.process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{name:<22} {seconds:8.2f} s ({busy:6.2f} s CPU) {dialogues / seconds:12,.0f} dialogues/s {peak:8,.0f} MiB peak"
    )
    return done


def main() -> None:
    """Measure and print."""
    dialogues = int(sys.argv[1]) if len(sys.argv) > 1 else 47_651
    with tempfile.TemporaryDirectory() as folder:
        home = Home(data=Path(folder))
        with open_warehouse(home.warehouse("synthetic")) as con:
            timed("(fill the warehouse)", dialogues, lambda: fill(con, dialogues))
            info = timed("write", dialogues, lambda: write_release(con, home, "synthetic", run={}))
            timed(
                "write again (reused)",
                dialogues,
                lambda: write_release(con, home, "synthetic", run={}),
            )
            print(timed("statistics, warehouse", dialogues, lambda: warehouse_statistics(con)))
        found = timed("check", dialogues, lambda: check_release(info.path))
        print(timed("statistics, folder", dialogues, lambda: folder_statistics(info.path)))
    print("findings:", found or "none")


if __name__ == "__main__":
    main()

"""How long a report takes to write and to open, and how large it is, by the number of dialogues; how long the browser takes to answer.

python -m tests.benchmarks.report_page --dialogues 1000 10000 50000
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

from starlette.testclient import TestClient

from tasks.reports import browser_app, write_pages
from tasks.settings import Home
from tasks.warehouse import open_warehouse, read_warehouse
from tests.support.chromium import opened
from tests.support.report_warehouse import fill

LOOKS = ("", "?status=rejected", "?item=number+17", "?rule=readable&page=3", "?user=U7", "?page=900")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dialogues", type=int, nargs="+", default=[1_000, 10_000, 50_000])
    options = parser.parse_args()
    print("dialogues    made s  written s     kB  opened s  list s, slowest  dialogue s  peak MiB")
    for dialogues in options.dialogues:
        with tempfile.TemporaryDirectory() as folder:
            measure(Home(data=Path(folder)), dialogues)


def measure(home: Home, dialogues: int) -> None:
    began = time.perf_counter()
    with open_warehouse(home.warehouse("made")) as con:
        fill(con, dialogues)
    made = time.perf_counter() - began
    with read_warehouse(home.warehouse("made")) as con:
        began = time.perf_counter()
        page = write_pages(con, home, "made").latest["report"]
        written = time.perf_counter() - began
        dialogue = con.execute("SELECT min(dialogue_id) FROM verdicts WHERE verdict = 'rejected'").fetchall()[0][0]
    seconds = opened(page).seconds
    browser = TestClient(browser_app(home), base_url="http://127.0.0.1")
    slowest = max(asked(browser, f"/domains/made{look}") for look in LOOKS)
    one = asked(browser, f"/domains/made/{dialogue}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    size = page.stat().st_size / 1000
    print(f"{dialogues:>9,} {made:>9.1f} {written:>10.1f} {size:>6.0f} {seconds:>9.2f} {slowest:>16.2f} {one:>11.2f} {peak:>9}")


def asked(browser: TestClient, path: str) -> float:
    began = time.perf_counter()
    answer = browser.get(path)
    assert answer.status_code == 200, answer.text
    return time.perf_counter() - began


if __name__ == "__main__":
    main()

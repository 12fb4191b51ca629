"""The paper's size: four synthetic domains with the users and items of Table 3, 100,000 briefs in all, every gate, release and report.

python -m tests.benchmarks.paper_scale --data FOLDER --scale 16    (then 4, then 1)

Each domain is built in a process of its own, so that its peak memory is its own. What is finished
stands in FOLDER and is not done again; a build that was stopped goes on where it was, and its times
are marked, as they miss what was done before.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.benchmarks.end_to_end import build
from tests.support.synthetic import Size, write_domain

# Table 3's users and items. The 100,000 briefs (section 2.6) are shared out as its dialogues are.
USERS_ITEMS_DIALOGUES = {
    "books": (9_893, 112_913, 25_080),
    "movies": (3_133, 11_589, 10_093),
    "sports": (5_128, 34_733, 6_218),
    "electronics": (4_469, 18_034, 6_260),
}
BRIEFS, KEPT = 100_000, 47_651
SPOILT = round((1 - KEPT / BRIEFS) / 5, 4)  # of each of the mock model's five faults
FAULTS = ", ".join(
    f"{kind}: {SPOILT}"
    for kind in ("cut_off", "garbled", "slot_left", "wrong_length", "ungrounded")
)
# one call a brief, as in the paper
SETTINGS = f"quality: {{suites: [paper, grounded]}}\ngenerate: {{max_attempts: 1, misbehave: {{{FAULTS}}}}}\n"


def size(domain: str, scale: int) -> Size:
    users, items, dialogues = USERS_ITEMS_DIALOGUES[domain]
    total = sum(row[2] for row in USERS_ITEMS_DIALOGUES.values())
    return Size(users // scale, items // scale, BRIEFS * dialogues // total // scale)


def folder_of(data: Path, scale: int) -> Path:
    return data / f"scale_{scale}"


def run_one(data: Path, domain: str, scale: int, workers: int) -> None:
    """Build one domain in this process and write its figures."""
    home = folder_of(data, scale)
    home.mkdir(parents=True, exist_ok=True)
    goes = home / f"{domain}.goes"
    again = goes.exists()
    goes.touch()
    began = time.perf_counter()
    asked = size(domain, scale)
    if not (
        home / "domains" / f"{domain}.yaml"
    ).exists():  # written last, so the sources are whole where it is
        write_domain(home, domain, asked, seed=1, settings=SETTINGS)
    sources = time.perf_counter() - began
    began = time.perf_counter()
    watch, result = build(home, domain, workers)
    figures = {
        "domain": domain,
        "briefs": asked.briefs,
        "resumed": again,
        "state": result.state,
        "released": result.statistics["#Dialogues"],
        "users": result.statistics["#Users"],
        "items": result.statistics["#Items"],
        "sources_s": sources,
        "wall_s": time.perf_counter() - began,
        "peak_mib": max(
            resource.getrusage(who).ru_maxrss
            for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        )
        / 1024,
        "warehouse_mib": (home / "warehouse" / f"{domain}.duckdb").stat().st_size / 2**20,
        "stages": watch.rows,
    }
    aside = home / f".{domain}.json"
    aside.write_text(json.dumps(figures))
    aside.replace(home / f"{domain}.json")
    sys.stdout.flush()
    os._exit(0)  # DuckDB objects that Prefect still holds would be complained about


def figures_of(data: Path, scale: int) -> list[dict[str, Any]]:
    paths = [folder_of(data, scale) / f"{domain}.json" for domain in USERS_ITEMS_DIALOGUES]
    return [json.loads(path.read_text()) for path in paths if path.exists()]


def rows_in(detail: str) -> int:
    first = detail.split()[0].replace(",", "") if detail else ""
    return int(first) if first.isdigit() else 0


def show(data: Path, scale: int) -> None:
    done = figures_of(data, scale)
    out = sys.stdout
    out.write(
        f"\n1/{scale} of the paper, {os.cpu_count()} cores, Python {platform.python_version()}, mock model\n\n"
    )
    out.write(
        "| domain | briefs | released | kept | users | items | wall s | ms a brief | peak MiB | warehouse MiB |\n|---|"
        + "---:|" * 9
        + "\n"
    )
    for one in done:
        mark = " (resumed)" if one["resumed"] else ""
        kept, each = one["released"] / one["briefs"], 1000 * one["wall_s"] / one["briefs"]
        out.write(
            f"| {one['domain']}{mark} | {one['briefs']:,} | {one['released']:,} | {kept:.1%} | {one['users']:,} | {one['items']:,} | "
            f"{one['wall_s']:.1f} | {each:.2f} | {one['peak_mib']:,.0f} | {one['warehouse_mib']:,.0f} |\n"
        )
    briefs, wall = sum(one["briefs"] for one in done), sum(one["wall_s"] for one in done)
    peak, released = max(one["peak_mib"] for one in done), sum(one["released"] for one in done)
    users, items = sum(one["users"] for one in done), sum(one["items"] for one in done)
    stored = sum(one["warehouse_mib"] for one in done)
    out.write(
        f"| all | {briefs:,} | {released:,} | {released / briefs:.1%} | {users:,} | {items:,} | {wall:.1f} | {1000 * wall / briefs:.2f} | "
        f"{peak:,.0f} | {stored:,.0f} |\n\n"
    )
    show_stages(done)


def show_stages(done: list[dict[str, Any]]) -> None:
    """Print seconds and rows a second of each stage, over the domains, and what no stage accounts for."""
    seconds: dict[str, float] = {}
    rows: dict[str, int] = {}
    for one in done:
        for name, took, detail in one["stages"]:
            seconds[name] = seconds.get(name, 0.0) + took
            rows[name] = rows.get(name, 0) + rows_in(detail)
    seconds["release, report and the rest"] = sum(one["wall_s"] for one in done) - sum(
        seconds.values()
    )
    sys.stdout.write("| stage | seconds | rows | rows a second |\n|---|---:|---:|---:|\n")
    for name, took in seconds.items():
        count = rows.get(name, 0)
        sys.stdout.write(
            f"| {name} | {took:.1f} | {count:,} | {count / took:,.0f} |\n"
            if count
            else f"| {name} | {took:.1f} | | |\n"
        )


def show_growth(data: Path) -> None:
    """Print time per brief at each scale that is finished whole and in one go.

    Starting Prefect's server takes the same few seconds at every scale and would hide growth, so it
    is left out of the times per brief.
    """
    scales = sorted(
        (int(path.name.removeprefix("scale_")) for path in data.glob("scale_*")), reverse=True
    )
    whole = {
        scale: done
        for scale in scales
        if len(done := figures_of(data, scale)) == len(USERS_ITEMS_DIALOGUES)
    }
    base = None
    sys.stdout.write(
        "\n| scale | briefs | wall s | ms a brief, no server start | against the smallest | peak MiB |\n|---|---:|---:|---:|---:|---:|\n"
    )
    for scale, done in whole.items():
        if any(one["resumed"] for one in done):
            continue
        briefs, wall = sum(one["briefs"] for one in done), sum(one["wall_s"] for one in done)
        starts = sum(took for one in done for name, took, _ in one["stages"] if name == "server")
        each = 1000 * (wall - starts) / briefs
        base = base or each
        peak = max(one["peak_mib"] for one in done)
        sys.stdout.write(
            f"| 1/{scale} | {briefs:,} | {wall:.1f} | {each:.2f} | {each / base - 1:+.1%} | {peak:,.0f} |\n"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        help="folder for everything; what is finished there is not done again",
    )
    parser.add_argument("--scale", type=int, default=16, help="one part in so many: 16, 4, 1")
    parser.add_argument(
        "--one",
        choices=list(USERS_ITEMS_DIALOGUES),
        help="build this domain alone, in this process",
    )
    parser.add_argument("--workers", type=int, default=1, help="processes that write dialogues")
    options = parser.parse_args()
    data = options.data.resolve()
    if options.one:
        run_one(data, options.one, options.scale, options.workers)
    for domain in USERS_ITEMS_DIALOGUES:
        if not (folder_of(data, options.scale) / f"{domain}.json").exists():
            again = ["--data", str(data), "--scale", str(options.scale), "--one", domain]
            again += ["--workers", str(options.workers)]
            subprocess.run(
                [sys.executable, "-m", "tests.benchmarks.paper_scale", *again], check=True
            )
    show(data, options.scale)
    show_growth(data)


if __name__ == "__main__":
    main()

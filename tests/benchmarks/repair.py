"""What repair brings back and what it costs, when about half of the mock model's first dialogues fall.

    python -m tests.benchmarks.repair [--profiles grounded paper]

Builds the demo's briefs without Prefect, in a data folder of its own. Tokens are prompt and
completion together, per accepted dialogue; "discard" is what they would have been had each rejected
dialogue been thrown away and a new one been bought.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from typing import Any

import yaml

from flows.options import BuildOptions
from tasks.funnel import cost_totals, read_funnel
from tasks.settings import Home
from tasks.warehouse import read_warehouse
from tests.support.plain_build import plain_build

HALF = {"cut_off": 0.1, "garbled": 0.1, "slot_left": 0.1, "wrong_length": 0.1, "ungrounded": 0.15}


def built(data: Path, profile: str, dialogues: int | None = None) -> dict[str, Any]:
    """Build the demo with a mock model that misbehaves; return its attempts and its cost."""
    home = Home(data=data)
    settings = yaml.safe_load(home.domain_file("demo").read_text(encoding="utf-8"))
    folder = home.project / "data" / "demo"
    settings["sources"] |= {
        "reviews": [str(folder / "reviews.json.gz")],
        "metadata": [str(folder / "meta.json.gz")],
    }
    settings["generate"] |= {"profile": profile, "misbehave": HALF}
    (data / "domains").mkdir(parents=True, exist_ok=True)
    (data / "domains" / "half.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    plain_build(home, "half", BuildOptions(max_dialogues=dialogues))
    with read_warehouse(home.warehouse("half")) as con:
        found = read_funnel(con)
        verdicts = {row["verdict"]: row["briefs"] for row in found.verdicts}
        return {"attempts": found.attempts, "verdicts": verdicts, "cost": cost_totals(con, "")}


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--profiles", nargs="+", default=["grounded", "paper"])
    given = arguments.parse_args()
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    print(
        "profile   briefs  accepted after 1st   2nd   3rd   in all   tokens per accepted  discard"
    )
    for profile in given.profiles:
        with tempfile.TemporaryDirectory() as folder:
            found = built(Path(folder), profile)
        briefs, so_far, shares = sum(found["verdicts"].values()), 0, []
        for attempt in found["attempts"]:
            so_far += attempt["accepted"]
            shares.append(f"{100 * so_far / briefs:5.1f}")
        each, discarding = (
            found["cost"][f"tokens per accepted{how}"] for how in (" dialogue", ", discard-only")
        )
        shown = " ".join(f"{share:>5}" for share in (*shares, *[""] * (3 - len(shares))))
        accepted = found["verdicts"]["accepted"]
        print(
            f"{profile:9} {briefs:6} {'':14}{shown} {100 * accepted / briefs:7.1f}% {each:21,.0f} {discarding:8,.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main()

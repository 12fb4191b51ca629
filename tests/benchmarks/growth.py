"""What a month more of reviews, and one user less, change of a dataset.

python -m tests.benchmarks.growth
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from flows.options import BuildOptions
from tasks.briefs import plan_briefs
from tasks.settings import Home
from tasks.templates import Template, load_templates
from tasks.warehouse import read_warehouse
from tests.briefs.test_growth import MONTH, make_domain
from tests.support.plain_build import plain_build
from tests.support.preferred_users import bulk_warehouse, made_domain

USERS, ITEMS = 10_000, 8_000
_DRAWN = """
SELECT user_id, position, slot, template_id, item_id, other_review_id
FROM briefs
JOIN brief_items USING (dialogue_id)
WHERE other_review_id IS NOT NULL
"""
_EXPECTED = """
WITH writers AS (SELECT item_id, count(*) - 1 AS others FROM reviews GROUP BY item_id),
theirs AS (SELECT DISTINCT item_id FROM reviews WHERE user_id = $user)
SELECT sum(1 / others)
FROM brief_items
JOIN briefs USING (dialogue_id)
SEMI JOIN theirs USING (item_id)
JOIN writers USING (item_id)
WHERE other_review_id IS NOT NULL AND user_id <> $user
"""


def dialogues(release: Path) -> set[str]:
    """Return the ids of a release's dialogues."""
    table = pq.read_table(release / "parquet/dialogues.parquet", columns=["dialogue_id"])
    return set(table["dialogue_id"].to_pylist())


def month(grow: bool) -> None:
    """Build the demo's first reviews, then all of them, and print what stayed and what was paid."""
    options = BuildOptions(settings={"briefs": {"grow": grow}})
    with tempfile.TemporaryDirectory() as folder:
        home, lines = make_domain(Path(folder) / "data")
        home = Home.find(home.data)
        reviews = home.data / "raw/reviews.json"
        reviews.write_text("".join(lines[: int(len(lines) * MONTH)]), encoding="utf-8")
        before = dialogues(plain_build(home, "lively", options, run_id="first").path)
        reviews.write_text("".join(lines), encoding="utf-8")
        after = dialogues(plain_build(home, "lively", options, run_id="second").path)
        with read_warehouse(home.warehouse("lively")) as con:
            paid = con.execute("SELECT count(*) FROM responses WHERE run_id = 'second'").fetchall()
    print(
        f"grow {grow}: {len(before)} dialogues, then {len(after)}; {len(before & after)} stayed, "
        f"{paid[0][0]} requests were paid for"
    )


def planned(
    con: duckdb.DuckDBPyConnection, templates: tuple[Template, ...]
) -> dict[tuple[object, ...], str]:
    """Plan, and return the review by others of each slot."""
    plan_briefs(con, made_domain(), templates)
    return {row[:-1]: row[-1] for row in con.execute(_DRAWN).fetchall()}


def one_user_less() -> None:
    """Plan for 10,000 users, then without the one with the most reviews, and print the changes."""
    templates = load_templates(Home()).templates
    with duckdb.connect(":memory:") as con:
        bulk_warehouse(con, users=USERS, items=ITEMS)
        before = planned(con, templates)
        ((most,),) = con.execute(
            "SELECT user_id FROM reviews GROUP BY user_id ORDER BY count(*) DESC, user_id LIMIT 1"
        ).fetchall()
        expected = con.execute(_EXPECTED, {"user": most}).fetchall()[0][0]
        for table in ("reviews", "preferences"):
            con.execute(f"DELETE FROM {table} WHERE user_id = ?", [most])
        after = planned(con, templates)
    others = [key for key in before if key[0] != most]
    changed = sum(before[key] != after.get(key) for key in others)
    print(
        f"{USERS:,} users, one less: {changed} of {len(others):,} slots with a review by others "
        f"changed, {expected:.1f} expected"
    )


if __name__ == "__main__":
    one_user_less()
    month(grow=True)
    month(grow=False)

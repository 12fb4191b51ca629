"""Warehouses in whatever state runs may leave them: every attempt's outcome and every stored verdict drawn, and counted in Python."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import duckdb
from hypothesis import strategies as st

from tasks.settings import Domain
from tasks.warehouse import create_tables

VERDICTS = ("accepted", "rejected", "failed", "unasked")
OUTCOMES = ("accepted", "rejected", "failed", "unjudged")
KINDS = ("duplicate", "broken_line", "unrated")


@dataclass(frozen=True)
class DrawnBrief:
    """One brief: is it still planned, what became of its attempts, and what `verdicts` says of it (None: nothing)."""

    planned: bool
    template: str
    outcomes: tuple[str, ...]
    stored: str | None


@dataclass(frozen=True)
class DrawnWarehouse:
    """What a warehouse holds.

    Attributes:
        briefs: each for a MIGHT_LIKES item of its own.
        reasons: why further MIGHT_LIKES items have no brief; None where that is not on record.
        review_defects: kind of each line of the review file that was set aside.
        metadata_defects: how many lines of the metadata file were set aside.
        usable: usable reviews.
    """

    briefs: Sequence[DrawnBrief]
    reasons: Sequence[str | None] = ()
    review_defects: Sequence[str] = ()
    metadata_defects: int = 0
    usable: int = 1
    planned: list[DrawnBrief] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "planned", [brief for brief in self.briefs if brief.planned])

    def verdicts(self) -> dict[str, int]:
        """Return how many briefs ended in each way."""
        counted = Counter(brief.stored or "unasked" for brief in self.planned)
        return {verdict: counted[verdict] for verdict in VERDICTS}

    def attempts(self) -> dict[int, dict[str, int]]:
        """Return how many attempts ended in each way, by their number."""
        found: dict[int, Counter[str]] = {}
        for brief in self.planned:
            for number, outcome in enumerate(brief.outcomes, 1):
                found.setdefault(number, Counter())[outcome] += 1
        return {
            number: {outcome: found[number][outcome] for outcome in OUTCOMES}
            for number in sorted(found)
        }

    def might_likes(self) -> dict[str, int]:
        """Return how many MIGHT_LIKES items have a brief, and how many have none by reason."""
        counted = Counter(reason or "not_planned_yet" for reason in self.reasons)
        counted["not_planned_yet"] += len(self.briefs) - len(self.planned)
        return {
            name: count
            for name, count in {"planned": len(self.planned), **counted}.items()
            if count
        }

    def set_aside(self) -> dict[tuple[str, str], int]:
        """Return how many source lines were set aside, by file and kind."""
        counted = Counter(("reviews", kind) for kind in self.review_defects)
        counted["metadata", "broken_line"] = self.metadata_defects
        return {key: count for key, count in counted.items() if count}


drawn_briefs = st.builds(
    DrawnBrief,
    planned=st.sampled_from([True, True, True, False]),
    template=st.sampled_from(["t1", "t2"]),
    outcomes=st.lists(st.sampled_from(OUTCOMES), max_size=3).map(tuple),
    stored=st.sampled_from([*VERDICTS, None]),
)
drawn_warehouses = st.builds(
    DrawnWarehouse,
    briefs=st.lists(drawn_briefs, max_size=12),
    reasons=st.lists(
        st.sampled_from(["untitled", "no_history", "max_dialogues", None]), max_size=5
    ),
    review_defects=st.lists(st.sampled_from(KINDS), max_size=6),
    metadata_defects=st.integers(0, 3),
    usable=st.integers(1, 9),
)

BY_HAND = DrawnWarehouse(
    briefs=[
        DrawnBrief(True, "t1", ("accepted",), "accepted"),
        DrawnBrief(True, "t1", ("rejected", "accepted"), "accepted"),
        DrawnBrief(True, "t2", ("rejected", "failed"), "rejected"),
        DrawnBrief(True, "t2", ("failed",), "failed"),
        # The run was killed before its answer was judged.
        DrawnBrief(True, "t1", ("unjudged",), None),
        DrawnBrief(True, "t1", (), "unasked"),
        DrawnBrief(False, "t1", ("rejected", "accepted"), "accepted"),  # of an earlier plan
    ],
    reasons=["untitled", "no_history", "no_history"],
    review_defects=["unrated", "duplicate", "unrated"],
    metadata_defects=1,
    usable=7,
)
"""One of each, small enough to count by hand."""


def fill(
    con: duckdb.DuckDBPyConnection, drawn: DrawnWarehouse, domain: Domain, run_id: str
) -> None:
    """Write a drawn warehouse, as a run that is still going on would leave it."""
    create_tables(con)
    con.execute(
        "INSERT INTO runs VALUES (?, ?, 'build', 'c', ?, 'v', '{}', TIMESTAMP '2026-01-02 03:04:05', NULL, 'running', NULL)",
        [run_id, run_id, domain.model_dump_json()],
    )
    _fill_sources(con, drawn)
    for number, brief in enumerate(drawn.briefs):
        _prefer(con, number)
        _fill_brief(con, number, brief)
    for number, reason in enumerate(drawn.reasons, len(drawn.briefs)):
        _prefer(con, number)
        if reason:
            con.execute("INSERT INTO unplanned VALUES ('u', ?, ?)", [f"i{number}", reason])


def _fill_sources(con: duckdb.DuckDBPyConnection, drawn: DrawnWarehouse) -> None:
    con.execute(
        "INSERT INTO raw_reviews SELECT 'r' || i, 'u', 'i' || i, 5, 'words', 1, 'reviews.json', 100 + i FROM range(?) t(i)",
        [drawn.usable],
    )
    for line, kind in enumerate(drawn.review_defects):
        con.execute("INSERT INTO rejected_rows VALUES ('reviews.json', ?, ?, '')", [line, kind])
    for line in range(drawn.metadata_defects):
        con.execute("INSERT INTO rejected_rows VALUES ('meta.json', ?, 'broken_line', '')", [line])


def _prefer(con: duckdb.DuckDBPyConnection, number: int) -> None:
    con.execute(
        "INSERT INTO preferences VALUES ('u', ?, 'MIGHT_LIKES', ?, 5, 1, 'r')",
        [f"i{number}", number],
    )


def _fill_brief(con: duckdb.DuckDBPyConnection, number: int, brief: DrawnBrief) -> None:
    name = f"{number:016x}"
    if brief.planned:
        con.execute(
            "INSERT INTO briefs VALUES (?, 'u', ?, ?, ?, 1, 2, ?)",
            [name, number, f"i{number}", brief.template, number],
        )
    if brief.stored:
        con.execute("INSERT INTO verdicts VALUES (?, ?, 1)", [name, brief.stored])
    for attempt, outcome in enumerate(brief.outcomes, 1):
        status = "failed" if outcome == "failed" else "answered"
        values = [
            name,
            attempt,
            status,
            "text",
            "stop",
            "",
            json.dumps([]),
            "grounded",
            "single",
            "run",
        ]
        con.execute(
            "INSERT INTO transcripts SELECT ?, ?, ?, ?, ?, ?, from_json(?, '[\"VARCHAR\"]'), ?, ?, ?",
            values,
        )
        if outcome in ("accepted", "rejected"):
            con.execute(
                "INSERT INTO dialogue_facts BY NAME SELECT ? AS dialogue_id, ? AS attempt",
                [name, attempt],
            )
            con.execute(
                "INSERT INTO rejections VALUES (?, ?, 'a-warning', 'warn', 1, 'x', NULL)",
                [name, attempt],
            )
        if outcome == "rejected":
            con.execute(
                "INSERT INTO rejections VALUES (?, ?, 'readable', 'reject', 1, 'x', NULL)",
                [name, attempt],
            )

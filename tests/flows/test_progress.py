from __future__ import annotations

from flows.progress import CURRENT, added_detail


class Kept:
    def __init__(self) -> None:
        self.lines: list[tuple[str, str, str]] = []

    def stage(self, name: str, state: str, detail: str = "") -> None:
        self.lines.append((name, state, detail))

    def advance(self, name: str, done: int, total: int | None, detail: str = "") -> None:
        self.lines.append((name, f"{done} of {total}", detail))


def test_a_stage_says_more_when_it_ends_and_only_within_the_block() -> None:
    sink = Kept()
    token = CURRENT.set(sink)
    try:
        with added_detail("ingest", lambda: "3 set aside"):
            CURRENT.get().stage("ingest", "running")
            CURRENT.get().advance("ingest", 1, 2, "bytes")
            CURRENT.get().stage("preprocess", "done", "5 rows")
            CURRENT.get().stage("ingest", "cached", "9 rows")
        CURRENT.get().stage("ingest", "done", "9 rows")
        with added_detail("briefs", lambda: ""):
            CURRENT.get().stage("briefs", "done", "7 rows")
    finally:
        CURRENT.reset(token)
    assert sink.lines == [
        ("ingest", "running", ""),
        ("ingest", "1 of 2", "bytes"),
        ("preprocess", "done", "5 rows"),
        ("ingest", "cached", "9 rows, 3 set aside"),
        ("ingest", "done", "9 rows"),
        ("briefs", "done", "7 rows"),
    ]

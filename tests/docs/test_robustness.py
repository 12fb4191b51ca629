"""docs/benchmarks/robustness.md lists every kind of reply that the benchmark sends, and its rows add up."""

from __future__ import annotations

import re

from tests.benchmarks.provider_replies import HEAD, JOURNALS
from tests.docs.pages import DOCS
from tests.support.odd_replies import ODD_REPLIES

PAGE = DOCS / "benchmarks" / "robustness.md"


def test_the_table_has_every_kind_of_reply_and_adds_up() -> None:
    section = PAGE.read_text(encoding="utf-8").split("## Odd replies")[1].split("## Kills")[0]
    rows = [row.split(" | ") for row in re.findall(r"^\| (.+) \|$", section, re.MULTILINE)]
    assert tuple(rows[0]) == HEAD
    assert [row[0] for row in rows[1:]] == [*ODD_REPLIES, *JOURNALS] and len(rows) > 20
    for kind, billed, stored, unusable, *_ in rows[1:]:
        assert int(billed) == int(stored) + int(unusable), kind

"""What the rules reject of planted defects: accepted dialogues are copied, spoilt and judged."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import duckdb

from tasks.calibration.planted import Spoilt
from tasks.quality import Rules, copy_accepted, judge
from tasks.settings import Domain
from tasks.warehouse import open_warehouse

Found = dict[str, set[tuple[str, int]]]
"""By dialogue id, each rule that rejects it with the turn."""
_ACCEPTED: Final = """
INSERT INTO verdicts
SELECT dialogue_id, 'accepted', 1
FROM dialogues
"""
_SPOIL: Final = """
UPDATE utterances
SET text = spoilt.text, words = len(string_split(spoilt.text, ' '))
FROM spoilt
WHERE utterances.dialogue_id = spoilt.dialogue_id AND utterances.turn = spoilt.turn
"""
_REJECTED: Final = """
SELECT dialogue_id, rule, turn
FROM rejections
WHERE severity = 'reject'
"""


@contextmanager
def copied_accepted(con: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """Within the block, a warehouse with the accepted dialogues alone, as first attempts.

    It holds no verdict of a judge, so that the rules alone decide.
    """
    with (
        tempfile.TemporaryDirectory(prefix="calibrated-") as folder,
        open_warehouse(Path(folder) / "accepted.duckdb") as copy,
    ):
        copy_accepted(con, copy)
        copy.execute("DELETE FROM judge_answers")
        copy.execute(_ACCEPTED)
        yield copy


def read_by_rules(
    copy: duckdb.DuckDBPyConnection, rules: Rules, domain: Domain, turns: Mapping[str, Spoilt]
) -> Found:
    """Judge dialogues with a turn replaced; the warehouse is as before when this returns.

    Args:
        copy: as from `copied_accepted`, no transaction begun.
        rules: what dialogues are judged by.
        domain: its settings.
        turns: by dialogue id, the number of a turn and its text. Other dialogues are left out.

    Raises:
        UserError: a suite that would not judge all it says.
        GateError: Great Expectations' result does not add up.
    """
    copy.execute("BEGIN")
    try:
        copy.execute(
            "DELETE FROM dialogues WHERE dialogue_id NOT IN (SELECT unnest($ids))",
            {"ids": list(turns)},
        )
        copy.execute(
            "CREATE OR REPLACE TEMP TABLE spoilt (dialogue_id VARCHAR, turn INTEGER, text VARCHAR)"
        )
        rows = [(dialogue_id, *turn) for dialogue_id, turn in turns.items()]
        copy.executemany("INSERT INTO spoilt VALUES (?, ?, ?)", rows)
        copy.execute(_SPOIL)
        judge(copy, rules, domain, 1)
        found: Found = {dialogue_id: set() for dialogue_id in turns}
        for dialogue_id, rule, turn in copy.execute(_REJECTED).fetchall():
            found[dialogue_id].add((rule, turn))
    finally:
        copy.execute("ROLLBACK")
    return found

"""The report's section on calibration: what rules and judges see of defects, how far they agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import duckdb

from tasks.calibration import (
    ALL_RULES,
    Agreement,
    Reading,
    calibrated_at,
    left_by_judges,
    left_text,
    not_calibrated,
    read_agreements,
    read_calibration,
)
from tasks.quality import Suite, rule_sentences
from tasks.repair import accepted_of


@dataclass(frozen=True)
class Calibrated:
    """What was measured last.

    Attributes:
        measured_at: when, UTC; None if never.
        readers: all rules together, then each judge.
        kinds: what they say of each kind of defect, by reader.
        rules: what single rules say of the kinds that are theirs.
        agreements: what each two judges say of the same dialogues.
        left: what is estimated to be left in the accepted dialogues, in words.
        unknown: the rules that nothing was measured for.
    """

    measured_at: datetime | None
    readers: Sequence[str]
    kinds: Mapping[tuple[str, str], Mapping[str, Reading]]
    rules: Sequence[Reading]
    agreements: Sequence[Agreement]
    left: Sequence[str]
    unknown: Sequence[str]


def calibrated(con: duckdb.DuckDBPyConnection, suites: Sequence[Suite]) -> Calibrated:
    """Return what was measured last of the rules in force and of judges."""
    readings, rules = read_calibration(con), rule_sentences(suites)
    of_all = [one for one in readings if one.reader not in rules]
    kinds: dict[tuple[str, str], dict[str, Reading]] = {}
    for one in of_all:
        kinds.setdefault((one.source, one.kind), {})[one.reader] = one
    readers = sorted({one.reader for one in of_all}, key=lambda name: (name != ALL_RULES, name))
    accepted = accepted_of(con)
    return Calibrated(
        calibrated_at(con),
        readers,
        kinds,
        [one for one in readings if one.reader in rules],
        read_agreements(con),
        [left_text(one, accepted) for one in left_by_judges(readings)],
        not_calibrated(readings, rules) if readings else [],
    )

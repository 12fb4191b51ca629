"""What rules say of planted defects, kind by kind."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from tasks.calibration.figures import ALL_RULES, Reading
from tasks.calibration.gate_readings import Found, copied_accepted, read_by_rules
from tasks.calibration.planted import KINDS, Spoilt, drawn, spoilt
from tasks.calibration.talks import read_talks
from tasks.quality import Rules
from tasks.settings import Domain


def rule_readings(
    con: duckdb.DuckDBPyConnection, rules: Rules, domain: Domain, *, most: int, seed: int
) -> list[Reading]:
    """Plant each kind of defect in accepted dialogues and return what the rules say.

    Every rule has a reading for each kind that is its own, and all rules together for every kind. A
    rule counts where it rejects the spoilt turn, all rules where any rejects the dialogue.
    Specificity is not measured: accepted dialogues are those that no rule rejects.

    Args:
        con: the domain's warehouse, after the verdicts; it is only read.
        rules: what its dialogues are judged by.
        domain: its settings.
        most: dialogues spoilt for a kind.
        seed: of the draw and of the defects.

    Raises:
        UserError: a suite that would not judge all it says.
    """
    with copied_accepted(con) as copy:
        talks = read_talks(copy)
        readings: list[Reading] = []
        for kind in KINDS:
            turns = drawn(spoilt(talks, kind, "test", seed), most, seed)
            if turns:
                found = read_by_rules(copy, rules, domain, turns)
                readings += _of_kind(kind, turns, found)
    return readings


def _of_kind(kind: str, turns: Mapping[str, Spoilt], found: Found) -> list[Reading]:
    _, own = KINDS[kind]
    readings = [
        Reading(rule, "planted", kind, len(turns), _named(rule, turns, found))
        for rule in sorted(own)
    ]
    fell = sum(bool(broken) for broken in found.values())
    return [*readings, Reading(ALL_RULES, "planted", kind, len(turns), fell)]


def _named(rule: str, turns: Mapping[str, Spoilt], found: Found) -> int:
    return sum((rule, turn) in found[dialogue_id] for dialogue_id, (turn, _) in turns.items())

"""The sample that judges are shown: accepted dialogues as they are, and spoilt ones by kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import duckdb

from tasks.briefs import load_briefs
from tasks.calibration.figures import GRADED, RELEASED, Reading
from tasks.calibration.planted import KINDS, Spoilt, drawn, spoilt
from tasks.calibration.talks import read_talks
from tasks.fingerprint import unit
from tasks.judge import DialogueToJudge, Fault, with_dialogues
from tasks.prompts import Spoken
from tasks.settings import Domain

_ATTEMPTS: Final = """
WITH wanted AS (
    SELECT unnest($ids::VARCHAR[]) AS dialogue_id
)
SELECT dialogue_id, attempt
FROM dialogues
SEMI JOIN wanted USING (dialogue_id)
LEFT JOIN verdicts v USING (dialogue_id, attempt)
QUALIFY row_number() OVER (
    PARTITION BY dialogue_id
    ORDER BY v.verdict = 'accepted' DESC NULLS LAST, attempt DESC
) = 1
"""


@dataclass(frozen=True)
class JudgedSample:
    """One dialogue to show to a judge.

    Attributes:
        kind: the kind of its defect, `RELEASED` if it is as it was accepted, `GRADED` if people say
            what is wrong with it.
        dialogue: the dialogue with its brief.
    """

    kind: str
    dialogue: DialogueToJudge


def draw_sample(
    con: duckdb.DuckDBPyConnection, domain: Domain, *, released: int, of_kind: int, seed: int
) -> list[JudgedSample]:
    """Draw what judges are shown, by a hash of the seed.

    Args:
        con: the domain's warehouse, after the verdicts; it is only read.
        domain: its settings.
        released: accepted dialogues as they are.
        of_kind: accepted dialogues with a planted defect, of each kind.
        seed: of the draw and of the defects.
    """
    talks = read_talks(con)
    ids = [talk.dialogue_id for talk in talks]
    ids.sort(key=lambda dialogue_id: unit(seed, "released", dialogue_id))
    chosen: list[tuple[str, str, Spoilt | None]] = [
        (RELEASED, dialogue_id, None) for dialogue_id in ids[:released]
    ]
    for kind in KINDS:
        turns = spoilt(talks, kind, "test", seed)
        some = drawn(turns, of_kind, seed)
        chosen += [(kind, dialogue_id, turn) for dialogue_id, turn in some.items()]
    known = as_judged(con, domain, [dialogue_id for _, dialogue_id, _ in chosen])
    return [
        JudgedSample(kind, _with(known[dialogue_id], turn)) for kind, dialogue_id, turn in chosen
    ]


def as_judged(
    con: duckdb.DuckDBPyConnection, domain: Domain, ids: Sequence[str]
) -> dict[str, DialogueToJudge]:
    """Return dialogues with their briefs by id, at the attempt accepted or else the last.

    Ids that the warehouse does not know are left out.
    """
    attempts = dict(con.execute(_ATTEMPTS, {"ids": list(ids)}).fetchall())
    found: dict[str, DialogueToJudge] = {}
    for attempt in sorted(set(attempts.values())):
        own = [dialogue_id for dialogue_id in attempts if attempts[dialogue_id] == attempt]
        briefs = list(load_briefs(con, domain, own))
        found |= {one.dialogue_id: one for one in with_dialogues(con, briefs, attempt)}
    return found


def _with(dialogue: DialogueToJudge, turn: Spoilt | None) -> DialogueToJudge:
    if turn is None:
        return dialogue
    number, text = turn
    spoken = list(dialogue.spoken)
    spoken[number - 1] = Spoken(spoken[number - 1].role, text)
    return replace(dialogue, spoken=tuple(spoken))


def judge_readings(
    judge: str,
    sample: Sequence[JudgedSample],
    found: Sequence[Sequence[Fault] | None],
) -> list[Reading]:
    """Return what a judge says of a sample; dialogues without a verdict are left out.

    Args:
        judge: its model.
        sample: what it was shown.
        found: the faults in each; None where there is no verdict.
    """
    counts: dict[str, tuple[int, int]] = {}
    for one, faults in zip(sample, found, strict=True):
        if faults is not None and one.kind != GRADED:
            read, fell = counts.get(one.kind, (0, 0))
            counts[one.kind] = (read + 1, fell + bool(faults))
    return [
        Reading(judge, "released" if kind == RELEASED else "planted", kind, *read_and_fell)
        for kind, read_and_fell in counts.items()
    ]

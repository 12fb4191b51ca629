"""Answers that a capable model wrote to our prompts, kept as a regression set in tests/recorded.

They are stored without their prompts, which change, and are matched to the briefs of a warehouse by
template and items; then the briefs get the reviews that the answers retell, whatever a plan draws
today. tests/support/record_answers.py records more.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb

from tasks.calibration.talks import Talk, read_talks
from tasks.dialogues import parse_transcripts
from tasks.quality import judge
from tasks.settings import Domain, Home, load_domain
from tasks.warehouse import create_table
from tests.support.rules import rules_of

SEED = 31
"""The seed of the demo whose briefs the answers of tests/recorded are to."""
FOLDER = Path(__file__).parents[1] / "recorded"
WRITTEN = (
    "transcripts", "dialogues", "utterances", "dialogue_facts", "utterance_facts", "rejections"
)  # fmt: skip
NAMED_BY: dict[str, frozenset[str]] = {
    "D1": frozenset({"sentiment-fits"}),
    "D2": frozenset({"sentiment-fits"}),
    "D3": frozenset({"decision-fits"}),
    "D4": frozenset({"names-supported", "facts-supported"}),
    "D5": frozenset({"names-supported", "facts-supported"}),
    "D6": frozenset({"no-other-works"}),
    "D7": frozenset({"no-near-copy", "no-copied-review"}),
    "D8": frozenset({"goals-carried-out"}),
    "D9": frozenset({"target-not-hinted", "target-not-alluded-to", "target-not-described"}),
    "D10": frozenset({"speaks-as-itself"}),
    "D11": frozenset({"no-self-contradiction"}),
    "D12": frozenset({"no-chatbot-habits"}),
}
"""The kinds of defects with the rules that name them."""


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """One answer, and the brief that it is an answer to.

    Attributes:
        domain, seed: which build's briefs hold it.
        template: id of its template.
        items: its items, in the order of the slots.
        other_reviews: ids of other people's reviews of them that it retells, None where there is
            none.
        user_id: its user, where template and items fit more than one brief.
        dialogue_id: what its brief was called when it was written.
        answer: the text as it was sent; of a repair that of the second request.
        said: of a dual rollout the answer to each turn, in place of one answer.
        writer: who wrote it.
        kind: kind of its defect, "D1" to "D12"; empty for a good one.
        turn: the turn that has the defect, from 1; 0 for a good one.
        what: the defect in a sentence.
    """

    domain: str
    seed: int
    profile: str
    template: str
    items: tuple[str, ...]
    other_reviews: tuple[str | None, ...]
    dialogue_id: str
    writer: str
    answer: str = ""
    said: tuple[str, ...] = ()
    user_id: str | None = None
    kind: str = ""
    turn: int = 0
    what: str = ""

    def as_line(self) -> str:
        """Return it as a line of JSON, without what it has not."""
        given = {name: value for name, value in asdict(self).items() if value}
        return json.dumps(given, ensure_ascii=False)


def read_recorded(name: str, profile: str | None = None) -> list[Recorded]:
    """Return the answers of a file of tests/recorded, such as "good", or those of a profile."""
    lines = (FOLDER / f"{name}.jsonl").read_text("utf-8").splitlines()
    read = [json.loads(line) for line in lines]
    lists = ("items", "other_reviews", "said")
    answers = [
        Recorded(**{**one, **{key: tuple(one[key]) for key in lists if key in one}}) for one in read
    ]
    return [one for one in answers if profile in (None, one.profile)]


def matched(con: duckdb.DuckDBPyConnection, answers: Iterable[Recorded]) -> dict[str, Recorded]:
    """Return answers by the dialogue id of the brief that they belong to now.

    An answer whose brief the warehouse lacks is left out; of several to one brief the last counts.
    """
    briefs: dict[tuple[str, tuple[str, ...]], list[tuple[str, str]]] = {}
    for dialogue_id, user_id, template, items in con.execute(_BRIEFS).fetchall():
        briefs.setdefault((template, tuple(items)), []).append((dialogue_id, user_id))
    found = {}
    for answer in answers:
        for dialogue_id, user_id in briefs.get((answer.template, answer.items), ()):
            if answer.user_id in (None, user_id):
                found[dialogue_id] = answer
                break
    return found


@contextmanager
def with_their_reviews(
    con: duckdb.DuckDBPyConnection, answers: Mapping[str, Recorded]
) -> Iterator[None]:
    """Within the block, the briefs of answers, by dialogue id, hold the reviews that they retell.

    The warehouse is as it was before when this ends.
    """
    rows = [
        (review_id, dialogue_id, slot)
        for dialogue_id, answer in answers.items()
        for slot, review_id in enumerate(answer.other_reviews, start=1)
    ]
    con.execute("BEGIN")
    try:
        con.executemany(_RETELL, rows)
        yield
    finally:
        con.execute("ROLLBACK")


@dataclass(frozen=True)
class Rejection:
    """What rejects an answer: the rule, the turn from 1 (0: the whole dialogue), and the piece."""

    rule: str
    turn: int
    evidence: str


def rejections(
    con: duckdb.DuckDBPyConnection, home: Home, domain: Domain, answers: Mapping[str, Recorded]
) -> dict[str, list[Rejection]]:
    """Judge answers, by dialogue id, as the first of their briefs; return what rejects each.

    They may be of different profiles. The warehouse is as it was before when this returns.
    """
    with with_their_reviews(con, answers):
        fill_dialogues(con, domain, answers)
        judge(con, rules_of(home, domain), domain, 1)
        rows = con.execute(_REJECTED).fetchall()
    found: dict[str, list[Rejection]] = {dialogue_id: [] for dialogue_id in answers}
    for dialogue_id, *rejection in rows:
        found[dialogue_id].append(Rejection(*rejection))
    return found


def recorded_talks(
    con: duckdb.DuckDBPyConnection, home: Home, answers: Mapping[str, Recorded]
) -> list[Talk]:
    """Return answers, by dialogue id, read with the briefs that they belong to.

    The warehouse is as it was before when this returns.
    """
    with with_their_reviews(con, answers):
        fill_dialogues(con, load_domain(home, "demo"), answers)
        create_table(con, "verdicts", replace=True)
        con.execute("INSERT INTO verdicts SELECT dialogue_id, 'accepted', 1 FROM dialogues")
        return read_talks(con)


def fill_dialogues(
    con: duckdb.DuckDBPyConnection, domain: Domain, answers: Mapping[str, Recorded]
) -> None:
    """Fill the tables of dialogues with answers alone."""
    for table in WRITTEN:
        create_table(con, table, replace=True)
    for key, answer in answers.items():
        con.execute(_ANSWER, [key, answer.answer, answer.profile])
    parse_transcripts(con, domain, 1)


def is_named(answer: Recorded, found: Sequence[Rejection]) -> bool:
    """Return True if a rule for the kind of an answer's defect rejects the turn that has it."""
    rules = NAMED_BY[answer.kind]
    return any(one.rule in rules and one.turn == answer.turn for one in found)


_BRIEFS = """
WITH filled AS (
    SELECT dialogue_id, list(item_id ORDER BY slot) AS items
    FROM brief_items
    GROUP BY dialogue_id
)
SELECT dialogue_id, user_id, template_id, items
FROM briefs
JOIN filled USING (dialogue_id)
ORDER BY brief_order
"""
_RETELL = """
UPDATE brief_items
SET other_review_id = ?
WHERE dialogue_id = ? AND slot = ?
"""
_ANSWER = """
INSERT INTO transcripts BY NAME
SELECT
    ? AS dialogue_id,
    1 AS attempt,
    'answered' AS status,
    ? AS text,
    'stop' AS finish_reason,
    ? AS profile,
    'single' AS rollout,
    'recorded' AS run_id
"""
_REJECTED = """
SELECT dialogue_id, rule, turn, evidence
FROM rejections
WHERE attempt = 1 AND severity = 'reject'
ORDER BY ALL
"""

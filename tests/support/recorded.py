"""Answers that a capable model wrote to our prompts, kept as a regression set in tests/recorded.

    python -m tests.support.recorded serve FOLDER
    python -m tests.support.recorded fill FOLDER --data DATA --seed 31 --profile paper
    python -m tests.support.recorded keep FOLDER --data DATA --seed 31 --profile paper --writer WHO

They are stored without their prompts, which change, and are matched to the briefs of a warehouse by
template and items. tests/recorded/README.md says how more are recorded.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb

from tasks.briefs import Brief, load_briefs
from tasks.dialogues import parse_transcripts
from tasks.goals import load_goals
from tasks.prompts import load_profile, render
from tasks.quality import judge
from tasks.settings import Domain, Home, load_domain
from tasks.warehouse import create_table
from tests.support.model_server import serve
from tests.support.replayed import keep_answer, message_key
from tests.support.rules import rules_of
from tests.support.server_state import Behaviour

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
    "D9": frozenset({"target-not-hinted"}),
    "D10": frozenset({"speaks-as-itself"}),
    "D11": frozenset({"no-self-contradiction"}),
    "D12": frozenset({"no-chatbot-habits"}),
}
"""The kinds of defects with the rules that name them."""


@dataclass(frozen=True)
class Recorded:
    """One answer, and the brief that it is an answer to.

    Attributes:
        domain, seed: which build's briefs hold it.
        template: id of its template.
        items: its items, in the order of the slots.
        user_id: its user, where template and items fit more than one brief.
        dialogue_id: what its brief was called when it was written.
        answer: the text as it was sent.
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
    dialogue_id: str
    answer: str
    writer: str
    user_id: str | None = None
    kind: str = ""
    turn: int = 0
    what: str = ""

    def as_line(self) -> str:
        """Return it as a line of JSON, without what it has not."""
        given = {name: value for name, value in asdict(self).items() if value}
        return json.dumps(given, ensure_ascii=False)


def read_recorded(name: str, profile: str | None = None) -> list[Recorded]:
    """Return the answers of a file of tests/recorded ("good", "defective"), or those of a profile."""
    lines = (FOLDER / f"{name}.jsonl").read_text("utf-8").splitlines()
    read = [json.loads(line) for line in lines]
    answers = [Recorded(**{**one, "items": tuple(one["items"])}) for one in read]
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
    con.execute("BEGIN")
    for table in WRITTEN:
        create_table(con, table, replace=True)
    con.executemany(
        _ANSWER, [(key, answer.answer, answer.profile) for key, answer in answers.items()]
    )
    parse_transcripts(con, domain, 1)
    judge(con, rules_of(home, domain), domain, 1)
    found: dict[str, list[Rejection]] = {dialogue_id: [] for dialogue_id in answers}
    for dialogue_id, *rejection in con.execute(_REJECTED).fetchall():
        found[dialogue_id].append(Rejection(*rejection))
    con.execute("ROLLBACK")
    return found


def is_named(answer: Recorded, found: Sequence[Rejection]) -> bool:
    """Return True if a rule for the kind of an answer's defect rejects the turn that has it."""
    rules = NAMED_BY[answer.kind]
    return any(one.rule in rules and one.turn == answer.turn for one in found)


def prompts(
    con: duckdb.DuckDBPyConnection, home: Home, domain: Domain, profile: str
) -> Iterator[tuple[Brief, Sequence[Mapping[str, str]]]]:
    """Yield the briefs of a warehouse with the messages that ask for their dialogues."""
    words = load_profile(home, profile)
    goals = load_goals(home).worded(domain.noun, domain.verb)
    for brief in load_briefs(con, domain):
        yield brief, render(words, goals, brief).messages


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


async def _serve(folder: Path, port: int) -> None:
    _, chosen = await serve(Behaviour(answers="recorded", folder=str(folder)), port)
    print(f"port {chosen}", flush=True)
    await asyncio.Event().wait()


def _fill(given: argparse.Namespace, con: duckdb.DuckDBPyConnection, home: Home) -> None:
    """Write the answers of a profile that fit a warehouse where the server finds them."""
    answers = matched(con, read_recorded(given.set, given.profile))
    domain = load_domain(home, given.domain)
    filled = 0
    for brief, messages in prompts(con, home, domain, given.profile):
        if brief.dialogue_id in answers:
            keep_answer(given.folder, messages, answers[brief.dialogue_id].answer)
            filled += 1
    print(f"{filled} answers", file=sys.stderr)


def _keep(given: argparse.Namespace, con: duckdb.DuckDBPyConnection, home: Home) -> None:
    """Print the lines of answers to prompts for whole dialogues, to be kept in tests/recorded."""
    domain = load_domain(home, given.domain)
    for brief, messages in prompts(con, home, domain, given.profile):
        path = given.folder / "answers" / f"{message_key(messages)}.txt"
        if path.exists():
            print(_recorded(given, brief, path.read_text("utf-8").strip()).as_line())


def _recorded(given: argparse.Namespace, brief: Brief, text: str) -> Recorded:
    return Recorded(
        domain=given.domain,
        seed=given.seed,
        profile=given.profile,
        template=brief.template.template_id,
        items=tuple(item.item_id for item in brief.items),
        dialogue_id=brief.dialogue_id,
        answer=text,
        writer=given.writer,
    )


def main() -> None:
    """Serve, fill or keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("do", choices=["serve", "fill", "keep"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--domain", default="demo")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--profile", default="grounded")
    parser.add_argument("--set", default="good")
    parser.add_argument("--writer", default="")
    given = parser.parse_args()
    if given.do == "serve":
        asyncio.run(_serve(given.folder, given.port))
        return
    home = Home.find(given.data)
    with duckdb.connect(str(home.warehouse(given.domain)), read_only=True) as con:
        (_fill if given.do == "fill" else _keep)(given, con, home)


if __name__ == "__main__":
    main()

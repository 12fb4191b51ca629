"""Recorded repairs and dual dialogues, replayed by the hash of the messages they answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows.options import BuildOptions
from tasks.briefs import Brief, load_briefs
from tasks.dialogues import parse_transcripts
from tasks.generate import Dual, Rollout
from tasks.goals import load_goals
from tasks.llm import Answer, Transcript
from tasks.prompts import Spoken, load_profile, render_agent_turn, render_repair, render_user_turn
from tasks.quality import judge, rule_sentences
from tasks.repair import RepairRollout, load_repairs
from tasks.settings import Domain, Home, load_domain
from tests.support.plain_build import plain_briefs
from tests.support.recorded_answers import (
    SEED,
    Recorded,
    fill_dialogues,
    matched,
    read_recorded,
    with_their_reviews,
)
from tests.support.replayed import PENDING, keep_answer, replay
from tests.support.rules import rules_of

WHEN = "2026-01-01T00:00:00"
Messages = Sequence[Mapping[str, Any]]
_REJECTED = """
SELECT dialogue_id, rule, turn, evidence
FROM rejections
WHERE attempt = ? AND severity = 'reject'
ORDER BY ALL
"""
_STORE = """
INSERT INTO transcripts BY NAME
SELECT
    ? AS dialogue_id,
    ? AS attempt,
    ? AS status,
    ? AS text,
    ? AS finish_reason,
    ? AS profile,
    ? AS rollout,
    'recorded' AS run_id
"""


class Desk:
    """The demo's briefs, with a folder of recorded answers that requests are answered from."""

    def __init__(self, con: duckdb.DuckDBPyConnection, home: Home, folder: Path) -> None:
        self.con, self.home, self.folder = con, home, folder
        self.domain: Domain = load_domain(home, "demo")
        self.goals = load_goals(home).worded(self.domain.noun, self.domain.verb)

    async def ask(self, messages: Messages, **_: Any) -> Answer:
        """Answer a request as the recording server does."""
        text = replay(self.folder, {"messages": list(messages)})
        assert text != PENDING, "there is no answer to these messages"
        return Answer("key", text, "stop", 1, 1, None, 0.0, "scribe", None, "scribe", "", 0, WHEN)

    def written(self, rollout: Rollout, brief: Brief, profile: str) -> Transcript:
        """Let a rollout write a dialogue of recorded answers, and store it."""
        made = asyncio.run(rollout(brief, self.ask))
        kept = (made.dialogue_id, made.attempt, made.status, made.text, made.finish_reason)
        self.con.execute(_STORE, [*kept, profile, rollout.name])
        return made

    def rejected(self, attempt: int) -> list[tuple[Any, ...]]:
        """Read and judge the dialogues of an attempt, and return what rejects them."""
        parse_transcripts(self.con, self.domain, attempt)
        judge(self.con, rules_of(self.home, self.domain), self.domain, attempt)
        return self.con.execute(_REJECTED, [attempt]).fetchall()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A demo planned as far as its briefs."""
    home = Home.find(tmp_path / "data")
    plain_briefs(home, "demo", BuildOptions(seed=SEED))
    with duckdb.connect(str(home.warehouse("demo"))) as con:
        yield Desk(con, home, tmp_path / "recorded")


def test_repairs_mend_what_was_rejected(desk: Desk) -> None:
    repairs = matched(desk.con, read_recorded("repairs"))
    spoilt = matched(desk.con, read_recorded("defective"))
    first = {key: spoilt[key] for key in repairs}
    assert len(repairs) >= 10 and {one.profile for one in repairs.values()} == {"paper", "grounded"}
    with with_their_reviews(desk.con, first):
        fill_dialogues(desk.con, desk.domain, first)
        judge(desk.con, rules_of(desk.home, desk.domain), desk.domain, 1)
        fell = {key for (key, *_) in desk.con.execute(_REJECTED, [1]).fetchall()}
        assert fell == set(repairs)
        sentences = rule_sentences(rules_of(desk.home, desk.domain).suites)
        briefs = list(load_briefs(desk.con, desk.domain, list(repairs)))
        for brief in load_repairs(desk.con, briefs, 2, sentences):
            profile = load_profile(desk.home, repairs[brief.dialogue_id].profile)
            asked = render_repair(profile, desk.goals, brief, brief.previous, brief.findings)
            keep_answer(desk.folder, asked.messages, repairs[brief.dialogue_id].answer)
            rollout = RepairRollout(profile, desk.goals, 2)
            made = desk.written(rollout, brief, repairs[brief.dialogue_id].profile)
            assert made.text != brief.previous
        assert desk.rejected(2) == []


def recorded_turns(desk: Desk, brief: Brief, one: Recorded) -> None:
    """Keep the answer to each turn's request."""
    profile = load_profile(desk.home, one.profile)
    spoken: list[Spoken] = []
    for number, (turn, text) in enumerate(zip(brief.template.turns, one.said, strict=True), 1):
        render = render_user_turn if turn.role == "user" else render_agent_turn
        asked = render(profile, desk.goals, brief, spoken, number)
        keep_answer(desk.folder, asked.messages, text)
        spoken.append(Spoken(turn.role, text))


def test_dual_dialogues_are_accepted(desk: Desk) -> None:
    duals = matched(desk.con, read_recorded("duals"))
    assert len(duals) >= 4 and {one.profile for one in duals.values()} == {"paper", "grounded"}
    with with_their_reviews(desk.con, duals):
        fill_dialogues(desk.con, desk.domain, {})
        for brief in load_briefs(desk.con, desk.domain, list(duals)):
            one = duals[brief.dialogue_id]
            recorded_turns(desk, brief, one)
            rollout = Dual(load_profile(desk.home, one.profile), desk.goals)
            made = desk.written(rollout, brief, one.profile)
            assert all(text in made.text.replace('\\"', '"') for text in one.said)
        assert desk.rejected(1) == []

"""What a model was asked for one attempt.

It is rendered once more by the pipeline's own rollout and checked against the stored request keys.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import duckdb

from tasks.briefs import load_briefs
from tasks.generate import Dual, Single
from tasks.goals import load_goals
from tasks.llm import Answer, Message, answers_by_key, asked_as, make_request
from tasks.prompts import load_profile, render
from tasks.quality import load_suites
from tasks.repair import RepairRollout, load_repairs
from tasks.settings import Domain, Generate, Home


@dataclass(frozen=True)
class Asked:
    """One request of an attempt.

    Attributes:
        messages: as rendered now.
        request_key: key of the answer in the warehouse; empty where nothing was asked.
        same: True if what is rendered now has that very key, so that these are the words that were
            sent.
        answer: the stored one of the key; None where there is none.
    """

    messages: tuple[Message, ...]
    request_key: str
    same: bool
    answer: Answer | None


class _EndOfRecord(Exception):
    """The rollout asked for more than was asked then."""


@dataclass
class _Replay:
    """Takes the place of the model: answers with what is stored, in the order of the requests."""

    generate: Generate
    keys: Sequence[str]
    stored: Mapping[str, Answer]
    asked: list[Asked] = field(default_factory=list)

    async def __call__(
        self,
        messages: tuple[Message, ...],
        *,
        response_format: Mapping[str, Any] | None = None,
        attempt: int = 1,
    ) -> Answer:
        place = len(self.asked)
        if place and place >= len(self.keys):
            raise _EndOfRecord
        key = self.keys[place] if place < len(self.keys) else ""
        now = {
            make_request(generate, messages, response_format, attempt).key
            for generate in asked_as(self.generate)
        }
        answer = self.stored.get(key)
        self.asked.append(Asked(messages, key, key in now, answer))
        if answer is None:
            raise _EndOfRecord
        return answer


def replay(
    con: duckdb.DuckDBPyConnection, home: Home, domain: Domain, dialogue_id: str, attempt: int
) -> list[Asked]:
    """Return the requests of one attempt, in order.

    Of an attempt that failed it is the first one, unchecked.

    Args:
        con: the domain's warehouse.
        home: where profiles, goals and suites are.
        domain: the settings the build ran with.
        dialogue_id: a brief's id.
        attempt: from 1; from 2 on it is a repair.

    Raises:
        UserError: no such brief, or the profile it was asked with is gone.
    """
    recorded = con.execute(
        """
        SELECT request_keys, profile, rollout FROM transcripts
        WHERE dialogue_id = ? AND attempt = ?
        """,
        [dialogue_id, attempt],
    ).fetchall()
    if not recorded:
        return []
    keys, profile_name, rollout_name = recorded[0]
    profile = load_profile(home, profile_name, domain.language)
    goals = load_goals(home, domain.language).worded(domain.noun, domain.verb)
    briefs = list(load_briefs(con, domain, [dialogue_id]))
    settings = domain.generate.at_attempt(attempt)
    model = _Replay(settings, keys or [], answers_by_key(con, keys or []))
    if attempt > 1:
        suites = load_suites(home, domain.quality.suites, domain.quality.severities)
        sentences: dict[str, str] = {}
        for suite in suites:
            sentences |= {rule.rule: rule.says for rule in suite.rules}
        repair = load_repairs(con, briefs, attempt, sentences)[0]
        working = RepairRollout(profile, goals, attempt)(repair, model)
    elif rollout_name == "dual":
        working = Dual(profile, goals, attempt)(briefs[0], model)
    else:
        working = Single(lambda brief: render(profile, goals, brief), attempt)(briefs[0], model)
    with suppress(_EndOfRecord):
        asyncio.run(working)
    return model.asked

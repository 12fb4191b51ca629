"""The few briefs that a run asks for before all others, to see what comes of them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from tasks.briefs import Brief
from tasks.generate.work import Work
from tasks.llm import Answer, Message, ResponseCache, StoredAnswers, make_request
from tasks.settings import Generate

AT_A_TIME = 64  # briefs whose answers are looked up together


class _NotStored(Exception):
    """A brief needs an answer that is not stored."""


@dataclass(frozen=True)
class _StoredOnly:
    """An `Ask` that sends nothing."""

    settings: Generate
    cache: ResponseCache

    async def __call__(
        self,
        messages: tuple[Message, ...],
        *,
        response_format: Mapping[str, Any] | None = None,
        attempt: int = 1,
    ) -> Answer:
        """Return the stored answer. Raises _NotStored where there is none."""
        request = make_request(self.settings, messages, response_format, attempt)
        answer = await self.cache.get(request.key)
        if answer is None:
            raise _NotStored
        return answer


async def first_unpaid(
    con: duckdb.DuckDBPyConnection, work: Work, settings: Generate, most: int
) -> list[str]:
    """Return the ids of the first briefs for which an answer has to be paid.

    Args:
        con: the warehouse, for stored answers.
        work: what is to be written; its briefs are looked at in order.
        settings: of the domain; those of the attempt say what the answers are stored under.
        most: how many ids at most.

    Raises:
        UserError: the model's name or endpoint cannot be used.
    """
    ask = _StoredOnly(settings.at_attempt(work.rollout.attempt), StoredAnswers.of(con))
    found: list[str] = []
    for start in range(0, len(work.ids), AT_A_TIME):
        briefs = work.fetch(work.ids[start : start + AT_A_TIME])
        found += await _unpaid(briefs, work, ask)
        if len(found) >= most:
            break
    return found[:most]


async def _unpaid(briefs: Sequence[Brief], work: Work, ask: _StoredOnly) -> list[str]:
    async def is_stored(brief: Brief) -> bool:
        try:
            await work.rollout(brief, ask)
        except _NotStored:
            return False
        return True

    stored = await asyncio.gather(*map(is_stored, briefs))
    return [brief.dialogue_id for brief, known in zip(briefs, stored, strict=True) if not known]

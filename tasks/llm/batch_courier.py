"""Carries one batch to the provider and its answers back, so that a process killed at any moment loses neither."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from tasks.errors import UserError
from tasks.llm.batch_api import BatchApi, BatchStatus
from tasks.llm.batch_state import BatchState, Member, drop_state, label_of, save_state
from tasks.llm.errors import TRANSIENT, CallError
from tasks.llm.journal import Entry, Journal
from tasks.llm.provider_reply import Reply

FIRST_POLL_S, LONGEST_POLL_S, POLL_GROWTH = 1.0, 60.0, 1.5


class BatchCourier:
    """Sends batches and brings their results.

    A batch's state is on the disk before the provider is told of it, and stays there until its answers are in a journal.
    """

    def __init__(self, api: BatchApi, folder: Path, patience: int) -> None:
        self._api, self._folder, self._patience = api, folder, patience

    async def send(self, members: tuple[Member, ...], lines: Iterable[bytes]) -> BatchState:
        """Send requests as one batch. Raises CallError, and UserError when the state cannot be written."""
        state = BatchState(label_of(members), self._api.model, members, sent_at=time.time())
        save_state(self._folder, state)
        try:
            batch_id = await self._api.create(lines, state.label)
        except CallError as error:
            if error.kind not in ("timeout", "connection", "malformed"):
                drop_state(self._folder, state)  # refused; else nobody knows, and the next run looks for it
            raise
        state = replace(state, batch_id=batch_id)
        save_state(self._folder, state)
        return state

    async def collect(self, state: BatchState) -> tuple[BatchState, dict[str, Reply | CallError]] | None:
        """Wait for a batch to end and return what became of its requests, by request key; None when it was never made.

        Raises:
            CallError: the provider cannot be reached any more.
            UserError: the provider refuses the batch as a whole.
        """
        if not state.batch_id:
            found = await self._api.find(state.label)
            if found is None:
                drop_state(self._folder, state)
                return None
            state = replace(state, batch_id=found)
            save_state(self._folder, state)
        status = await self._wait(state.batch_id)
        if status.state == "failed" and not status.files:
            drop_state(self._folder, state)
            raise UserError(f"the provider refuses the batch: {status.problem or 'it does not say why'}")
        return state, await self._api.results(status)

    async def keep(self, state: BatchState, entries: Sequence[Entry]) -> None:
        """Journal a batch's answers, then forget its state. Raises UserError."""
        journal = Journal(self._folder / f"{time.time_ns()}-batch-{state.label}.jsonl")
        try:
            await asyncio.gather(*(journal.append(entry) for entry in entries))
        finally:
            await journal.close()
        drop_state(self._folder, state)

    async def _wait(self, batch_id: str) -> BatchStatus:
        pause, failures = FIRST_POLL_S, 0
        while True:
            try:
                status = await self._api.status(batch_id)
                failures = 0
                if status.ended:
                    return status
            except CallError as error:
                failures += 1
                if error.kind not in TRANSIENT or failures >= self._patience:
                    raise
            await asyncio.sleep(pause)
            pause = min(LONGEST_POLL_S, pause * POLL_GROWTH)

"""What is known of a batch on its way, on the disk before it is waited for: kill -9 loses no batch."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tasks.errors import UserError
from tasks.files import write_atomically
from tasks.fingerprint import content_id
from tasks.llm.batch_client import BatchClient, BatchStatus
from tasks.llm.errors import TRANSIENT, CallError
from tasks.llm.provider_reply import Reply
from tasks.llm.write_ahead_log import Entry, WriteAheadLog

PATTERN = "batch-*.json"


@dataclass(frozen=True)
class Member:
    """One request in a batch: whose it is and how often it was tried before."""

    key: str
    dialogue_id: str
    attempt: int
    tries: int


@dataclass(frozen=True)
class BatchState:
    """A batch that was sent, or is about to be.

    Attributes:
        label: a hash of its requests and their tries; the provider keeps it with the batch.
        batch_id: the provider's; empty until the provider has said it.
        sent_at: Unix seconds.
    """

    label: str
    model: str
    members: tuple[Member, ...]
    batch_id: str = ""
    sent_at: float = 0.0


def label_of(members: tuple[Member, ...]) -> str:
    """Return the label of a batch of these requests."""
    return content_id(sorted((member.key, member.tries) for member in members))


def save_state(folder: Path, state: BatchState) -> None:
    """Write a batch's state down, whole or not at all. Raises UserError."""
    path = folder / f"batch-{state.label}.json"
    try:
        write_atomically(path, json.dumps(asdict(state)))
    except OSError as error:
        raise UserError(f"the batch's state {path} cannot be written: {error.strerror}") from None


def load_states(folder: Path, model: str) -> list[BatchState]:
    """Return the batches of a model that were not collected yet.

    Raises UserError on a state file that is not one of ours.
    """
    states = []
    for path in sorted(folder.glob(PATTERN)) if folder.is_dir() else []:
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            members = tuple(Member(**member) for member in content["members"])
            states.append(BatchState(**{**content, "members": members}))
        except (ValueError, TypeError, KeyError):
            raise UserError(
                f"{path} is not a batch's state: remove it, and its batch will be asked for again"
            ) from None
    return [state for state in states if state.model == model]


def drop_state(folder: Path, state: BatchState) -> None:
    """Forget a batch whose answers are in a journal."""
    (folder / f"batch-{state.label}.json").unlink(missing_ok=True)


FIRST_POLL_S, LONGEST_POLL_S, POLL_GROWTH = 1.0, 60.0, 1.5


class BatchTransfer:
    """Sends batches and brings their results.

    A batch's state is on the disk before the provider is told of it, and stays there until its
    answers are in a journal.
    """

    def __init__(self, api: BatchClient, folder: Path, patience: int) -> None:
        self._api, self._folder, self._patience = api, folder, patience

    async def send(self, members: tuple[Member, ...], lines: Iterable[bytes]) -> BatchState:
        """Send requests as one batch.

        Raises CallError, and UserError when the state cannot be written.
        """
        state = BatchState(label_of(members), self._api.model, members, sent_at=time.time())
        save_state(self._folder, state)
        try:
            batch_id = await self._api.create(lines, state.label)
        except CallError as error:
            if error.kind not in ("timeout", "connection", "malformed"):
                drop_state(
                    self._folder, state
                )  # refused; else nobody knows, and the next run looks for it
            raise
        state = replace(state, batch_id=batch_id)
        save_state(self._folder, state)
        return state

    async def collect(
        self, state: BatchState
    ) -> tuple[BatchState, dict[str, Reply | CallError]] | None:
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
            raise UserError(
                f"the provider refuses the batch: {status.problem or 'it does not say why'}"
            )
        return state, await self._api.results(status)

    async def keep(self, state: BatchState, entries: Sequence[Entry]) -> None:
        """Journal a batch's answers, then forget its state. Raises UserError."""
        journal = WriteAheadLog(self._folder / f"{time.time_ns()}-batch-{state.label}.jsonl")
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

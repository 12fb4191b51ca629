"""Sends a batch and collects its results; its state is on the disk, so that no kill loses it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tasks.errors import UserError
from tasks.files import write_atomically
from tasks.fingerprint import content_id
from tasks.llm.batch.client import BatchClient, BatchStatus
from tasks.llm.batch.token_room import ENQUEUED
from tasks.llm.errors import TRANSIENT, CallError, RunStopped
from tasks.llm.journal import Entry
from tasks.llm.provider_reply import Reply
from tasks.llm.write_ahead_log import WriteAheadLog

STATE_FILES = "batch-*.json"
FIRST_POLL_S, LONGEST_POLL_S, POLL_GROWTH = 1.0, 60.0, 1.5
POLLS_FOR_FILES = 10  # of a batch that is completed before its files are named
# Errors of `create` after which the batch may exist all the same.
OUTCOME_UNKNOWN = ("timeout", "connection", "malformed")


@dataclass(frozen=True)
class Member:
    """One request in a batch, the attempt it is for, and how often it was tried before."""

    key: str
    dialogue_id: str
    attempt: int
    tries: int


@dataclass(frozen=True)
class BatchState:
    """A batch that was sent, or is about to be.

    Attributes:
        label: a hash of its requests and their tries; the provider keeps it with the batch.
        batch_id: the provider's; empty until the provider has returned it.
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
    """Write a batch's state atomically. Raises UserError."""
    path = _state_file(folder, state)
    try:
        write_atomically(path, json.dumps(asdict(state)))
    except OSError as error:
        raise UserError(f"the batch's state {path} cannot be written: {error.strerror}") from None


def load_states(folder: Path, model: str) -> list[BatchState]:
    """Return the batches of a model that were not collected yet.

    Raises UserError on a state file that cannot be read.
    """
    if not folder.is_dir():
        return []
    states = [_read_state(path) for path in sorted(folder.glob(STATE_FILES))]
    return [state for state in states if state.model == model]


def _read_state(path: Path) -> BatchState:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        members = tuple(Member(**member) for member in content["members"])
        return BatchState(**{**content, "members": members})
    except (ValueError, TypeError, KeyError):
        raise UserError(
            f"{path} is not a batch's state: remove it, and its requests will be sent again"
        ) from None


def drop_state(folder: Path, state: BatchState) -> None:
    """Forget a batch whose answers are in a journal."""
    _state_file(folder, state).unlink(missing_ok=True)


def _state_file(folder: Path, state: BatchState) -> Path:
    return folder / f"batch-{state.label}.json"


@dataclass(frozen=True)
class Collected:
    """A batch that has ended.

    Attributes:
        ended: the provider's word for how.
        results: the reply or error of each request that has one, by request key.
    """

    state: BatchState
    ended: str
    results: Mapping[str, Reply | CallError]


class EnqueuedLimit(Exception):
    """The provider refuses a batch because too many tokens wait; nothing of it was billed."""


class BatchRefused(Exception):
    """The provider refuses a batch as a whole; nothing of it was billed."""


class BatchTransfer:
    """Sends batches and collects their results.

    A batch's state is on the disk before the provider is asked to make it, and stays there until
    its answers are in a journal.
    """

    def __init__(self, client: BatchClient, folder: Path, max_failures: int) -> None:
        """Take the folder of states and journals, and the failed polls in a row that end a wait."""
        self._client, self._folder, self._max_failures = client, folder, max_failures

    async def send(self, members: tuple[Member, ...], lines: Iterable[bytes]) -> BatchState:
        """Send requests as one batch.

        Raises CallError, EnqueuedLimit where more tokens would wait than the provider lets, and
        UserError when the state cannot be written.
        """
        state = BatchState(label_of(members), self._client.model, members, sent_at=time.time())
        save_state(self._folder, state)
        try:
            batch_id = await self._client.create(lines, state.label)
        except CallError as error:
            # If the batch may exist, its state stays for the next run to look for it.
            if error.kind not in OUTCOME_UNKNOWN:
                drop_state(self._folder, state)
            if ENQUEUED.search(error.message):
                raise EnqueuedLimit(error.message) from None
            raise
        state = replace(state, batch_id=batch_id)
        save_state(self._folder, state)
        return state

    async def collect(self, state: BatchState) -> Collected | None:
        """Wait for a batch and return its results; None when it was never made.

        Raises:
            CallError: the provider cannot be reached any more.
            EnqueuedLimit: more tokens would wait than the provider lets.
            RunStopped: the provider keeps its answers back.
            BatchRefused: the provider refuses the batch as a whole.
        """
        if not state.batch_id:
            batch_id = await self._client.find(state.label)
            if batch_id is None:
                drop_state(self._folder, state)
                return None
            state = replace(state, batch_id=batch_id)
            save_state(self._folder, state)
        status = await self._wait(state.batch_id)
        if status.state == "failed" and not status.files:
            drop_state(self._folder, state)
            reason = status.problem or "it gives no reason"
            if ENQUEUED.search(reason):
                raise EnqueuedLimit(reason)
            raise BatchRefused(reason)
        if status.state == "completed" and not status.files:
            status = await self._wait_for_files(state, status)
        return Collected(state, status.state, await self._client.results(status))

    async def _wait_for_files(self, state: BatchState, status: BatchStatus) -> BatchStatus:
        """Return the status once it names files, or if no request was answered.

        Raises RunStopped for answers whose file is not named; the batch's state stays.
        """
        for _ in range(POLLS_FOR_FILES):
            if status.files or status.answered == 0:
                return status
            await asyncio.sleep(FIRST_POLL_S)
            status = await self._client.status(state.batch_id)
        raise RunStopped(
            "batch",
            f"batch {state.batch_id} is completed, but the provider names no file of its answers: "
            f"run again to look for it, or remove {_state_file(self._folder, state)} to send its "
            "requests again",
        )

    async def keep(self, state: BatchState, entries: Sequence[Entry]) -> None:
        """Write a batch's answers to a journal, then forget its state. Raises UserError."""
        journal = WriteAheadLog(self._folder / f"{time.time_ns()}-batch-{state.label}.jsonl")
        try:
            await asyncio.gather(*(journal.append(entry) for entry in entries))
        finally:
            await journal.close()
        drop_state(self._folder, state)

    async def _wait(self, batch_id: str) -> BatchStatus:
        pause_s, failures = FIRST_POLL_S, 0
        while True:
            try:
                status = await self._client.status(batch_id)
                failures = 0
                if status.ended:
                    return status
            except CallError as error:
                failures += 1
                if error.kind not in TRANSIENT or failures >= self._max_failures:
                    raise
            await asyncio.sleep(pause_s)
            pause_s = min(LONGEST_POLL_S, pause_s * POLL_GROWTH)

"""What is known of a batch on its way, on the disk before it is waited for: kill -9 loses no batch."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from tasks.errors import UserError
from tasks.files import write_atomically
from tasks.fingerprint import content_id

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
    """Return the batches of a model that were not collected yet. Raises UserError on a state file that is not one of ours."""
    states = []
    for path in sorted(folder.glob(PATTERN)) if folder.is_dir() else []:
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            members = tuple(Member(**member) for member in content["members"])
            states.append(BatchState(**{**content, "members": members}))
        except (ValueError, TypeError, KeyError):
            raise UserError(f"{path} is not a batch's state: remove it, and its batch will be asked for again") from None
    return [state for state in states if state.model == model]


def drop_state(folder: Path, state: BatchState) -> None:
    """Forget a batch whose answers are in a journal."""
    (folder / f"batch-{state.label}.json").unlink(missing_ok=True)

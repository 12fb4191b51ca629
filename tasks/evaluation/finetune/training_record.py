"""The record of a fine-tuning, so that no model is tested on its training samples."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from tasks.errors import UserError
from tasks.evaluation.samples import Sample
from tasks.files import write_atomically
from tasks.fingerprint import content_id


@dataclass(frozen=True)
class Training:
    """One fine-tuned model.

    Attributes:
        model: the model string it is evaluated under.
        how: the options that split training samples from test samples, for a person to repeat.
        profile: the prompt it was asked with; `history` is True if histories were in it.
        learnt: a hash of the training samples.
        losses: mean loss of each epoch, where the training was local.
    """

    model: str
    how: str
    profile: str
    history: bool
    examples: int
    learnt: str
    losses: tuple[float, ...] = ()


def learnt(train: Iterable[Sample]) -> str:
    """Return the hash of training samples: which dialogues, cut where, with which target."""
    return content_id(
        sorted([sample.dialogue_id, sample.sample_id, sample.user_id or ""] for sample in train)
    )


def keep_training(folder: Path, training: Training) -> Path:
    """Write a record. Raises UserError when the folder cannot be written."""
    path = _place(folder, training.model)
    try:
        return write_atomically(path, json.dumps(asdict(training), indent=1))
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}") from None


def find_training(folder: Path, model: str) -> Training | None:
    """Return the record of a model, or None where it was not trained here.

    Raises UserError when the record is broken.
    """
    path = _place(folder, model)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Training(**{**content, "losses": tuple(content["losses"])})
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError):
        raise UserError(f"{path} is not the record of a fine-tuning") from None


def check_training(training: Training, train: Iterable[Sample], profile: str) -> None:
    """Raise UserError unless a model was trained on a split's samples and the same prompt."""
    if training.learnt != learnt(train):
        raise UserError(
            f"{training.model} was not trained on what this split leaves for training, so it may "
            f"know test answers; use {training.how}"
        )
    if training.profile != profile:
        raise UserError(
            f"{training.model} was trained with the words of {training.profile}: use --profile "
            f"{training.profile}"
        )


def _place(folder: Path, model: str) -> Path:
    return folder / f"{content_id(['training', model])}.json"

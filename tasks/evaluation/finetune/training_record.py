"""The record of a fine-tuning, so that no model is tested on what it learnt.

The record of an adapter lies in the adapter's folder and goes where that goes; that of a provider's
model lies beside the jobs, under its name.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

from tasks.errors import UserError
from tasks.evaluation.samples import Sample
from tasks.files import write_atomically
from tasks.fingerprint import content_id

Target = Literal["recommend", "respond"]
TARGETS: tuple[Target, ...] = get_args(Target)
RECORD = "redial_training.json"
_TAUGHT = {"recommend": "to recommend a list of titles", "respond": "to say the next utterance"}


@dataclass(frozen=True)
class Training:
    """What one fine-tuned model learnt.

    Attributes:
        target: what it was taught to answer with.
        how: the options that split training samples from test samples, for a person to repeat.
        profile: the words it was asked with; `history` is True if histories were in it.
        list_length: titles in a taught list; 0 for utterances.
        examples: how many it learnt.
        questions: a hash of each conversation with its right title.
        answers: a hash of each user with a title that was taught as an answer.
        losses: mean loss of each epoch, where the training was local.
        validation: loss on the validation part after each epoch, where there is such a part.
    """

    target: Target
    how: str
    profile: str
    history: bool
    list_length: int
    examples: int
    questions: tuple[str, ...]
    answers: tuple[str, ...]
    losses: tuple[float, ...] = ()
    validation: tuple[float, ...] = ()


def question_hash(sample: Sample) -> str:
    """Return the hash of what was said before a recommendation, and of its title."""
    said = [[utterance.role, " ".join(utterance.text.split())] for utterance in sample.context]
    return content_id(["question", said, sample.title])


def answer_hash(sample: Sample, title: str) -> str:
    """Return the hash of a title as an answer to a sample's user."""
    return content_id(["answer", sample.cluster, title])


def write_record(folder: Path, training: Training) -> None:
    """Write the record of an adapter into its folder. Raises OSError."""
    (folder / RECORD).write_text(_text(training), encoding="utf-8")


def read_record(folder: str | Path) -> Training | None:
    """Return the record of an adapter, or None where it was not trained here.

    Raises UserError when the record is broken.
    """
    return _read(Path(folder) / RECORD)


def keep_hosted_record(folder: Path, model: str, training: Training) -> None:
    """Write the record of a provider's model. Raises UserError when that cannot be."""
    path = _place(folder, model)
    try:
        write_atomically(path, _text(training))
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}") from None


def hosted_record(folder: Path, model: str) -> Training | None:
    """Return the record of a provider's model, or None where it was not trained here.

    Raises UserError when the record is broken.
    """
    return _read(_place(folder, model))


def check_unseen(model: str, training: Training, questions: Iterable[Sample]) -> None:
    """Raise UserError if a model learnt the answer of a question that it is to be asked.

    That is decided by what conversations and answers say, not by where anything lies.
    """
    asked = list(questions)
    learnt, answers = set(training.questions), set(training.answers)
    seen = [
        sample
        for sample in asked
        if question_hash(sample) in learnt or answer_hash(sample, sample.title) in answers
    ]
    if seen:
        raise UserError(
            f"{model} learnt the answers of {len(seen):,} of the {len(asked):,} test questions; "
            f"use {training.how}"
        )


def check_target(model: str, training: Training, wanted: Target) -> None:
    """Raise UserError if a model was taught another kind of answer."""
    if training.target != wanted:
        raise UserError(
            f"{model} was taught {_TAUGHT[training.target]}, not {_TAUGHT[wanted]}: train one with "
            f"`redial evaluate finetune --target {wanted}`"
        )


def check_profile(model: str, training: Training, profile: str) -> None:
    """Raise UserError if a model was taught with other words than it is to be asked with."""
    if training.profile != profile:
        raise UserError(
            f"{model} was trained with the words of {training.profile}: use --profile "
            f"{training.profile}"
        )


def _text(training: Training) -> str:
    return json.dumps(asdict(training), indent=1)


def _read(path: Path) -> Training | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        listed = {name: tuple(content[name]) for name in _LISTS}
        training = Training(**{**content, **listed})
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, TypeError, KeyError):
        raise UserError(f"{path} is not the record of a fine-tuning") from None
    if training.target not in TARGETS:
        raise UserError(f"{path} is not the record of a fine-tuning")
    return training


_LISTS: Sequence[str] = ("questions", "answers", "losses", "validation")


def _place(folder: Path, model: str) -> Path:
    return folder / f"{content_id(['training', model])}.json"

"""The steps of a training with LoRA: they can be watched, stopped, and gone on with."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, Final

from tasks.errors import UserError
from tasks.evaluation.finetune.settings import LoraSettings
from tasks.fingerprint import unit
from tasks.local_model import computes_bfloat16

IGNORED: Final = -100  # the label of tokens that are not learnt
CHECKPOINT_S: Final = 120.0  # seconds between two checkpoints

Encoded = tuple[list[int], list[int]]
"""The tokens of an example, and the label of each."""


@dataclass(frozen=True)
class Step:
    """How far a training is.

    Attributes:
        step: steps done, of `steps`.
        loss: mean loss of the step's tokens that are learnt.
        tokens_per_s: tokens of examples a second, since this process began.
        left_s: seconds to the end at that pace.
    """

    step: int
    steps: int
    loss: float
    tokens_per_s: float
    left_s: float


class TrainingStopped(UserError):
    """A training that was stopped; a checkpoint is kept and the same training goes on from it."""


@dataclass
class Course:
    """What a training has gone through: steps, the losses of each epoch, and of the last one."""

    step: int = 0
    losses: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)
    seen: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Trainer:
    """One training.

    Attributes:
        model: with an adapter that is taught.
        examples: what is taught.
        validation: what the loss is looked at for after every epoch.
        padding: the token that fills short examples.
        checkpoint: file that is written every CHECKPOINT_S seconds, and when the training stops.
        most_steps: where the training ends at the latest.
        watch: called after every step.
        wanted: asked before every step; False stops the training.
    """

    model: Any
    settings: LoraSettings
    examples: Sequence[Encoded]
    validation: Sequence[Encoded]
    seed: int
    padding: int
    checkpoint: Path
    most_steps: int | None = None
    watch: Callable[[Step], None] = lambda _: None
    wanted: Callable[[], bool] = lambda: True

    def run(self) -> Course:
        """Train to the end, from the checkpoint if there is one.

        Raises:
            TrainingStopped: it was no longer wanted; the checkpoint is written.
        """
        import torch

        weights = [weight for weight in self.model.parameters() if weight.requires_grad]
        optimizer = torch.optim.AdamW(weights, lr=self.settings.learning_rate)
        course = self._resumed(weights, optimizer)
        groups = self._groups()
        steps = sum(map(len, groups))
        steps = min(steps, self.most_steps or steps)
        pace = _Pace(course.step, steps)
        saved = time.monotonic()
        self.model.train()
        for number, group in enumerate(chain.from_iterable(groups)):
            if number >= steps:
                break
            if number < course.step:
                continue
            if not self.wanted():
                self._save(weights, optimizer, course)
                raise TrainingStopped(
                    f"stopped after {course.step:,} of {steps:,} steps; the same command goes on "
                    "from there"
                )
            loss = self._step(group, weights, optimizer, self._rate(number, steps))
            course.step += 1
            course.seen.append(loss)
            self.watch(pace.step(course.step, loss, self._tokens(group)))
            if course.step == steps or _ends_epoch(groups, course.step):
                self._end_epoch(course)
            if time.monotonic() - saved > CHECKPOINT_S:
                self._save(weights, optimizer, course)
                saved = time.monotonic()
        self.model.eval()
        return course

    def _groups(self) -> list[list[list[list[int]]]]:
        """Return for each epoch its steps, each a list of batches, each of places of examples."""
        epochs = []
        for epoch in range(self.settings.epochs):
            places = range(len(self.examples))
            order = sorted(places, key=lambda place: unit(self.seed, "epoch", epoch, place))
            batches = list(_chunks(order, self.settings.batch))
            epochs.append(list(_chunks(batches, self.settings.accumulate)))
        return epochs

    def _step(
        self, group: Sequence[Sequence[int]], weights: Sequence[Any], optimizer: Any, rate: float
    ) -> float:
        """Learn some batches and return their mean loss."""
        import torch

        for parameters in optimizer.param_groups:
            parameters["lr"] = rate
        losses = []
        for places in group:
            loss = self._loss([self.examples[place] for place in places])
            (loss / self.settings.accumulate).backward()
            losses.append(float(loss.detach()))
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        return sum(losses) / len(losses)

    def _rate(self, step: int, steps: int) -> float:
        """Return the step size: it rises in the warm-up, and falls after it where it should."""
        warm = round(self.settings.warmup * steps)
        if step < warm:
            return self.settings.learning_rate * (step + 1) / (warm + 1)
        left = (steps - step) / max(1, steps - warm)
        return self.settings.learning_rate * (left if self.settings.decay else 1.0)

    def _loss(self, batch: Sequence[Encoded]) -> Any:
        """Return the mean loss of a batch's learnt tokens.

        The vocabulary's probabilities are computed where answers are, and not over the questions,
        which would take most of the memory.
        """
        import torch

        device = next(self.model.parameters()).device
        tensors = {name: one.to(device) for name, one in _padded(batch, self.padding).items()}
        labels = tensors.pop("labels")
        longest = labels.shape[1]
        starts = [labels_of.count(IGNORED) for _, labels_of in batch]
        kept = min(longest, longest - min(starts) + 1)
        with self._arithmetic(device.type):
            logits = self.model(**tensors, logits_to_keep=kept).logits
        return torch.nn.functional.cross_entropy(
            logits[:, :-1].flatten(0, 1).float(),
            labels[:, longest - kept + 1 :].flatten(),
            ignore_index=IGNORED,
        )

    def _arithmetic(self, device: str) -> AbstractContextManager[Any]:
        """Return what computes in bfloat16, if the settings and the processor allow it."""
        import torch

        wanted = self.settings.precision == "auto" and device == "cpu"
        if not wanted or not computes_bfloat16():
            return nullcontext()
        reduced: AbstractContextManager[Any] = torch.autocast("cpu", dtype=torch.bfloat16)
        return reduced

    def _end_epoch(self, course: Course) -> None:
        import torch

        course.losses.append(sum(course.seen) / len(course.seen))
        course.seen = []
        if not self.validation:
            return
        self.model.eval()
        with torch.inference_mode():
            losses = [
                float(self._loss(batch)) for batch in _chunks(self.validation, self.settings.batch)
            ]
        self.model.train()
        course.validation.append(sum(losses) / len(losses))

    def _tokens(self, group: Sequence[Sequence[int]]) -> int:
        return sum(len(self.examples[place][0]) for place in chain.from_iterable(group))

    def _save(self, weights: Sequence[Any], optimizer: Any, course: Course) -> None:
        import torch

        state = {
            "weights": [weight.detach() for weight in weights],
            "optimizer": optimizer.state_dict(),
            "random": torch.get_rng_state(),
            "course": vars(course),
        }
        aside = self.checkpoint.with_suffix(".aside")
        torch.save(state, aside)
        aside.replace(self.checkpoint)

    def _resumed(self, weights: Sequence[Any], optimizer: Any) -> Course:
        """Return the course so far, and put weights and optimizer where they were then."""
        import torch

        if not self.checkpoint.is_file():
            return Course()
        state = torch.load(self.checkpoint, weights_only=True)
        with torch.no_grad():
            for weight, kept in zip(weights, state["weights"], strict=True):
                weight.copy_(kept)
        optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["random"])
        return Course(**state["course"])


class _Pace:
    """How fast a training is, since this process began it."""

    def __init__(self, begun: int, steps: int) -> None:
        self._begun, self._steps = begun, steps
        self._started = time.monotonic()
        self._tokens = 0

    def step(self, step: int, loss: float, tokens: int) -> Step:
        self._tokens += tokens
        took = max(time.monotonic() - self._started, 1e-9)
        left = took / (step - self._begun) * (self._steps - step)
        return Step(step, self._steps, loss, self._tokens / took, left)


def _ends_epoch(groups: Sequence[Sequence[Any]], step: int) -> bool:
    """Return True if an epoch ends with a step; the number of steps counts from 1."""
    return step % len(groups[0]) == 0


def _chunks(values: Sequence[Any], size: int) -> Iterator[Any]:
    for start in range(0, len(values), size):
        yield values[start : start + size]


def _padded(batch: Sequence[Encoded], padding: int) -> dict[str, Any]:
    import torch

    longest = max(len(tokens) for tokens, _ in batch)

    def filled(rows: Iterator[list[int]], with_: int) -> Any:
        return torch.tensor([row + [with_] * (longest - len(row)) for row in rows])

    return {
        "input_ids": filled((tokens for tokens, _ in batch), padding),
        "labels": filled((labels for _, labels in batch), IGNORED),
        "attention_mask": filled(([1] * len(tokens) for tokens, _ in batch), 0),
    }

"""Fine-tuning as a Prefect flow (4.2.1), on a split's training samples alone.

It is a hosted job through litellm, or LoRA on this machine.
"""

from __future__ import annotations

import asyncio
import shlex
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from prefect.artifacts import acreate_markdown_artifact
from pydantic import Field

from flows.evaluation.models import LocalName, local_name, trainings
from flows.evaluation.setup import Evaluation, prepare
from flows.options import Count, EvaluationOptions, SampleOptions
from flows.parameters import as_parameter, fields_of, spread
from flows.progress import CURRENT
from flows.project_flow import project_flow
from flows.run_names import name_run, short
from flows.run_states import EndedEarly
from flows.server.endpoints import check_endpoint
from tasks.errors import UserError
from tasks.evaluation import load_respond_profile
from tasks.evaluation.finetune import (
    Example,
    Lesson,
    LoraSettings,
    Step,
    Target,
    Training,
    TrainingStopped,
    fine_tune_hosted,
    keep_hosted_record,
    read_record,
    recommend_lesson,
    respond_lesson,
    train_lora,
)
from tasks.fingerprint import content_id
from tasks.llm import graceful_shutdown
from tasks.local_model import LOCAL
from tasks.settings import Home, Limits
from tasks.web import markdown_code


@dataclass(frozen=True)
class FineTuned:
    """A model string to evaluate, and what the model learnt."""

    model: str
    training: Training


@project_flow("evaluate-finetune")
@spread(
    as_parameter,
    parted=fields_of(SampleOptions),
    options=fields_of(EvaluationOptions, "api_base", "seed", "data"),
)
async def evaluate_finetune(
    corpus: str = "demo",
    base: str = "local/vicuna_7b",
    history: bool = True,
    epochs: Count | None = None,
    poll_s: Annotated[float, Field(gt=0)] = 30.0,
    target: Target = "recommend",
    max_examples: Count | None = None,
    max_steps: Count | None = None,
    seeds: Count = 1,
    curve: list[Count] = [],
    *,
    parted: SampleOptions,
    options: EvaluationOptions,
) -> list[FineTuned]:
    """Fine-tune a model on what a split leaves for training, and write down what it learnt.

    Once for every number of examples of a learning curve, and that with several seeds.

    Args:
        corpus: a domain's name or a path.
        base: local/SETTINGS, or a provider's model, such as openai/gpt-4o-mini-2024-07-18.
        history: True if the user's history is in the questions.
        epochs: passes over the examples; the settings' own, or 3 at a provider, if not given.
        poll_s: seconds between two looks at a hosted job.
        target: what is taught: a ranked list of titles, or the agent's next utterance.
        max_examples: most examples, drawn by seed; all if not given.
        max_steps: where a local training ends at the latest.
        seeds: trainings of each, which differ in their seed; that of the split is the same.
        curve: numbers of examples, each trained apart.
        parted: how samples are parted and worded; evaluate with the same.
        options: where the model is, and the seed; evaluate with the same.
    """
    await name_run("evaluate finetune", short(corpus), short(base))
    home = options.home()
    local = local_name(home, base)
    if local is not None and local.adapter is not None:
        raise UserError(
            f"{base} is fine-tuned already: name its base, {LOCAL}{local.settings.name}"
        )
    if curve and max_examples:
        raise UserError("--curve and --max-examples both say how many examples: give one of them")
    ready = prepare(home, corpus, parted, None, options.seed)
    how = f"{corpus} --split {parted.split} --test-share {parted.test_share} --seed {options.seed}"
    how += f" --noun {shlex.quote(parted.noun)}" if parted.noun else ""
    made: list[FineTuned] = []
    for lesson in _lessons(home, ready, how, local, target, history, curve or [max_examples]):
        for number in range(seeds):
            seed = options.seed + number
            CURRENT.get().stage("training", "running")
            if local is None:
                one = await _hosted(home, base, lesson, epochs, seed, options.api_base, poll_s)
            else:
                chosen = local.settings.model_copy(update={"epochs": epochs} if epochs else {})
                adapters = trainings(home) / "adapters"
                adapter, training = await trained_adapter(
                    chosen, lesson, adapters, ready.name, most_steps=max_steps, seed=seed
                )
                one = FineTuned(f"{base}+{adapter}", training)
            CURRENT.get().stage("training", "done", _told(lesson, one.training))
            made.append(one)
    await acreate_markdown_artifact(
        "\n".join(
            f"- {markdown_code(one.model)} learnt {one.training.examples:,} examples: "
            f"{markdown_code(one.training.how)}"
            for one in made
        ),
        key="finetune",
        description=f"Fine-tuned on {ready.name}",
    )
    return made


def _lessons(
    home: Home,
    ready: Evaluation,
    how: str,
    local: LocalName | None,
    target: Target,
    history: bool,
    sizes: Sequence[int | None],
) -> list[Lesson]:
    """Return a lesson for each number of examples, the smaller within the larger, none twice."""
    made: dict[int, Lesson] = {}
    for most in sizes:
        if target == "respond":
            words = load_respond_profile(home)
            lesson = respond_lesson(ready.benchmark, words, how, history=history, most=most)
        else:
            length = local.settings.list_length if local is not None else None
            lesson = recommend_lesson(
                ready.benchmark, ready.profile, how, length=length, history=history, most=most
            )
        made.setdefault(len(lesson.examples), lesson)
    return list(made.values())


async def _hosted(
    home: Home,
    base: str,
    lesson: Lesson,
    epochs: int | None,
    seed: int,
    api_base: str | None,
    poll_s: float,
) -> FineTuned:
    """Fine-tune a provider's model and keep what it learnt. Raises UserError."""
    check_endpoint(base, api_base)
    job = await fine_tune_hosted(
        base,
        lesson.examples,
        trainings(home) / "jobs",
        epochs=epochs or 3,
        seed=seed,
        api_base=api_base,
        poll_s=poll_s,
    )
    made = FineTuned(str(job.fine_tuned_model), lesson.record)
    keep_hosted_record(trainings(home), made.model, made.training)
    return made


async def trained_adapter(
    settings: LoraSettings,
    lesson: Lesson,
    folder: Path,
    corpus: str,
    *,
    most_steps: int | None = None,
    seed: int = 0,
) -> tuple[Path, Training]:
    """Return an adapter and what it learnt: the one that was trained on the same before, or a new.

    Args:
        settings: base model and training; how the model is asked makes no difference.
        lesson: what is taught.
        folder: where adapters are.
        corpus: what the corpus is called in the adapter's name.
        most_steps: end after so many steps.
        seed: of the training.

    Raises:
        EndedEarly: a signal ended the training; a checkpoint is kept.
        UserError: the model cannot be trained.
    """
    key = _key(settings, lesson.examples, most_steps, seed)
    found = sorted(folder.glob(f"*-{key}"))  # moved into place whole, whatever it was called then
    adapter = found[0] if found else folder / f"{corpus}-{settings.name}-{key}"
    record = read_record(adapter)
    if record is None:
        record = await _trained(settings, lesson, adapter, most_steps, seed)
    return adapter, record


def _key(
    settings: LoraSettings, examples: Sequence[Example], most_steps: int | None, seed: int
) -> str:
    """Return the id of everything that a training is made from."""
    taught = [(example.messages[0]["content"], example.answer) for example in examples]
    return content_id([settings.taught(), taught, most_steps, seed])


async def _trained(
    settings: LoraSettings, lesson: Lesson, adapter: Path, most_steps: int | None, seed: int
) -> Training:
    """Train an adapter; a signal ends it at a checkpoint. Raises UserError."""
    stopping = threading.Event()
    sink = CURRENT.get()

    def watch(step: Step) -> None:
        told = f"loss {step.loss:.3f}, {step.tokens_per_s:,.0f} tokens/s"
        sink.advance("training", step.step, step.steps, f"{told}, {step.left_s / 60:.0f} min left")

    async with graceful_shutdown(lambda _: stopping.set(), Limits().shutdown_grace_s):
        try:
            made = await asyncio.to_thread(
                train_lora,
                settings,
                lesson.examples,
                adapter,
                lesson.record,
                validation=lesson.validation,
                seed=seed,
                most_steps=most_steps,
                watch=watch,
                wanted=lambda: not stopping.is_set(),
            )
        except TrainingStopped as stopped:
            raise EndedEarly("signal", str(stopped)) from None
        finally:
            stopping.set()
    if made.cut:
        told = f"{made.cut:,} of {len(lesson.examples):,} questions lost their beginning"
        sink.stage("cut", "done", f"{told}: more than {settings.max_tokens:,} tokens (max_tokens)")
    return made.record


def _told(lesson: Lesson, training: Training) -> str:
    parts = [f"{len(lesson.examples):,} examples"]
    if lesson.left_out:
        parts.append(f"{lesson.left_out:,} left out, they repeat held-out ones")
    if training.losses:
        parts.append(f"loss {' '.join(f'{loss:.3f}' for loss in training.losses)}")
    if training.validation:
        parts.append(f"validation {' '.join(f'{loss:.3f}' for loss in training.validation)}")
    return ", ".join(parts)

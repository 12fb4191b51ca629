"""Fine-tuning as a Prefect flow (4.2.1), on a split's training samples alone.

It is a hosted job through litellm, or LoRA on this machine.
"""

from __future__ import annotations

import asyncio
import shlex
from typing import Annotated

from prefect.artifacts import acreate_markdown_artifact
from pydantic import Field

from flows.evaluation.setup import LOCAL, Evaluation, prepare, trainings
from flows.options import Count, EvaluationOptions, SampleOptions
from flows.parameters import as_parameter, fields_of, spread
from flows.progress import CURRENT
from flows.project_flow import project_flow
from flows.run_names import name_run, short
from flows.server.endpoints import check_endpoint
from tasks.evaluation.finetune import (
    Example,
    Training,
    fine_tune_hosted,
    keep_training,
    learnt,
    load_lora_settings,
    train_lora,
    training_examples,
)
from tasks.fingerprint import content_id
from tasks.settings import Home
from tasks.web import markdown_code


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
    *,
    parted: SampleOptions,
    options: EvaluationOptions,
) -> Training:
    """Fine-tune a model on what a split leaves for training, and write down what it learnt.

    Args:
        corpus: a domain's name or a path.
        base: local/SETTINGS, or a provider's model, such as openai/gpt-4o-mini-2024-07-18.
        history: True if the user's history is in the questions.
        epochs: passes over the examples; the settings' own, or 3 at a provider, if not given.
        poll_s: seconds between two looks at a hosted job.
        parted: how samples are parted and worded; evaluate with the same.
        options: where the model is, and the seed; evaluate with the same.
    """
    await name_run("evaluate finetune", short(corpus), short(base))
    home = options.home()
    ready = prepare(home, corpus, parted, None, options.seed)
    train = ready.benchmark.split.train
    examples = training_examples(
        train,
        ready.profile,
        ready.benchmark.corpus.titles,
        noun=ready.benchmark.noun,
        history=history,
    )
    CURRENT.get().stage("training", "running")
    if base.startswith(LOCAL):
        model, losses = await _local(
            home, ready, base.removeprefix(LOCAL), examples, epochs, options.seed
        )
    else:
        check_endpoint(base, options.api_base)
        job = await fine_tune_hosted(
            base,
            examples,
            trainings(home) / "jobs",
            epochs=epochs or 3,
            seed=options.seed,
            api_base=options.api_base,
            poll_s=poll_s,
        )
        model, losses = str(job.fine_tuned_model), ()
    how = f"{corpus} --split {parted.split} --test-share {parted.test_share} --seed {options.seed}"
    how += f" --noun {shlex.quote(parted.noun)}" if parted.noun else ""
    training = Training(model, how, parted.profile, history, len(examples), learnt(train), losses)
    keep_training(trainings(home), training)
    CURRENT.get().stage("training", "done", f"{len(examples):,} examples")
    await acreate_markdown_artifact(
        f"{markdown_code(model)} learnt {len(examples):,} examples: {markdown_code(how)}",
        key="finetune",
        description=f"Fine-tuned on {ready.name}",
    )
    return training


async def _local(
    home: Home, ready: Evaluation, name: str, examples: list[Example], epochs: int | None, seed: int
) -> tuple[str, tuple[float, ...]]:
    """Train an adapter and return the model string it is evaluated under, and its losses."""
    settings = load_lora_settings(home, name)
    chosen = settings.model_copy(update={"epochs": epochs} if epochs else {})
    key = content_id(
        [
            chosen.model_dump(),
            [(example.messages[0]["content"], example.answer) for example in examples],
            seed,
        ]
    )
    adapter = trainings(home) / "adapters" / f"{ready.name}-{settings.name}-{key}"
    if adapter.is_dir():  # named after everything it is made from, and moved into place whole
        return f"{LOCAL}{name}+{adapter}", ()
    trained = await asyncio.to_thread(train_lora, chosen, examples, adapter, seed=seed)
    return f"{LOCAL}{name}+{adapter}", trained.losses

"""Fine-tuning as a Prefect flow (4.2.1): a hosted job through litellm, or LoRA on this machine, on a split's training samples alone."""

from __future__ import annotations

import asyncio
import shlex
from pathlib import Path
from typing import Annotated

from prefect import flow
from prefect.artifacts import acreate_markdown_artifact
from pydantic import Field

from flows.evaluate import By, Share
from flows.evaluating import LOCAL, Count, Evaluation, Noun, prepare, trainings
from flows.leash import follow_server
from flows.logs import keep_logs_plain
from flows.progress import CURRENT
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
from tasks.web.text import markdown_code


@flow(name="evaluate-finetune", flow_run_name="evaluate-finetune-{corpus}")
async def evaluate_finetune(
    corpus: str = "demo",
    base: str = "local/vicuna_7b",
    history: bool = True,
    split: By = "user",
    test_share: Share = 0.5,
    profile: str = "recommend_json",
    noun: Noun | None = None,
    epochs: Count | None = None,
    api_base: str | None = None,
    poll_s: Annotated[float, Field(gt=0)] = 30.0,
    seed: int = 2024,
    data: str | None = None,
) -> Training:
    """Fine-tune a model on what a split leaves for training, and write down what it learnt.

    Args:
        corpus: a domain's name or a path.
        base: local/SETTINGS, or a provider's model, such as openai/gpt-4o-mini-2024-07-18.
        history: whether the user's history stands in the questions.
        split: what a test question must not share with training; evaluate with the same.
        test_share: share of the samples that are test questions; evaluate with the same.
        profile: words of the questions.
        noun: what one item is called in the questions; as the domain says, movie for ReDial and INSPIRED, else item, if not given.
        epochs: passes over the examples; the settings' own, or 3 at a provider, if not given.
        api_base: another endpoint than the provider's own.
        poll_s: seconds between two looks at a hosted job.
        seed: of every random choice; evaluate with the same.
        data: data folder in place of the project's own.
    """
    keep_logs_plain()
    follow_server()
    home = Home.find(Path(data) if data else None)
    ready = prepare(home, corpus, split, None, profile, seed, test_share, noun)
    train = ready.benchmark.split.train
    examples = training_examples(train, ready.profile, ready.benchmark.corpus.titles, noun=ready.benchmark.noun, history=history)
    CURRENT.get().stage("training", "running")
    if base.startswith(LOCAL):
        model, losses = await _local(home, ready, base.removeprefix(LOCAL), examples, epochs, seed)
    else:
        check_endpoint(base, api_base)
        job = await fine_tune_hosted(
            base, examples, trainings(home) / "jobs", epochs=epochs or 3, seed=seed, api_base=api_base, poll_s=poll_s
        )
        model, losses = str(job.fine_tuned_model), ()
    how = f"{corpus} --split {split} --test-share {test_share} --seed {seed}" + (f" --noun {shlex.quote(noun)}" if noun else "")
    training = Training(model, how, profile, history, len(examples), learnt(train), losses)
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
    key = content_id([chosen.model_dump(), [(example.messages[0]["content"], example.answer) for example in examples], seed])
    adapter = trainings(home) / "adapters" / f"{ready.name}-{settings.name}-{key}"
    if adapter.is_dir():  # named after everything it is made from, and moved into place whole
        return f"{LOCAL}{name}+{adapter}", ()
    trained = await asyncio.to_thread(train_lora, chosen, examples, adapter, seed=seed)
    return f"{LOCAL}{name}+{adapter}", trained.losses

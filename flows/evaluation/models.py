"""The models of evaluations by name: how each is asked, and what one that was fine-tuned learnt."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from flows.evaluation.client import Asking
from flows.evaluation.setup import Evaluation
from flows.options import EvaluationOptions
from flows.server.endpoints import check_endpoint
from tasks.errors import UserError
from tasks.evaluation import AskFor, RecommendProfile, Setting
from tasks.evaluation.finetune import (
    LocalModel,
    LoraSettings,
    Target,
    Training,
    check_profile,
    check_target,
    check_unseen,
    hosted_record,
    load_lora_settings,
    read_record,
)
from tasks.local_model import LOCAL
from tasks.settings import Generate, Home, Limits, validation_line

ANSWER_TOKENS = 2048  # 50 titles of about 12 tokens each, three times over


@dataclass(frozen=True)
class LocalName:
    """A model on this machine: its settings, and its adapter where it was fine-tuned."""

    settings: LoraSettings
    adapter: Path | None


def local_name(home: Home, model: str) -> LocalName | None:
    """Return the local model that is named `local/SETTINGS` or `local/SETTINGS+ADAPTER`.

    None for a model of a provider. Raises UserError.
    """
    if model.endswith((".yaml", ".yml")) and not model.startswith(LOCAL):
        raise UserError(f"{model} is a settings file: a local model is named {LOCAL}{model}")
    if not model.startswith(LOCAL):
        return None
    name, _, adapter = model.removeprefix(LOCAL).partition("+")
    return LocalName(load_lora_settings(home, name), Path(adapter) if adapter else None)


def model_settings(
    model: str,
    api_base: str | None,
    limits: Limits | None,
    temperature: float,
    max_tokens: int | None = None,
) -> Generate:
    """Return how a model is asked in evaluations.

    The temperature is the paper's, there is no seed, limits are the usual ones. Raises UserError.
    """
    check_endpoint(model, api_base)
    try:
        return Generate(
            model=model,
            api_base=api_base,
            temperature=temperature,
            max_tokens=max_tokens or ANSWER_TOKENS,
            limits=limits or Limits(),
        )
    except ValidationError as error:
        raise UserError(validation_line(error)) from None


def way_to(
    asked_models: Asking, home: Home, model: str, options: EvaluationOptions, temperature: float
) -> AskFor:
    """Return the way to a model.

    It is named `local/SETTINGS`, `local/SETTINGS+ADAPTER`, or by a litellm model string. Raises
    UserError.
    """
    local = local_name(home, model)
    if local is None:
        settings = model_settings(
            model, options.api_base, options.limits(), temperature, options.max_tokens
        )
        return asked_models.of(settings)
    longest = {"answer_tokens": options.max_tokens} if options.max_tokens else {}
    return asked_models.local(LocalModel(local.settings.model_copy(update=longest), local.adapter))


def trainings(home: Home) -> Path:
    """Return the folder of records, jobs and adapters of fine-tuned models."""
    return home.data / "finetune"


def records_of(home: Home, model: str) -> list[Training]:
    """Return the records of every training that a model went through here, the latest first.

    Those of local models are found wherever the adapter is, and under whatever name. Raises
    UserError for a broken record.
    """
    local = local_name(home, model)
    if local is None:
        found = [hosted_record(trainings(home), model)]
    else:
        folders = [local.adapter, local.settings.base_adapter]
        found = [read_record(folder) for folder in folders if folder is not None]
    return [record for record in found if record is not None]


def checked_training(home: Home, ready: Evaluation, model: str, target: Target) -> Training | None:
    """Return what a fine-tuned model learnt last; None where it was not fine-tuned here.

    Raises UserError when it learnt answers of the questions, was taught another kind of answer, or
    with other words.
    """
    records = records_of(home, model)
    for record in records:
        check_unseen(model, record, ready.benchmark.questions)
    if not records:
        return None
    check_target(model, records[0], target)
    if target == "recommend":
        check_profile(model, records[0], ready.profile.name)
    return records[0]


def check_judge(home: Home, model: str) -> None:
    """Raise UserError if a model was fine-tuned here: none is taught to judge."""
    if records_of(home, model):
        raise UserError(f"{model} was taught to recommend or to respond, not to judge")


@dataclass(frozen=True)
class Input:
    """One way of asking a recommender: the setting, with the history or not, and the words."""

    setting: Setting
    history: bool
    profile: RecommendProfile


def inputs_of(home: Home, ready: Evaluation, model: str, settings: list[Setting]) -> list[Input]:
    """Return with which inputs a model is asked.

    Without and with the history, where there is any. A model that was fine-tuned here is asked as
    it was taught, whatever the setting is.

    Raises:
        UserError: it learnt test answers, or there are no training samples to show.
    """
    training = checked_training(home, ready, model, "recommend")
    if training is not None:
        words = ready.profile.model_copy(update={"recommendations": training.list_length})
        return [Input("fine-tuned", training.history, words)]
    if "few-shot" in settings and not ready.benchmark.split.train:
        raise UserError(
            "few-shot examples are training samples, and this split leaves none: choose a "
            "smaller --test-share"
        )
    with_history = any(sample.history for sample in ready.benchmark.questions)
    histories = (False, True) if with_history else (False,)
    return [Input(setting, history, ready.profile) for setting in settings for history in histories]

"""Fine-tunes a local model with LoRA.

torch, transformers and peft are imported when a function here is called, never before.
"""

from __future__ import annotations

import shutil
import tempfile
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tasks.errors import UserError
from tasks.evaluation.finetune.examples import Example
from tasks.evaluation.finetune.settings import LoraSettings
from tasks.evaluation.finetune.training_loop import IGNORED, Course, Encoded, Step, Trainer
from tasks.evaluation.finetune.training_record import Training, write_record
from tasks.local_model import LOCAL, chat_tokens, load_pretrained, load_weights

_EXTRA = ("torch", "transformers", "peft")


@dataclass(frozen=True)
class Trained:
    """A finished training: adapter folder, its record, steps, cut examples."""

    adapter: Path
    record: Training
    steps: int
    cut: int


def train_lora(
    settings: LoraSettings,
    examples: Sequence[Example],
    adapter: Path,
    record: Training,
    *,
    validation: Sequence[Example] = (),
    seed: int = 0,
    most_steps: int | None = None,
    watch: Callable[[Step], None] = lambda _: None,
    wanted: Callable[[], bool] = lambda: True,
) -> Trained:
    """Teach a base model the answers of examples and save the adapter with its record.

    Only the answer's tokens are learnt. On one machine, equal settings, examples and seed give
    equal adapters up to the machine's own arithmetic, also if the training was stopped and gone on
    with. The adapter is written aside and moved into place whole.

    Args:
        settings: base model and training.
        examples: what to teach.
        adapter: folder to write.
        record: what is written beside the weights; the losses are filled in.
        validation: examples whose loss is computed after every epoch.
        seed: of the order of examples and of dropout.
        most_steps: end after so many steps.
        watch: called after every step.
        wanted: asked before every step; False stops the training at a checkpoint.

    Raises:
        TrainingStopped: it was no longer wanted.
        UserError: the extra is not installed, the base model cannot be loaded, there is no example,
            or the folder exists already.
    """
    check_extra()
    if not examples:
        raise UserError("there is no training sample to fine-tune on")
    if adapter.exists():
        raise UserError(f"{adapter} already exists: choose another folder, or remove it")
    import peft
    import torch

    torch.manual_seed(seed)
    tokenizer, base = load_base(settings)
    lora = peft.LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules=list(settings.target_modules),
        task_type="CAUSAL_LM",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # names that peft still uses of transformers
        model = peft.get_peft_model(base, lora)
    encoded = [_encode(tokenizer, settings, example) for example in examples]
    checkpoint = adapter.parent / f".{adapter.name}.checkpoint"
    try:
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        course = Trainer(
            model,
            settings,
            [tokens for tokens, _ in encoded],
            [_encode(tokenizer, settings, example)[0] for example in validation],
            seed,
            tokenizer.pad_token_id,
            checkpoint,
            most_steps,
            watch,
            wanted,
        ).run()
        told = _with_losses(record, course)
        _save(model, adapter, told)
        checkpoint.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(
            f"the adapter cannot be written to {adapter}: {error.strerror or error}"
        ) from None
    return Trained(adapter, told, course.step, sum(cut for _, cut in encoded))


def check_extra() -> None:
    """Raise UserError when what local fine-tuning needs is not installed."""
    missing = [name for name in _EXTRA if find_spec(name) is None]
    if missing:
        raise UserError(
            f"local fine-tuning needs {', '.join(missing)}: install the extra with `pip install "
            f"'.[finetune]'`"
        )


def load_base(settings: LoraSettings) -> tuple[Any, Any]:
    """Return tokenizer and base model, on a GPU where there is one.

    With `precision: auto` its weights are bfloat16 where the processor computes that.

    Raises UserError when they cannot be loaded.
    """
    from_package = settings.base_model.startswith(LOCAL)
    load = load_weights if from_package else load_pretrained
    tokenizer, model = load(settings.base_model, reduced=settings.precision == "auto")
    if settings.base_adapter:
        model = with_adapter(model, settings.base_adapter).merge_and_unload()
    return tokenizer, model


def with_adapter(model: Any, adapter: str) -> Any:
    """Return a model with an adapter, a name or a folder. Raises UserError if it has none there."""
    import peft

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return peft.PeftModel.from_pretrained(model, adapter)
    except (OSError, ValueError) as error:
        raise UserError(
            f"{adapter} is not an adapter of this model: {str(error).splitlines()[0]}"
        ) from None


def _encode(tokenizer: Any, settings: LoraSettings, example: Example) -> tuple[Encoded, bool]:
    """Return the tokens and labels of an example, and whether its question was cut in front."""
    question = chat_tokens(tokenizer, example.messages, settings.prompt)
    answer = [
        *tokenizer(example.answer, add_special_tokens=False)["input_ids"],
        tokenizer.eos_token_id,
    ][-settings.max_tokens :]
    kept = question[max(0, len(question) + len(answer) - settings.max_tokens) :]
    return ([*kept, *answer], [IGNORED] * len(kept) + answer), len(kept) < len(question)


def _with_losses(record: Training, course: Course) -> Training:
    return replace(record, losses=tuple(course.losses), validation=tuple(course.validation))


def _save(model: Any, adapter: Path, record: Training) -> None:
    """Write an adapter whole. Raises OSError."""
    aside = Path(tempfile.mkdtemp(prefix=".aside-", dir=adapter.parent))
    try:
        model.save_pretrained(aside)
        write_record(aside, record)
        aside.replace(adapter)
    finally:
        shutil.rmtree(aside, ignore_errors=True)

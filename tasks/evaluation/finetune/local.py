"""Fine-tunes a local model with LoRA.

torch, transformers and peft are imported when a function here is called, never before.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tasks.errors import UserError
from tasks.evaluation.finetune.examples import Example
from tasks.evaluation.finetune.settings import LoraSettings
from tasks.fingerprint import unit
from tasks.local_model import load_pretrained

IGNORED = -100  # the label of tokens that are not learnt
_EXTRA = ("torch", "transformers", "peft")


@dataclass(frozen=True)
class Trained:
    """A finished training: adapter folder, mean loss of each epoch, steps, cut examples."""

    adapter: Path
    losses: tuple[float, ...]
    steps: int
    cut: int


def train_lora(
    settings: LoraSettings, examples: Sequence[Example], adapter: Path, *, seed: int = 0
) -> Trained:
    """Teach a base model the answers of examples and save the adapter.

    Only the answer's tokens are learnt. On one machine, equal settings, examples and seed give
    equal adapters up to the machine's own arithmetic. The adapter is written aside and moved into
    place whole.

    Raises:
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
    model = peft.get_peft_model(base, lora)
    encoded = [_encode(tokenizer, settings, example) for example in examples]
    losses, steps = _fit(
        model, [tokens for tokens, _ in encoded], settings, seed, tokenizer.pad_token_id
    )
    _save(model, adapter)
    return Trained(adapter, tuple(losses), steps, sum(cut for _, cut in encoded))


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

    Raises UserError when they cannot be loaded.
    """
    tokenizer, model = load_pretrained(settings.base_model)
    if settings.base_adapter:
        model = with_adapter(model, settings.base_adapter).merge_and_unload()
    return tokenizer, model


def with_adapter(model: Any, adapter: str) -> Any:
    """Return a model with an adapter, a name or a folder. Raises UserError if it has none there."""
    import peft

    try:
        return peft.PeftModel.from_pretrained(model, adapter)
    except (OSError, ValueError) as error:
        raise UserError(
            f"{adapter} is not an adapter of this model: {str(error).splitlines()[0]}"
        ) from None


def _encode(
    tokenizer: Any, settings: LoraSettings, example: Example
) -> tuple[tuple[list[int], list[int]], bool]:
    """Return the (tokens, labels) of an example, and whether its question was cut in front."""
    question = tokenizer(settings.question(example.messages))["input_ids"]
    answer = [
        *tokenizer(example.answer, add_special_tokens=False)["input_ids"],
        tokenizer.eos_token_id,
    ][-settings.max_tokens :]
    kept = question[max(0, len(question) + len(answer) - settings.max_tokens) :]
    return ([*kept, *answer], [IGNORED] * len(kept) + answer), len(kept) < len(question)


def _fit(
    model: Any,
    encoded: Sequence[tuple[list[int], list[int]]],
    settings: LoraSettings,
    seed: int,
    padding: int,
) -> tuple[list[float], int]:
    import torch

    weights = [weight for weight in model.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=settings.learning_rate)
    device = next(model.parameters()).device
    losses: list[float] = []
    steps = 0
    model.train()
    for epoch in range(settings.epochs):
        order = sorted(range(len(encoded)), key=lambda place: unit(seed, "epoch", epoch, place))
        batches = [
            order[start : start + settings.batch] for start in range(0, len(order), settings.batch)
        ]
        seen = []
        for number, places in enumerate(batches, 1):
            batch = {
                name: tensor.to(device)
                for name, tensor in _padded([encoded[place] for place in places], padding).items()
            }
            loss = model(**batch).loss
            (loss / settings.accumulate).backward()
            seen.append(float(loss.detach()))
            if number % settings.accumulate == 0 or number == len(batches):
                torch.nn.utils.clip_grad_norm_(weights, 1.0)
                optimizer.step()
                optimizer.zero_grad()
                steps += 1
        losses.append(sum(seen) / len(seen))
    model.eval()
    return losses, steps


def _padded(batch: Sequence[tuple[list[int], list[int]]], padding: int) -> dict[str, Any]:
    import torch

    longest = max(len(tokens) for tokens, _ in batch)

    def _fill(rows: Iterator[list[int]], with_: int) -> Any:
        return torch.tensor([row + [with_] * (longest - len(row)) for row in rows])

    return {
        "input_ids": _fill((tokens for tokens, _ in batch), padding),
        "labels": _fill((labels for _, labels in batch), IGNORED),
        "attention_mask": _fill(([1] * len(tokens) for tokens, _ in batch), 0),
    }


def _save(model: Any, adapter: Path) -> None:
    try:
        adapter.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=".aside-", dir=adapter.parent))
        try:
            model.save_pretrained(aside)
            aside.replace(adapter)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    except OSError as error:
        raise UserError(
            f"the adapter cannot be written to {adapter}: {error.strerror or error}"
        ) from None

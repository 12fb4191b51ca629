"""A local model behind the same `Ask` as any other, so the benchmark has one code path."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from tasks.errors import UserError
from tasks.evaluation.finetune.local import check_extra, load_base
from tasks.evaluation.finetune.settings import LoraSettings
from tasks.fingerprint import fingerprint, folder_hash
from tasks.llm import Answer, Message, Request


class LocalModel:
    """Answers with a local model, greedily (temperature 0, 4.2.1), one question at a time.

    Nothing leaves the machine and nothing is paid.

    The model is loaded at the first question, so that a repeated evaluation, whose answers are in
    the store, needs none.
    """

    def __init__(self, settings: LoraSettings, adapter: Path | None = None) -> None:
        """Take a base model and, if given, a trained adapter.

        Raises UserError when there is no such adapter.
        """
        if adapter is not None and not (adapter / "adapter_config.json").is_file():
            raise UserError(
                f"{adapter} is no trained adapter: make one with `redial evaluate finetune`"
            )
        self._settings, self._adapter = settings, adapter
        self.model = f"local/{settings.name}" + (f"+{adapter.name}" if adapter else "")
        self._turn = asyncio.Lock()

    def request(
        self,
        messages: tuple[Message, ...],
        response_format: Mapping[str, Any] | None = None,
        attempt: int = 1,
    ) -> Request:
        """Return the request for a question to this model: its settings and adapter content."""
        return Request(
            self._identity, messages, None, {"temperature": 0.0}, response_format, attempt
        )

    async def __call__(
        self,
        messages: tuple[Message, ...],
        *,
        response_format: Mapping[str, Any] | None = None,
        attempt: int = 1,
    ) -> Answer:
        """Return the model's answer to messages. Raises UserError when it cannot be loaded."""
        request = self.request(messages, response_format, attempt)
        async with self._turn:
            started = time.monotonic()
            text, asked, answered, ended = await asyncio.to_thread(
                self._generate, self._settings.question(messages)
            )
        now = datetime.now(UTC).isoformat()
        finish = "stop" if ended else "length"
        return Answer(
            request.key,
            text,
            finish,
            asked,
            answered,
            0.0,
            time.monotonic() - started,
            self.model,
            None,
            self.model,
            "",
            0,
            now,
        )

    @cached_property
    def _identity(self) -> str:
        content = folder_hash(self._adapter, "adapter_*") if self._adapter else None
        return f"{self.model}#{fingerprint([self._settings.model_dump(), content])}"

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        """The tokenizer and the model, ready to answer."""
        check_extra()
        import peft

        tokenizer, model = load_base(self._settings)
        if self._adapter is not None:
            try:
                model = peft.PeftModel.from_pretrained(model, str(self._adapter))
            except (OSError, ValueError) as error:
                raise UserError(
                    f"{self._adapter} is not an adapter of {self._settings.base_model}: "
                    f"{str(error).splitlines()[0]}"
                ) from None
        model.eval()
        return tokenizer, model

    def _generate(self, question: str) -> tuple[str, int, int, bool]:
        tokenizer, model = self._loaded
        import torch

        tokens = tokenizer(question)["input_ids"][-self._settings.max_tokens :]
        given = torch.tensor([tokens], device=next(model.parameters()).device)
        with torch.no_grad():
            found = model.generate(
                input_ids=given,
                attention_mask=torch.ones_like(given),
                do_sample=False,
                max_new_tokens=self._settings.answer_tokens,
                pad_token_id=tokenizer.pad_token_id,
                eos_token_id=tokenizer.eos_token_id,
            )[0, given.shape[1] :].tolist()
        ended = bool(found) and found[-1] == tokenizer.eos_token_id
        return tokenizer.decode(found, skip_special_tokens=True), len(tokens), len(found), ended

"""A local model behind the same `Ask` as any other, so that it goes through the benchmark's one path."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tasks.errors import UserError
from tasks.evaluation.finetune.local import check_extra, load_base
from tasks.evaluation.finetune.settings import LoraSettings
from tasks.llm.values import Answer, Message, Request


class LocalAsk:
    """Answers with a local model, greedily (temperature 0, 4.2.1), one question at a time; nothing leaves the machine, nothing is paid."""

    def __init__(self, settings: LoraSettings, adapter: Path | None = None) -> None:
        """Load the base model and, if given, a trained adapter. Raises UserError when either cannot be loaded."""
        check_extra()
        import peft

        self._settings = settings
        self._tokenizer, self._model = load_base(settings)
        self.model = f"local/{settings.name}" + (f"+{adapter.name}" if adapter else "")
        if adapter is not None:
            try:
                self._model = peft.PeftModel.from_pretrained(self._model, str(adapter))
            except (OSError, ValueError) as error:
                raise UserError(f"{adapter} is not an adapter of {settings.base_model}: {str(error).splitlines()[0]}") from None
        self._model.eval()
        self._turn = asyncio.Lock()

    async def __call__(
        self, messages: tuple[Message, ...], *, response_format: Mapping[str, Any] | None = None, attempt: int = 1
    ) -> Answer:
        """Return the model's answer to messages."""
        request = Request(self.model, messages, None, {"temperature": 0.0}, response_format, attempt)
        async with self._turn:
            started = time.monotonic()
            text, asked, said, ended = await asyncio.to_thread(self._generate, self._settings.question(messages))
        now = datetime.now(UTC).isoformat()
        finish = "stop" if ended else "length"
        return Answer(request.key, text, finish, asked, said, 0.0, time.monotonic() - started, self.model, None, self.model, "", 0, now)

    def _generate(self, question: str) -> tuple[str, int, int, bool]:
        import torch

        room = self._settings.max_tokens
        tokens = self._tokenizer(question)["input_ids"][-room:]
        given = torch.tensor([tokens], device=next(self._model.parameters()).device)
        with torch.no_grad():
            found = self._model.generate(
                input_ids=given,
                attention_mask=torch.ones_like(given),
                do_sample=False,
                max_new_tokens=self._settings.answer_tokens,
                pad_token_id=self._tokenizer.pad_token_id,
                eos_token_id=self._tokenizer.eos_token_id,
            )[0, given.shape[1] :].tolist()
        ended = bool(found) and found[-1] == self._tokenizer.eos_token_id
        return self._tokenizer.decode(found, skip_special_tokens=True), len(tokens), len(found), ended

"""A local model behind the same `Ask` as any other, so the benchmark has one code path."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from tasks.errors import UserError
from tasks.evaluation.finetune.local import check_extra, load_base, with_adapter
from tasks.evaluation.finetune.settings import LoraSettings
from tasks.fingerprint import fingerprint, folder_hash
from tasks.llm import Answer, Message, Request
from tasks.local_model import (
    Batcher,
    Sampling,
    TitleGrammar,
    TitleTokens,
    chat_tokens,
    mean_log_probabilities,
)
from tasks.local_model import LocalModel as ChatModel

_MOST_LIST_TOKENS = 4096  # of a list that only titles can be in


class LocalModel:
    """Answers with a local model, greedily (temperature 0, 4.2.1), in batches.

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
        self.cut = 0  # questions whose beginning was cut, because they were too long
        self._ranking = asyncio.Lock()  # one question at a time has both cores
        self._tokens: dict[str, list[int]] = {}  # of texts that are ranked for every question
        self.model = f"local/{settings.name}" + (f"+{adapter.name}" if adapter else "")
        self._batcher = Batcher(self.model, opened=lambda _: self._loaded)

    def request(
        self,
        messages: tuple[Message, ...],
        response_format: Mapping[str, Any] | None = None,
        attempt: int = 1,
    ) -> Request:
        """Return the request for a question to this model: its settings and adapter content."""
        schema = None if self._schema(response_format) is None else response_format
        return Request(self._identity, messages, None, {"temperature": 0.0}, schema, attempt)

    async def __call__(
        self,
        messages: tuple[Message, ...],
        *,
        response_format: Mapping[str, Any] | None = None,
        attempt: int = 1,
    ) -> Answer:
        """Return the model's answer to messages. Raises UserError when it cannot be loaded."""
        request = self.request(messages, response_format, attempt)
        started = time.monotonic()
        sampling = Sampling(max_tokens=self._settings.answer_tokens)
        written = await self._batcher.write(
            messages, self._schema(response_format), sampling, order=request.key, seed=0
        )
        counts = (written.prompt_tokens, written.completion_tokens)
        answer = self._answer(request.key, written.text, *counts, started)
        return replace(answer, finish_reason="length") if written.cut_off else answer

    def list_request(
        self, messages: tuple[Message, ...], titles: Sequence[str], most: int
    ) -> Request:
        """Return the request for a list of some titles."""
        wanted = {"type": "titles", "titles": fingerprint(list(titles)), "most": most}
        return Request(self._identity, messages, None, {"temperature": 0.0}, wanted)

    async def write_list(
        self, messages: tuple[Message, ...], titles: Sequence[str], *, most: int
    ) -> Answer:
        """Return a JSON list of at most `most` of the titles, none twice, decoded token by token.

        Raises UserError when the model cannot be loaded.
        """
        request = self.list_request(messages, titles, most)
        started = time.monotonic()

        def constraint(model: ChatModel) -> TitleGrammar:
            return TitleGrammar(self._title_tokens(model, tuple(titles)), most)

        sampling = Sampling(max_tokens=_MOST_LIST_TOKENS)
        written = await self._batcher.write(
            messages, None, sampling, order=request.key, seed=0, constraint=constraint
        )
        counts = (written.prompt_tokens, written.completion_tokens)
        return self._answer(request.key, written.text, *counts, started)

    def _title_tokens(self, model: ChatModel, titles: tuple[str, ...]) -> TitleTokens:
        def tokens_of(text: str) -> list[int]:
            return self._tokens_of(model, text)

        return TitleTokens(titles, tokens_of, model.model.config.vocab_size)

    def _tokens_of(self, model: ChatModel, text: str) -> list[int]:
        """Return the tokens of a text that is asked about again."""
        if text not in self._tokens:
            self._tokens[text] = model.tokenizer(text, add_special_tokens=False)["input_ids"]
        return self._tokens[text]

    def _schema(self, response_format: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        """Return the schema that an answer is decoded under.

        None for a model that was taught its own form, and where the grammar engine is missing.
        """
        if response_format is None or self._adapter is not None or find_spec("llguidance") is None:
            return None
        schema: Mapping[str, Any] = response_format["json_schema"]["schema"]
        return schema

    def ranking_request(self, messages: tuple[Message, ...], texts: Sequence[str]) -> Request:
        """Return the request for the likelihoods of texts as answers to a question."""
        wanted = {"type": "likelihood", "texts": fingerprint(list(texts))}
        return Request(self._identity, messages, None, {}, wanted)

    async def rank(
        self, messages: tuple[Message, ...], texts: Sequence[str], *, most: int
    ) -> Answer:
        """Return the likeliest beginnings of an answer among some texts, as JSON.

        The answer is a list of the best `most` places in `texts`, each with its mean
        log-probability. Raises UserError when the model cannot be loaded.
        """
        started = time.monotonic()
        async with self._ranking:
            stopping = threading.Event()
            try:
                best, tokens = await asyncio.to_thread(
                    self._rank, messages, texts, most, lambda: not stopping.is_set()
                )
            finally:
                stopping.set()
        return self._answer(
            self.ranking_request(messages, texts).key, json.dumps(best), tokens, 0, started
        )

    def _rank(
        self,
        messages: tuple[Message, ...],
        texts: Sequence[str],
        most: int,
        wanted: Callable[[], bool],
    ) -> tuple[list[tuple[int, float]], int]:
        model = self._loaded
        question = model.question(messages)
        given = [self._tokens_of(model, text) for text in texts]
        scores = mean_log_probabilities(model.model, question, given, wanted=wanted)
        best = np.argsort(-scores, kind="stable")[:most].tolist()
        return [(place, round(float(scores[place]), 6)) for place in best], len(question)

    def _answer(self, key: str, text: str, asked: int, written: int, started: float) -> Answer:
        now = datetime.now(UTC).isoformat()
        took = time.monotonic() - started
        return Answer(
            key, text, "stop", asked, written, 0.0, took, self.model, None, self.model, "", 0, now
        )

    @cached_property
    def _identity(self) -> str:
        content = folder_hash(self._adapter, "adapter_*") if self._adapter else None
        return f"{self.model}#{fingerprint([self._settings.model_dump(), content])}"

    @cached_property
    def _loaded(self) -> ChatModel:
        """The model, ready to answer."""
        check_extra()
        tokenizer, model = load_base(self._settings)
        if self._adapter is not None:
            model = with_adapter(model, str(self._adapter))
        model.eval()
        return ChatModel(self.model, tokenizer, model, partial(self._question, tokenizer))

    def _question(self, tokenizer: Any, messages: Sequence[Message]) -> list[int]:
        """Return the tokens of messages, of which the beginning is cut where they are too many."""
        tokens = chat_tokens(tokenizer, messages, self._settings.prompt)
        self.cut += len(tokens) > self._settings.max_tokens
        return tokens[-self._settings.max_tokens :]

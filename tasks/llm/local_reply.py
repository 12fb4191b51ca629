"""Asks a model that runs in this process, `local/...`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tasks.llm.provider_reply import Reply
from tasks.llm.values import Request
from tasks.local_model import Batcher, Sampling
from tasks.storable_text import valid_text

_TEMPERATURE, _TOP_P, _MAX_TOKENS = 0.7, 0.95, 2048  # where the settings leave them to the model
_ANY_OBJECT = {"schema": {"type": "object"}}  # of `json_object`
_REPETITION = 1.15  # a model of this size says a word again and again otherwise


class LocalClient:
    """Sends requests to one local model; those in flight together are decoded together."""

    def __init__(self, model: str) -> None:
        """Take a model string, as in `local/smollm2`."""
        self._batcher = Batcher(model)

    async def complete(self, request: Request) -> Reply:
        """Return the model's reply, free of charge.

        Its draws depend on the whole request, so that a second attempt gets other ones.
        Raises UserError when the model cannot be loaded or the schema makes no grammar.
        """
        key = request.key
        written = await self._batcher.write(
            request.messages,
            _schema(request.response_format),
            _sampling(request.sampling),
            order=key,
            seed=int(key[:16], 16),
        )
        return Reply(
            text=valid_text(written.text),
            finish_reason="length" if written.cut_off else "stop",
            prompt_tokens=written.prompt_tokens,
            completion_tokens=written.completion_tokens,
            model=written.model,
            provider_id=f"local-{key[:24]}",
            cost_usd=0.0,
        )


def _schema(response_format: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    if response_format is None:
        return None
    named: Mapping[str, Any] = response_format.get("json_schema", _ANY_OBJECT)
    schema: Mapping[str, Any] = named["schema"]
    return schema


def _sampling(settings: Mapping[str, Any]) -> Sampling:
    return Sampling(
        float(settings.get("temperature", _TEMPERATURE)),
        float(settings.get("top_p", _TOP_P)),
        int(settings.get("max_tokens", _MAX_TOKENS)),
        _REPETITION,
    )

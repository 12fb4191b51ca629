"""The mock model as a litellm custom provider. Importing this module imports litellm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import litellm
from litellm.llms.custom_llm import CustomLLM

from tasks.fingerprint import content_id
from tasks.mock_model.registration import RETURNED, count_tokens_offline
from tasks.mock_model.writer import write


class OfflineLLM(CustomLLM):
    """Answers chat completions with `tasks.mock_model.write`.

    `seed` and `misbehave` (a mapping from kind to rate) come in litellm's `optional_params`;
    everything else of a request
    that has no meaning for a realiser, such as temperature, is passed over.
    """

    def completion(self, *args: Any, **kwargs: Any) -> Any:
        """Answer one request."""
        return answer(
            kwargs["messages"], kwargs.get("optional_params") or {}, kwargs["model_response"]
        )

    async def acompletion(self, *args: Any, **kwargs: Any) -> Any:
        """Answer one request; no waiting is involved."""
        return self.completion(*args, **kwargs)


def answer(
    messages: Sequence[Mapping[str, Any]], optional_params: Mapping[str, Any], response: Any
) -> Any:
    """Fill a litellm response: text, finish reason and usage by `count_tokens_offline`."""
    words = [
        {"role": str(message["role"]), "content": str(message.get("content") or "")}
        for message in messages
    ]
    written = write(
        words, seed=optional_params.get("seed"), misbehave=optional_params.get("misbehave") or {}
    )
    choice = response.choices[0]
    choice.message.content = written.text
    choice.message.role = "assistant"
    choice.finish_reason = written.finish_reason
    response.model = RETURNED
    response.id = f"offline-{content_id([words, written.text])}"
    read = sum(count_tokens_offline(message["content"]) for message in words)
    written_tokens = count_tokens_offline(written.text)
    response.usage = litellm.Usage(
        prompt_tokens=read, completion_tokens=written_tokens, total_tokens=read + written_tokens
    )
    return response

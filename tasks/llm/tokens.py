"""Counts tokens as litellm does for a model, without a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tasks.llm.client import load_litellm
from tasks.llm.requests import OFFLINE
from tasks.llm.values import Message

_OPENAI = ("openai", "azure")


@dataclass(frozen=True)
class TokenCounter:
    """Counts the tokens of one model.

    A general tokenizer stands in for one that would have to be downloaded.
    """

    model: str
    litellm: Any = None

    @classmethod
    def of(cls, model: str) -> TokenCounter:
        """Return a model's counter; imports litellm unless it is the mock model's."""
        if model.startswith(OFFLINE):
            return cls(model)
        litellm = load_litellm()
        litellm.disable_hf_tokenizer_download = True
        return cls(_named_to_litellm(model), litellm)

    def messages(self, messages: Sequence[Message]) -> int:
        """Return the input tokens of a request."""
        if self.litellm is None:
            return sum(self.text(message["content"]) for message in messages)
        return int(
            self.litellm.token_counter(
                model=self.model, messages=[dict(message) for message in messages]
            )
        )

    def text(self, text: str) -> int:
        """Return the tokens of a text."""
        from tasks.mock_model import count_tokens_offline

        if self.litellm is None:
            return count_tokens_offline(text)
        return int(self.litellm.token_counter(model=self.model, text=text)) if text else 0


def _named_to_litellm(model: str) -> str:
    """Return the name by which litellm finds a model's tokenizer.

    It knows those of OpenAI by their bare names alone, and takes an older tokenizer for
    `openai/gpt-4o`, which counts German a third too high. Both are bundled.
    """
    import tiktoken

    provider, _, name = model.partition("/")
    if provider not in _OPENAI:
        return model
    try:
        tiktoken.encoding_name_for_model(name)
    except KeyError:  # a model of one's own behind an OpenAI-compatible server
        return model
    return name

"""Parts of a reply's tokens that may have a price of their own.

They are read from a cache, written to one, or spent on reasoning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# Where providers put them, the first known one counts: OpenAI and litellm, Anthropic, DeepSeek.
_CACHED = (
    ("prompt_tokens_details", "cached_tokens"),
    ("cache_read_input_tokens",),
    ("prompt_cache_hit_tokens",),
)
_CACHE_WRITE = (
    ("prompt_tokens_details", "cache_creation_tokens"),
    ("cache_creation_input_tokens",),
)
_REASONING = (("completion_tokens_details", "reasoning_tokens"), ("reasoning_tokens",))


@dataclass(frozen=True)
class TokenDetails:
    """Tokens that are part of the prompt (`cached`, `cache_write`) and of the answer (`reasoning`).

    They are 0 where the provider does not say.
    """

    cached: int = 0
    cache_write: int = 0
    reasoning: int = 0

    def within(self, prompt_tokens: int, completion_tokens: int) -> TokenDetails:
        """Return the parts that can be true of these counts; others are 0."""
        fits_prompt = self.cached + self.cache_write <= prompt_tokens
        return TokenDetails(
            self.cached if fits_prompt else 0,
            self.cache_write if fits_prompt else 0,
            self.reasoning if self.reasoning <= completion_tokens else 0,
        )


NO_DETAILS = TokenDetails()


def token_details(usage: Any) -> TokenDetails:
    """Return the details in a reply's usage block, of litellm or as JSON; whatever it holds."""
    cached, cache_write = _first(usage, _CACHED), _first(usage, _CACHE_WRITE)
    return TokenDetails(cached, cache_write, _first(usage, _REASONING))


def _first(usage: Any, paths: tuple[tuple[str, ...], ...]) -> int:
    for path in paths:
        value = usage
        for name in path:
            value = value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
    return 0

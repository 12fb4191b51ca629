"""Keys and values of earlier tokens, in memory that grows by blocks.

transformers' own cache copies all of it for every token, or is as large from the start as it may
become. Imported where a model runs, because it imports torch and transformers.
"""

from __future__ import annotations

from typing import Any

import torch
from transformers.cache_utils import Cache, DynamicLayer

_BLOCK = 256  # tokens


# Without the extra its base is unknown to mypy, and with it untyped.
class _GrowingLayer(DynamicLayer):  # type: ignore[no-untyped-call, misc, unused-ignore]
    """One layer of the model; its first `_length` positions are in use."""

    keys: torch.Tensor
    values: torch.Tensor

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call, unused-ignore]
        self._length = 0

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append keys and values (batch, heads, tokens, size) and return all of them."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
            self.keys, self.values = key_states[:, :, :0], value_states[:, :, :0]
        start, self._length = self._length, self._length + key_states.shape[-2]
        if self._length > self.keys.shape[-2]:
            self.keys = _grown(self.keys, start, self._length)
            self.values = _grown(self.values, start, self._length)
        self.keys[:, :, start : self._length] = key_states
        self.values[:, :, start : self._length] = value_states
        return self.keys[:, :, : self._length], self.values[:, :, : self._length]

    def get_seq_length(self) -> int:
        """Return the number of tokens in use."""
        return self._length


def _grown(states: torch.Tensor, used: int, needed: int) -> torch.Tensor:
    batch, heads, _, size = states.shape
    room = (needed + _BLOCK - 1) // _BLOCK * _BLOCK
    grown = torch.zeros((batch, heads, room, size), dtype=states.dtype, device=states.device)
    grown[:, :, :used] = states[:, :, :used]
    return grown


def growing_cache(layers: int) -> Any:
    """Return an empty cache for a model with so many layers."""
    return Cache(layers=[_GrowingLayer() for _ in range(layers)])

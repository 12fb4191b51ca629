"""What a model costs: the settings' own prices, else litellm's local price map, else unknown. Never a guess."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tasks.llm.requests import OFFLINE
from tasks.settings import Generate


@dataclass(frozen=True)
class Price:
    """US dollars per token of input and output; `source` is "settings", "litellm" or "free" (the embedded writer)."""

    input: float
    output: float
    source: str

    def of(self, prompt_tokens: float, completion_tokens: float) -> float:
        """Return the dollars of so many tokens."""
        return self.input * prompt_tokens + self.output * completion_tokens


def find_price(generate: Generate, price_map: Mapping[str, Mapping[str, Any]], *, batch: bool = False) -> Price | None:
    """Return a model's price, or None when neither the settings nor the map know it.

    Args:
        generate: names the model and may override its prices; both must be given to count.
        price_map: litellm's `model_cost`.
        batch: take the map's batch prices where it has them.
    """
    if generate.input_cost_per_token is not None and generate.output_cost_per_token is not None:
        return Price(generate.input_cost_per_token, generate.output_cost_per_token, "settings")
    if generate.model.startswith(OFFLINE):
        return Price(0.0, 0.0, "free")
    entry = _entry(generate.model, price_map)
    if entry is None:
        return None
    suffix = "_batches" if batch and "input_cost_per_token_batches" in entry else ""
    prices = entry.get(f"input_cost_per_token{suffix}"), entry.get(f"output_cost_per_token{suffix}")
    if prices[0] is None or prices[1] is None:
        return None
    return Price(float(prices[0]), float(prices[1]), "litellm")


def _entry(model: str, price_map: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Find a model under its whole name, or under its bare name if the map's provider is the one asked."""
    if model in price_map:
        return price_map[model]
    provider, _, name = model.partition("/")
    entry = price_map.get(name)
    return entry if entry is not None and entry.get("litellm_provider") == provider else None

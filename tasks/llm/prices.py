"""What a model costs: the settings' own prices, else litellm's local price map, else unknown."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.llm.model_catalogue import find_entry
from tasks.llm.requests import OFFLINE
from tasks.local_model import LOCAL
from tasks.settings import Generate


@dataclass(frozen=True)
class Price:
    """US dollars per token of input and output.

    `source` is "settings", "litellm" or "free" (the mock model and local ones).
    """

    input: float
    output: float
    source: str

    def of(self, prompt_tokens: float, completion_tokens: float) -> float:
        """Return the dollars of so many tokens."""
        return self.input * prompt_tokens + self.output * completion_tokens


def find_price(generate: Generate, *, batch: bool = False) -> Price | None:
    """Return a model's price, or None when neither the settings nor the map have it.

    Args:
        generate: names the model; overrides the map when both of its prices are set.
        batch: take the map's batch prices where it has them.
    """
    if generate.input_cost_per_token is not None and generate.output_cost_per_token is not None:
        return Price(generate.input_cost_per_token, generate.output_cost_per_token, "settings")
    if generate.model.startswith((OFFLINE, LOCAL)):
        return Price(0.0, 0.0, "free")
    entry = find_entry(generate.model) or {}
    suffix = "_batches" if batch and "input_cost_per_token_batches" in entry else ""
    prices = entry.get(f"input_cost_per_token{suffix}"), entry.get(f"output_cost_per_token{suffix}")
    if prices[0] is None or prices[1] is None:
        return None
    return Price(float(prices[0]), float(prices[1]), "litellm")

"""What a model costs: the settings' own prices, else litellm's local price map, else unknown."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from tasks.errors import UserError
from tasks.llm.model_catalogue import find_entry
from tasks.llm.requests import IN_PROCESS
from tasks.llm.token_details import NO_DETAILS, TokenDetails
from tasks.settings import Generate


@dataclass(frozen=True)
class Price:
    """US dollars per token of input and output.

    `source` is "settings", "litellm" or "free" (the mock model and local ones). `cached` and
    `cache_write` are of input that is read from a cache and written to one; None where they are
    unknown.
    """

    input: float
    output: float
    source: str
    cached: float | None = None
    cache_write: float | None = None

    def of(
        self, prompt_tokens: float, completion_tokens: float, details: TokenDetails = NO_DETAILS
    ) -> float:
        """Return the dollars of so many tokens, those in `details` among them.

        Cached tokens of unknown price cost as much as others, which is an upper bound.
        """
        plain = self.input * prompt_tokens + self.output * completion_tokens
        cached = self.input if self.cached is None else self.cached
        cache_write = self.input if self.cache_write is None else self.cache_write
        discount = details.cached * (self.input - cached)
        return plain - discount + details.cache_write * (cache_write - self.input)

    def is_upper_bound(self, details: TokenDetails) -> bool:
        """Return True if some tokens are probably cheaper than they are billed."""
        return details.cached > 0 and self.cached is None and self.input > 0


def find_price(generate: Generate, *, batch: bool = False) -> Price | None:
    """Return a model's price, or None when neither the settings nor the map have it.

    Args:
        generate: names the model; overrides the map when both of its prices are set.
        batch: take the map's batch prices where it has them.
    """
    if generate.input_cost_per_token is not None and generate.output_cost_per_token is not None:
        return Price(generate.input_cost_per_token, generate.output_cost_per_token, "settings")
    if generate.model.startswith(IN_PROCESS):
        return Price(0.0, 0.0, "free")
    entry = find_entry(generate.model) or {}
    suffix = "_batches" if batch and "input_cost_per_token_batches" in entry else ""
    prices = entry.get(f"input_cost_per_token{suffix}"), entry.get(f"output_cost_per_token{suffix}")
    if prices[0] is None or prices[1] is None:
        return None
    cached, cache_write = (
        _known(entry.get(f"{kind}_input_token_cost{suffix}"))
        for kind in ("cache_read", "cache_creation")
    )
    return Price(float(prices[0]), float(prices[1]), "litellm", cached, cache_write)


_TIERED = "_above_"  # in the name of a price for prompts over so many tokens
_PRICES = ("input_cost_per_token", "output_cost_per_token", "cache_read_input_token_cost")


@lru_cache(maxsize=256)
def has_one_price(model: str, returned: str) -> bool:
    """Return True if the model's price per token is the price of an answer by `returned`, always.

    Both are names in litellm's map. It is not where a version has a price of its own, as some of
    gpt-4o's have, or where long prompts cost more.
    """
    entry = find_entry(model)
    other = find_entry(f"{model.partition('/')[0]}/{returned}") or entry
    if entry is None or other is None or any(_TIERED in name for name in (*entry, *other)):
        return False
    return all(entry.get(name) == other.get(name) for name in _PRICES)


def is_known_model(model: str) -> bool:
    """Return True for a model of the price map, and for one that runs in this process."""
    return model.startswith(IN_PROCESS) or find_entry(model) is not None


def _known(price: Any) -> float | None:
    return None if price is None else float(price)


def require_price(generate: Generate, price: Price | None, budget_usd: float | None) -> None:
    """Raise UserError for a budget on a model whose price is unknown."""
    if budget_usd is None or price is not None:
        return
    batch = "batch " if generate.mode == "batch" else ""
    raise UserError(
        f"the {batch}price of {generate.model!r} is unknown, so a budget cannot be kept: "
        "set generate.input_cost_per_token and generate.output_cost_per_token, "
        "or leave the budget out"
    )

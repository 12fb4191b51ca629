"""What a provider takes for input tokens that its prompt cache holds, by litellm's price map."""

from __future__ import annotations

from tasks.llm.model_catalogue import find_entry
from tasks.llm.requests import OFFLINE
from tasks.settings import Generate


def prompt_cache_terms(generate: Generate) -> str:
    """Return the discount on cached input tokens in words.

    From which length on a provider caches is not in the map. Providers that charge for writing to
    the cache (Anthropic) cache what a request marks for it, and these requests mark nothing.
    """
    if generate.model.startswith(OFFLINE):
        return "none: the mock model is free"
    entry = find_entry(generate.model) or {}
    full = entry.get("input_cost_per_token")
    read, write = (entry.get(f"cache_{what}_input_token_cost") for what in ("read", "creation"))
    if not full or read is None:
        return "no discount in litellm's price map"
    terms = f"input tokens read from the cache cost {read / full:.0%} of the price"
    if write and write > full:
        terms += "; only for prompts marked for it, which these are not"
    return terms

"""Checks the parameters that a domain file passes to the provider as they are."""

from __future__ import annotations

import json
import re
from typing import Any

MOST_PARAMETERS = 32
MOST_CHARACTERS = 4_000  # of all of them as JSON
MOST_LEVELS = 5
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_OWN_SETTINGS = {
    "temperature": "generate.temperature",
    "top_p": "generate.top_p",
    "max_tokens": "generate.max_tokens",
    "seed": "generate.seed",
    "model": "generate.model",
    "response_format": "generate.structured_output",
}
# They are part of how requests are made and answers are read.
_NOT_TAKEN = re.compile(
    r"messages|stream\w*|n|\w*timeout|client|(?:extra_)?headers|(?:num|max)_retries|model_list"
    r"|custom_llm_provider|tools?|tool_choice|functions?|function_call|logger_fn|hooks|callbacks"
    r"|cache|caching|verbose|cooldown_time|\w+_cost_per_token|mock_model|misbehave"
)
# litellm's own, which choose where a request goes, with which key, or whether it is sent at all.
_ROUTING = re.compile(
    r"^(?:api|base|aws|azure|vertex|mock|litellm|watsonx|deployment)_|_(?:url|token|base)$"
    r"|proxy|proxies|fallback|credential|secret|password|endpoint|api_?key",
    re.IGNORECASE,
)


def check_extra(extra: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters.

    Raises ValueError if they are too many or too large, are no plain values, or would replace what
    belongs to another setting or decides where a request goes.
    """
    if len(extra) > MOST_PARAMETERS:
        raise ValueError(f"must be at most {MOST_PARAMETERS} parameters")
    _check_plain(extra, MOST_LEVELS)
    if len(json.dumps(extra, allow_nan=False)) > MOST_CHARACTERS:
        raise ValueError(f"must be at most {MOST_CHARACTERS:,} characters of JSON")
    body = extra.get("extra_body")
    for name in (*extra, *(body if isinstance(body, dict) else ())):
        _check_name(name)
    return extra


def _check_name(name: str) -> None:
    if name in _OWN_SETTINGS:
        raise ValueError(f"cannot hold `{name}`: set {_OWN_SETTINGS[name]}")
    if not _NAME.fullmatch(name) or _NOT_TAKEN.fullmatch(name) or _ROUTING.search(name):
        raise ValueError(
            f"cannot hold {name[:64]!r}: it takes parameters of the model, such as num_ctx or "
            "reasoning_effort"
        )


def _check_plain(value: Any, levels: int) -> None:
    """Raise ValueError on anything but texts, numbers, truth values, null, lists and mappings."""
    if isinstance(value, str | bool | int | float) or value is None:
        return
    if not isinstance(value, dict | list | tuple) or not levels:
        raise ValueError(
            "must hold plain values: text, numbers, true, false, null, lists and mappings, "
            f"at most {MOST_LEVELS} levels deep"
        )
    if isinstance(value, dict) and not all(isinstance(name, str) for name in value):
        raise ValueError("must have text as names")
    for below in value.values() if isinstance(value, dict) else value:
        _check_plain(below, levels - 1)

"""`generate.extra` passes plain parameters on, and nothing that belongs to another setting."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tasks.llm import make_request
from tasks.settings import Generate

MESSAGES = ({"role": "user", "content": "u"},)


@pytest.mark.parametrize(
    "extra",
    [
        {"num_ctx": 8192, "think": False},
        {"reasoning_effort": "low", "service_tier": "flex"},
        {"max_completion_tokens": 4096},
        {"stop": ["\n\n"], "logit_bias": {"50256": -100}},
        {"extra_body": {"chat_template_kwargs": {"enable_thinking": False}}},
    ],
)
def test_parameters_of_models_are_taken(extra: dict[str, Any]) -> None:
    generate = Generate(model="openai/x", extra=extra)
    assert extra.items() <= make_request(generate, MESSAGES).sampling.items()
    mock = Generate(extra=extra)
    assert make_request(mock, MESSAGES).key == make_request(Generate(), MESSAGES).key


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ({"temperature": 1}, "generate.temperature"),
        ({"response_format": {}}, "generate.structured_output"),
        ({"messages": []}, "cannot hold"),
        ({"api_key": "x"}, "cannot hold"),
        ({"api_base": "http://elsewhere"}, "cannot hold"),
        ({"base_url": "http://elsewhere"}, "cannot hold"),
        ({"azure_ad_token": "x"}, "cannot hold"),
        ({"aws_secret_access_key": "x"}, "cannot hold"),
        ({"mock_response": "x"}, "cannot hold"),
        ({"fallbacks": []}, "cannot hold"),
        ({"use_litellm_proxy": True}, "cannot hold"),
        ({"extra_headers": {}}, "cannot hold"),
        ({"stream": True}, "cannot hold"),
        ({"tools": []}, "cannot hold"),
        ({"n": 2}, "cannot hold"),
        ({"extra_body": {"messages": []}}, "cannot hold"),
        ({"a b": 1}, "cannot hold"),
        ({"x": {1: 2}}, "text as names"),
        ({"x": object()}, "plain values"),
        ({"x": [[[[[1]]]]]}, "levels deep"),
        ({"x": "y" * 5_000}, "characters of JSON"),
        ({"x": float("nan")}, "not JSON compliant"),
        ({f"x{n}": n for n in range(40)}, "at most 32"),
    ],
)
def test_what_is_not_the_models_is_refused(extra: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Generate(model="openai/x", extra=extra)


def test_off_needs_no_quotes_in_yaml() -> None:
    assert Generate.model_validate({"structured_output": False}).structured_output == "off"

"""`generate.models`: how a cascade is written, and which settings each attempt has."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tasks.settings import Generate, Misbehave

OWN = {"model": "hosted_vllm/b", "api_base": "http://127.0.0.1:8000/v1", "input_cost_per_token": 1}


def test_each_attempt_asks_the_next_model_and_the_last_one_asks_on() -> None:
    generate = Generate(models=["openai/a", OWN, "openai/c"], temperature=0.1)
    asked = [generate.at_attempt(number) for number in (1, 2, 3, 4)]
    assert [one.model for one in asked] == ["openai/a", "hosted_vllm/b", "openai/c", "openai/c"]
    assert [one.api_base for one in asked] == [None, OWN["api_base"], None, None]
    assert asked[1].input_cost_per_token == 1 and asked[2].input_cost_per_token is None
    assert {one.temperature for one in asked} == {0.1} and not any(one.models for one in asked)
    assert generate.model == "openai/a"
    assert generate.named_models == "openai/a, then hosted_vllm/b, then openai/c"
    assert Generate.model_validate(generate.model_dump(mode="json")) == generate


def test_without_a_cascade_every_attempt_has_the_settings_as_they_are() -> None:
    generate = Generate(model="openai/a")
    assert generate.at_attempt(3) is generate and generate.each_model() == (generate,)


def test_a_mock_model_misbehaves_as_its_entry_says_or_else_as_all() -> None:
    rates = Misbehave(cut_off=0.5)
    own = {"model": "offline/writer", "misbehave": {"garbled": 0.1}}
    generate = Generate(models=["offline/writer", own], misbehave=rates)
    assert generate.at_attempt(1).misbehave == rates
    assert generate.at_attempt(2).misbehave == Misbehave(garbled=0.1)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            {"model": "openai/x", "models": ["openai/a"]},
            "`model` is 'openai/x' and `models` begins with 'openai/a': leave `model` out, or set "
            "`models` to []",
        ),
        (
            {"models": ["openai/a"], "api_base": "http://127.0.0.1:1/v1"},
            "`api_base` belongs to one model: write it in `models`, as "
            "{model: openai/a, api_base: ...}",
        ),
        ({"models": [{"modle": "openai/a"}]}, "models.0.model"),
        ({"models": ["openai/a b"]}, "String should match"),
        ({"models": [{"model": "openai/a", "api_base": "ftp://x"}]}, "models.0.api_base"),
        ({"models": ["openai/a"] * 6}, "at most 5"),
        ({"models": "openai/a"}, "valid tuple"),
    ],
)
def test_a_mistake_in_a_cascade_says_what_to_write(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Generate(**given)
    assert words in str(caught.value)

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from tasks.errors import UserError
from tasks.llm import endpoint, find_price, make_request, sampling
from tasks.settings import Generate, Misbehave

MESSAGES = ({"role": "system", "content": "s"}, {"role": "user", "content": "u"})
BASE = Generate(model="openai/gpt-4o-mini")
FORMS = ("auto", "json_schema", "json_schema_plain", "json_object", "off")


@pytest.mark.parametrize(
    "change",
    [
        {"model": "openai/gpt-4o"},
        {"api_base": "http://localhost:8000/v1"},
        {"temperature": 0.1},
        {"temperature": None},
        {"top_p": 0.5},
        {"max_tokens": 100},
        {"seed": 3},
    ],
)
def test_whatever_changes_the_answer_changes_the_key(change: dict[str, Any]) -> None:
    assert (
        make_request(BASE, MESSAGES).key
        != make_request(BASE.model_copy(update=change), MESSAGES).key
    )


@pytest.mark.parametrize(
    "change",
    [
        {"chunk_size": 7},
        {"workers": 3},
        {"mode": "batch"},
        {"max_attempts": 4},
        {"input_cost_per_token": 1.0},
        {"misbehave": Misbehave(garbled=0.5)},  # a hosted model gets none
        {
            "limits": BASE.limits.model_copy(
                update={
                    "rpm": 3,
                    "timeout_s": 1,
                    "max_retries": 0,
                    "concurrency": 2,
                    "budget_usd": 1,
                }
            )
        },
    ],
)
def test_whatever_only_changes_speed_or_price_does_not(change: dict[str, Any]) -> None:
    assert (
        make_request(BASE, MESSAGES).key
        == make_request(BASE.model_copy(update=change), MESSAGES).key
    )


def test_system_prompt_attempt_and_schema_are_in_the_key() -> None:
    schema = {"type": "json_schema", "json_schema": {"name": "x", "schema": {}}}
    keys = {
        make_request(BASE, MESSAGES).key,
        make_request(BASE, ({"role": "system", "content": "other"}, MESSAGES[1])).key,
        make_request(BASE, MESSAGES, attempt=2).key,
        make_request(BASE, MESSAGES, schema).key,
    }
    assert len(keys) == 4


def test_a_schema_is_left_out_for_models_not_known_to_take_one() -> None:
    schema = {"type": "json_schema", "json_schema": {"name": "x", "schema": {}}}
    unknown = Generate(model="hosted_vllm/mine")
    assert make_request(unknown, MESSAGES, schema) == make_request(unknown, MESSAGES)
    assert make_request(BASE, MESSAGES, schema).response_format == schema


def test_an_endpoint_from_the_environment_is_in_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    before = make_request(BASE, MESSAGES)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://elsewhere/v1")
    assert make_request(BASE, MESSAGES).key != before.key
    assert make_request(BASE, MESSAGES).api_base == "http://elsewhere/v1"
    assert endpoint(BASE.model_copy(update={"api_base": "http://chosen/v1"})) == "http://chosen/v1"


@pytest.mark.parametrize("model", ["gpt-4o-mini", "/x", "openai/"])
def test_a_model_without_provider_is_refused(model: str) -> None:
    with pytest.raises(UserError, match="provider/model"):
        make_request(Generate(model=model), MESSAGES)


@pytest.mark.parametrize(
    "address", ["https://me:hunter2@host/v1", "https://host/v1?api_key=hunter2"]
)
def test_a_secret_in_the_endpoint_is_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValidationError, match="password"):
        Generate(model="openai/x", api_base=address)
    monkeypatch.setenv("OPENAI_BASE_URL", address)
    with pytest.raises(UserError, match="OPENAI_BASE_URL must carry no password") as refused:
        make_request(Generate(model="openai/x"), MESSAGES)
    assert "hunter2" not in str(refused.value)


def test_only_the_mock_model_gets_fault_rates() -> None:
    rates = Misbehave(cut_off=0.25)
    assert sampling(Generate(misbehave=rates))["misbehave"] == {"cut_off": 0.25}
    assert "misbehave" not in sampling(Generate())
    assert "misbehave" not in sampling(BASE.model_copy(update={"misbehave": rates}))


def test_prices_come_from_settings_then_the_map_and_are_never_guessed() -> None:
    known = find_price(BASE)
    assert known is not None and (known.input, known.output, known.source) == (
        1.5e-07,
        6e-07,
        "litellm",
    )
    batch = find_price(BASE, batch=True)
    assert batch is not None and (batch.input, batch.output) == (7.5e-08, 3e-07)
    own = find_price(
        Generate(model="hosted_vllm/mine", input_cost_per_token=1e-6, output_cost_per_token=2e-6)
    )
    assert own is not None and own.of(10, 100) == pytest.approx(0.00021)
    assert find_price(Generate(model="hosted_vllm/mine")) is None
    assert find_price(Generate(model="azure/gpt-4o-mini-of-mine")) is None
    free = find_price(Generate())
    assert free is not None and free.of(1000, 1000) == 0
    paper = find_price(Generate(model="openai/gpt-3.5-turbo-16k"))
    # The paper's prices (2.6).
    assert paper is not None and (paper.input, paper.output) == (
        3e-06,
        4e-06,
    )


def test_requests_are_values() -> None:
    request = make_request(BASE, MESSAGES)
    assert (
        replace(request) == request
        and request.key == make_request(BASE, tuple(dict(m) for m in MESSAGES)).key
    )


def test_structured_output_can_be_forced() -> None:
    whole = {
        "type": "json_schema",
        "json_schema": {"name": "x", "schema": {"type": "string", "pattern": "^a$"}},
    }
    own = {form: Generate(model="hosted_vllm/m", structured_output=form) for form in FORMS}
    sent = {form: make_request(generate, MESSAGES, whole) for form, generate in own.items()}
    assert sent["auto"].response_format is None and sent["off"] == sent["auto"]
    assert sent["json_schema"].response_format == whole
    assert sent["json_object"].response_format == {"type": "json_object"}
    plain = sent["json_schema_plain"].response_format
    assert plain is not None and plain["json_schema"]["schema"] == {"type": "string"}
    local = make_request(Generate(model="local/m"), MESSAGES, whole)
    assert local.response_format == whole

"""What a provider refuses is left out once, for the rest of the run, and said in one line."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tasks.errors import UserError
from tasks.llm import Answer, Budget, CallFailed, KnownAnswers, Session, WriteAheadLog, make_request
from tasks.llm.errors import CallError
from tasks.llm.refused_parameters import ParameterRefused, refused_parameter, without
from tasks.settings import Generate
from tests.llm.test_odd_replies import MESSAGES, ask_once, odd_settings
from tests.llm.test_provider_quirks import SCHEMA
from tests.support.model_process import ModelServer
from tests.support.provider_quirks import QUIRKS

WHOLE = Generate(model="hosted_vllm/mine", structured_output="json_schema", seed=3)
REFUSALS = {
    "Unsupported parameter: 'max_tokens' is not supported with this model.": "max_tokens",
    "Unsupported value: 'temperature' does not support 0.7 with this model.": "temperature",
    "openai does not support parameters: ['temperature'], for model=o1": "temperature",
    "gpt-5 models don't support temperature=0.7. Only temperature=1 is supported.": "temperature",
    "`temperature` is deprecated for this model.": "temperature",
    "Unrecognized request argument supplied: seed": "seed",
    'Unknown name "additionalProperties" at generation_config.response_schema': "response_format",
    "Invalid schema for response_format 'dialogue': prefixItems": "response_format",
    "This model does not support structured outputs": "response_format",
    # about something else
    "Could not finish the message because max_tokens or model output limit was reached.": "",
    "This model's maximum context length is 2048 tokens.": "",
    "Conversation roles must alternate user/assistant": "",
    "System role not supported": "",
    "Unsupported parameter: 'top_p' is not supported": "",  # which was not sent
}


@pytest.mark.parametrize("message", REFUSALS)
def test_the_refused_parameter_is_read_from_the_message(message: str) -> None:
    request = make_request(WHOLE, MESSAGES, SCHEMA)
    assert refused_parameter(CallError("invalid", message, 400), request) == REFUSALS[message]
    assert not refused_parameter(CallError("overload", message, 503), request)
    bare = make_request(Generate(model="openai/x", temperature=None, max_tokens=None), MESSAGES)
    assert not refused_parameter(CallError("invalid", message, 400), bare)


def test_a_whole_schema_is_tried_in_its_plain_form_before_it_is_left_out() -> None:
    refused = ParameterRefused("response_format", "Invalid schema: prefixItems")
    plain, _ = without(WHOLE, refused)
    off, line = without(plain, refused)
    assert (plain.structured_output, off.structured_output) == ("json_schema_plain", "off")
    assert "the JSON schema" in str(line) and "generate.structured_output off" in str(line)
    known, _ = without(WHOLE, ParameterRefused("response_format", 'Unknown "additionalProperties"'))
    assert known.structured_output == "off"


def test_every_refusal_is_adapted_to_once(server: ModelServer, tmp_path: Path) -> None:
    """Calls in flight together are refused together; none of them is lost, and nothing is billed."""
    names = ("400, max_tokens is unsupported", "400, temperature is deprecated")
    server.behave(odd=[QUIRKS[name].reply.as_json() for name in names], odd_share=1.0)
    server.reset()
    generate = odd_settings(server, concurrency=4)

    async def main() -> tuple[list[Any], Session]:
        session = Session(generate, KnownAnswers({}), Budget(None), "run")
        journal = WriteAheadLog(tmp_path / "many.jsonl")
        asks = (
            session.ask_for(f"d{n}", 1, journal)(({"role": "user", "content": f"Question {n}."},))
            for n in range(12)
        )
        try:
            return await asyncio.gather(*asks), session
        finally:
            await journal.close()

    answers, session = asyncio.run(main())
    assert len(answers) == 12 and server.tally()["billed"] == 12
    refused = sorted(found.parameter for found in session.adaptations)
    assert refused == ["max_tokens", "temperature"]
    assert session.generate.extra == {"max_completion_tokens": generate.max_tokens}
    assert session.generate.temperature is None


def test_the_answer_is_stored_under_what_was_really_asked(
    server: ModelServer, tmp_path: Path
) -> None:
    server.behave(odd=[QUIRKS["400, max_tokens is unsupported"].reply.as_json()])
    found, session, _ = ask_once(tmp_path, odd_settings(server))
    assert isinstance(found, Answer)
    assert found.request_key == make_request(session.generate, MESSAGES).key
    by_hand = odd_settings(server).model_copy(
        update={"max_tokens": None, "extra": {"max_completion_tokens": 2048}}
    )
    assert found.request_key == make_request(by_hand, MESSAGES).key


def test_a_parameter_of_the_users_own_is_named(server: ModelServer, tmp_path: Path) -> None:
    refusal = "Unrecognized request argument supplied: num_ctx"
    generate = odd_settings(server).model_copy(update={"extra": {"num_ctx": 8192}})
    assert make_request(generate, MESSAGES).sampling["num_ctx"] == 8192
    assert not refused_parameter(
        CallError("invalid", refusal, 400), make_request(generate, MESSAGES)
    )


def test_extra_is_sent_and_is_in_the_key(server: ModelServer, tmp_path: Path) -> None:
    server.behave(odd=[QUIRKS["402, no credit"].reply.as_json() | {"when": "service_tier"}])
    plain = odd_settings(server)
    flex = plain.model_copy(update={"extra": {"service_tier": "flex"}})
    assert make_request(plain, MESSAGES).key != make_request(flex, MESSAGES).key
    assert isinstance(ask_once(tmp_path, plain)[0], Answer)
    with pytest.raises(UserError):
        ask_once(tmp_path, flex)


def test_a_prompt_that_does_not_fit_into_the_window_is_not_sent(
    server: ModelServer, tmp_path: Path
) -> None:
    window = 256
    long = "A long review. " * 100
    found, session, _ = ask_once(
        tmp_path, odd_settings(server, context_tokens=window), messages=long
    )
    assert isinstance(found, CallFailed)
    assert "not sent: the prompt has about 375 tokens" in str(found) and "256" in str(found)
    assert server.tally()["requests"] == 0 and session.meter.usage.failed == 1
    assert isinstance(ask_once(tmp_path, odd_settings(server, context_tokens=window))[0], Answer)

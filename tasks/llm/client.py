"""The one place that calls litellm."""

from __future__ import annotations

import asyncio
import atexit
import gc
import json
import logging
import os
import warnings
from collections.abc import Mapping
from functools import cache
from typing import Any

from tasks.addresses import keep_loopback_off_proxies
from tasks.errors import UserError
from tasks.fingerprint import content_id
from tasks.llm.direct_call import DirectCalls
from tasks.llm.errors import CallError, as_call_error, kind_of_status
from tasks.llm.local_reply import LocalClient
from tasks.llm.prices import Price, find_price, has_one_price
from tasks.llm.provider_reply import (
    LONGEST_NAME,
    Reply,
    error_in_body,
    make_reply,
    oversized,
    reply_of_body,
    short_name,
)
from tasks.llm.reply_outcome import REASONING_FIELDS
from tasks.llm.requests import IN_PROCESS, OFFLINE, endpoint
from tasks.llm.response_cap import Arrival, cap_responses, watch_response
from tasks.llm.text_likelihood import completion_arguments, is_likelihood, likelihood_reply
from tasks.llm.token_details import token_details
from tasks.llm.values import Request
from tasks.local_model import LOCAL, check_local
from tasks.redaction import one_line
from tasks.settings import Generate
from tasks.storable_text import valid_text

GC_THRESHOLDS = (20_000, 20, 50)  # Python's own: 700, 10, 10
MESSAGE_FIELDS = ("content", "refusal", "tool_calls", *REASONING_FIELDS)
GRACE_S = 5.0  # over litellm's own timeout, for a call that it does not end


@cache
def load_litellm() -> Any:
    """Import litellm (about 4 s) and return it.

    Its local price map is used, its own retries are off and its logging is silenced. Its half a
    million objects live as long as the process, so the garbage collector ignores them, and it
    seldom examines the many small ones that each call makes: that took up to a quarter of the time
    of a call.
    """
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    import litellm

    litellm.suppress_debug_info = True
    litellm.telemetry = False
    litellm.num_retries = 0
    cap_responses()
    # Their log lines may hold requests and headers.
    for name in ("LiteLLM", "httpx", "openai"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    # pydantic would print a reply's fields of unexpected types: a provider's text in the terminal.
    warnings.filterwarnings("ignore", message="Pydantic serializer warnings")
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    # Without it extension modules report their objects as leaked when the process ends.
    atexit.register(gc.unfreeze)
    return litellm


def _disable_litellm_callbacks() -> None:
    """Mark this task's calls as litellm's internal ones, which it reports to no callback.

    Otherwise it builds a record of every answer for callbacks that do not exist: an eighth of a
    call's time.
    """
    from litellm._internal_context import is_internal_call

    is_internal_call.set(True)


def litellm_for(generate: Generate) -> Any | None:
    """Return litellm where a model is asked through it, and None for one in this process."""
    return None if generate.model.startswith(IN_PROCESS) else load_litellm()


def check_model(litellm: Any, generate: Generate) -> None:
    """Check, without sending anything, that the model's provider exists and its key is there.

    `litellm` is what `litellm_for` returns.

    Raises:
        UserError: unknown provider or missing environment variable; the line names it.
    """
    base = endpoint(generate)
    if generate.model.startswith(OFFLINE):
        return
    if generate.model.startswith(LOCAL):
        check_local(generate.model)
        return
    import openai

    try:
        _, provider, _, _ = litellm.get_llm_provider(generate.model, api_base=base)
    except openai.OpenAIError:
        raise UserError(
            f"model {generate.model!r}: litellm knows no such provider; "
            "write provider/model, as in openai/gpt-4o-mini"
        ) from None
    if provider == "azure":
        missing = _missing_of_azure(base)
    else:
        missing = litellm.validate_environment(generate.model, api_base=base)["missing_keys"]
        missing = [name for name in missing if not name.endswith("_API_BASE")]
    if missing:
        hint = " (any value works for a server that checks none)" if base else ""
        raise UserError(
            f"model {generate.model!r} needs {' and '.join(missing)} in the environment{hint}"
        )


def _missing_of_azure(base: str | None) -> list[str]:
    """Return what Azure OpenAI lacks: an endpoint, and a key, token or service principal.

    litellm itself names all of its variables where one is missing. It has a default for
    AZURE_API_VERSION.
    """
    missing = [] if base else ["AZURE_API_BASE"]
    is_known = any(map(os.environ.get, ("AZURE_API_KEY", "AZURE_OPENAI_API_KEY", "AZURE_AD_TOKEN")))
    principal = ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET")
    if not is_known and not all(map(os.environ.get, principal)):
        missing.append("AZURE_API_KEY (or AZURE_AD_TOKEN)")
    return missing


def _azure_token(model: str) -> dict[str, str]:
    """Return litellm's argument for a token of Azure AD, where one takes the place of the key.

    litellm reads the variable, but sends no chat completion with it.
    """
    token = os.environ.get("AZURE_AD_TOKEN")
    has_key = os.environ.get("AZURE_API_KEY") or os.environ.get("AZURE_OPENAI_API_KEY")
    return {"azure_ad_token": token} if model.startswith("azure/") and token and not has_key else {}


class LiteLLMClient:
    """Sends requests through litellm, each exactly once.

    The mock model and local ones are asked directly: litellm takes seconds to import and 2 ms for
    each call.
    """

    def __init__(self, generate: Generate) -> None:
        """Raise UserError, before anything is sent, for a model that cannot be asked at all."""
        keep_loopback_off_proxies(os.environ)
        self.model = generate.model
        self._litellm: Any = litellm_for(generate)
        check_model(self._litellm, generate)
        self.price: Price | None = find_price(generate)
        self._max_bytes = generate.limits.max_answer_bytes
        self._credentials = _azure_token(generate.model)
        self._direct = DirectCalls(self._max_bytes, self._litellm_dollars)
        self._local = LocalClient(generate.model) if generate.model.startswith(LOCAL) else None

    async def complete(self, request: Request, timeout_s: float) -> Reply:
        """Ask once.

        Raises:
            CallError: of any kind; `billed` when an answer had begun to arrive.
        """
        if self._local is not None:
            return await self._local.complete(request)
        if self._litellm is None:
            await asyncio.sleep(0)  # so that other tasks have their turn, as while a server answers
            return mock_reply(request)
        _disable_litellm_callbacks()
        arrival = watch_response(self._max_bytes)
        try:
            async with asyncio.timeout(timeout_s + GRACE_S):
                if is_likelihood(request.response_format):
                    return await self._likelihoods(request, timeout_s)
                reply = await self._direct.ask(request, arrival)
                if reply is not None:
                    return reply
                response = await self._litellm.acompletion(
                    **call_arguments(request), **self._credentials, timeout=timeout_s
                )
            reply = as_reply(response, self._max_bytes)
            self._direct.learn(request, arrival, reply)
            return reply
        except CallError:
            raise
        except TimeoutError:
            message = f"no answer within {timeout_s + GRACE_S:.0f} s"
            raise CallError("timeout", message, billed=arrival.billed) from None
        except Exception as error:
            # The boundary: litellm may raise anything on a reply that it cannot read.
            if arrival.billed and not arrival.oversized:
                reply = read_body(b"".join(arrival.pieces), self._max_bytes)
                if reply is not None:
                    return reply
            raise self._call_error(error, arrival) from None

    def _litellm_dollars(self, body: Mapping[str, Any]) -> float | None:
        """Return litellm's price of a chat completion; None where `self.price` is its price."""
        if self.price is None or self.price.source != "litellm" or self._litellm is None:
            return None
        if has_one_price(self.model, short_name(body["model"], LONGEST_NAME)):
            return None
        provider, _, model = self.model.partition("/")
        try:
            dollars: float = self._litellm.completion_cost(
                completion_response=dict(body), model=model, custom_llm_provider=provider
            )
        except Exception:
            # litellm raises a bare Exception for a model's version that it does not know; the price
            # of the model that was asked is taken then.
            return None
        return dollars

    async def _likelihoods(self, request: Request, timeout_s: float) -> Reply:
        """Ask for the likelihood of texts. Raises CallError, or what litellm raises."""
        arguments = completion_arguments(request)
        response = await self._litellm.atext_completion(**arguments, timeout=timeout_s)
        return likelihood_reply(request, response, self._max_bytes)

    def _call_error(self, error: Exception, arrival: Arrival) -> CallError:
        import openai

        if arrival.oversized:
            return self._oversized(arrival)
        if isinstance(error, openai.OpenAIError):
            call_error = as_call_error(error)
            call_error.billed = arrival.billed
            if arrival.billed and call_error.kind not in ("filtered", "timeout", "connection"):
                # The status was good: litellm reports a reply it cannot read as a server's error.
                call_error.kind = "malformed"
                return error_in_body(b"".join(arrival.pieces)) or call_error
            return call_error
        message = one_line(
            f"the provider's answer cannot be read ({type(error).__name__}: {error})"
        )
        return CallError("malformed", message, arrival.status, billed=arrival.billed)

    def _oversized(self, arrival: Arrival) -> CallError:
        """Return the error of a response that was cut off, an answer's or an error page's."""
        if arrival.billed or arrival.status is None:
            return oversized(self._max_bytes)
        message = f"an error page of more than {arrival.max_bytes:,} bytes, which was cut off"
        kind = kind_of_status(arrival.status)
        return CallError(kind, message, arrival.status, arrival.retry_after_s)


def read_body(body: bytes, max_bytes: int) -> Reply | None:
    """Return the reply in a body that litellm could not read; None when it holds none.

    litellm refuses, for one, content that is a list of parts. Lines that a proxy sends to keep the
    connection open are skipped. Raises CallError as `make_reply` does.
    """
    lines = body.splitlines(keepends=True)
    while lines and (not lines[0].strip() or lines[0].startswith(b":")):
        del lines[0]
    try:
        return reply_of_body(json.loads(b"".join(lines)), max_bytes)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None


def call_arguments(request: Request) -> dict[str, Any]:
    """Return litellm's arguments for a request, retries off."""
    arguments: dict[str, Any] = {
        "model": request.model,
        "messages": [dict(message) for message in request.messages],
        **request.sampling,
        "num_retries": 0,
        "max_retries": 0,
    }
    if request.api_base:
        arguments["api_base"] = request.api_base
    if request.response_format:
        arguments["response_format"] = dict(request.response_format)
    return arguments


def mock_reply(request: Request) -> Reply:
    """Return the mock model's answer to a request, free of charge."""
    from tasks.mock_model import RETURNED_MODEL, count_tokens_offline, write

    seed, rates = request.sampling.get("seed"), request.sampling.get("misbehave", {})
    answer = write(request.messages, seed=seed, misbehave=rates)
    return Reply(
        text=valid_text(answer.text),
        finish_reason=answer.finish_reason,
        prompt_tokens=sum(count_tokens_offline(each["content"]) for each in request.messages),
        completion_tokens=count_tokens_offline(answer.text),
        model=RETURNED_MODEL,
        provider_id=f"offline-{content_id([request.messages, answer.text])}",
        cost_usd=0.0,
    )


def as_reply(response: Any, max_bytes: int) -> Reply:
    """Return what matters of a litellm response, checked.

    Raises CallError on one without a choice, or with too long a text.
    """
    if not response.choices:
        raise CallError("malformed", "the provider's answer has no choices", billed=True)
    choice, usage = response.choices[0], getattr(response, "usage", None)
    return make_reply(
        message=_message_fields(choice.message),
        finish_reason=_finish_reason(choice),
        prompt_tokens=getattr(usage, "prompt_tokens", None),
        completion_tokens=getattr(usage, "completion_tokens", None),
        model=response.model,
        provider_id=response.id,
        cost_usd=response._hidden_params.get("response_cost"),
        details=token_details(usage),
        max_bytes=max_bytes,
    )


def _message_fields(message: Any) -> dict[str, Any]:
    """Return the fields of a litellm message, those that litellm does not know included."""
    others = getattr(message, "provider_specific_fields", None)
    fields = dict(others) if isinstance(others, dict) else {}
    for name in MESSAGE_FIELDS:
        value = getattr(message, name, None)
        if value is not None:
            fields[name] = value
    return fields


def _finish_reason(choice: Any) -> Any:
    """Return the provider's own finish reason: litellm maps those it does not know to `stop`."""
    others = getattr(choice, "provider_specific_fields", None)
    native = others.get("native_finish_reason") if isinstance(others, dict) else None
    return choice.finish_reason if native is None else native

"""The one place that calls litellm."""

from __future__ import annotations

import asyncio
import atexit
import gc
import logging
import os
import warnings
from functools import cache
from typing import Any

from tasks.errors import UserError
from tasks.llm.errors import CallError, as_call_error, kind_of_status
from tasks.llm.prices import Price, find_price
from tasks.llm.provider_reply import Reply, make_reply, oversized
from tasks.llm.requests import OFFLINE, endpoint
from tasks.llm.response_cap import Arrival, cap_responses, watch_response
from tasks.llm.values import Request
from tasks.redaction import one_line
from tasks.settings import Generate

COLLECT_AFTER = (20_000, 20, 50)  # Python's own: 700, 10, 10
GRACE_S = 5.0  # litellm's own timeout goes first; this one is for what it overlooks


@cache
def load_litellm() -> Any:
    """Import litellm (about 4 s) with its local price map, its own retries off and its talk silenced, and return the module.

    Its half a million objects live as long as the process, so the garbage collector is told to pass
    them over, and to look seldom at the many small ones that each call makes: looking took up to a
    quarter of the time of a call.
    """
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    import litellm

    litellm.suppress_debug_info = True
    litellm.telemetry = False
    litellm.num_retries = 0
    cap_responses()
    for name in ("LiteLLM", "httpx", "openai"):
        logging.getLogger(name).setLevel(
            logging.CRITICAL
        )  # their lines may carry requests and headers
    # Of a reply with fields of other types, pydantic would print the fields: text of a provider in
    # the user's terminal.
    warnings.filterwarnings("ignore", message="Pydantic serializer warnings")
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
    atexit.register(
        gc.unfreeze
    )  # else extension modules think at the end that their objects were leaked
    return litellm


def _log_nothing() -> None:
    """Mark this task's calls as of the kind litellm makes for itself and reports to nobody.

    Else it puts a record of every answer together, for callbacks that are not there: an eighth of a
    call's time.
    """
    from litellm._internal_context import is_internal_call

    is_internal_call.set(True)


def check_model(litellm: Any, generate: Generate) -> None:
    """Check, without sending anything, that the model's provider exists and its key is there.

    Raises:
        UserError: unknown provider or missing environment variable; the line names it.
    """
    import openai

    base = endpoint(generate)
    if generate.model.startswith(OFFLINE):
        return
    try:
        _, provider, _, _ = litellm.get_llm_provider(generate.model, api_base=base)
    except openai.OpenAIError:
        raise UserError(
            f"model {generate.model!r}: litellm knows no such provider; write provider/model, as in openai/gpt-4o-mini"
        ) from None
    missing = litellm.validate_environment(generate.model, api_base=base)["missing_keys"]
    missing = [name for name in missing if not name.endswith("_API_BASE") or provider == "azure"]
    if missing:
        hint = " (any value will do for a server that asks for none)" if base else ""
        raise UserError(
            f"model {generate.model!r} needs {' and '.join(missing)} in the environment{hint}"
        )


class LiteLLMClient:
    """Sends requests through litellm, each exactly once."""

    def __init__(self, generate: Generate) -> None:
        """Refuse, with a UserError and before anything is sent, a model that cannot be asked at all."""
        self.model = generate.model
        self._litellm = load_litellm()
        check_model(self._litellm, generate)
        if generate.model.startswith(OFFLINE):
            from tasks.mock_model import register_offline

            register_offline()
        self.price: Price | None = find_price(generate)
        self._max_bytes = generate.limits.max_answer_bytes

    async def complete(self, request: Request, timeout_s: float) -> Reply:
        """Ask once.

        Raises:
            CallError: of any kind; `billed` when an answer had begun to arrive.
        """
        _log_nothing()
        arrival = watch_response(self._max_bytes)
        try:
            async with asyncio.timeout(timeout_s + GRACE_S):
                response = await self._litellm.acompletion(**arguments(request), timeout=timeout_s)
            return as_reply(response, self._max_bytes)
        except CallError:
            raise
        except TimeoutError:
            message = f"no answer within {timeout_s + GRACE_S:.0f} s"
            raise CallError("timeout", message, billed=arrival.billed) from None
        except (
            Exception
        ) as error:  # litellm's reading of an odd reply may raise anything; this is the boundary
            raise self._call_error(error, arrival) from None

    def _call_error(self, error: Exception, arrival: Arrival) -> CallError:
        import openai

        if arrival.oversized:
            return self._oversized(arrival)
        if isinstance(error, openai.OpenAIError):
            known = as_call_error(error)
            known.billed = arrival.billed
            if arrival.billed and known.kind not in ("filtered", "timeout", "connection"):
                # the status was good: litellm calls what it cannot read a server's error
                known.kind = "malformed"
            return known
        message = one_line(
            f"the provider's answer cannot be read ({type(error).__name__}: {error})"
        )
        return CallError("malformed", message, arrival.status, billed=arrival.billed)

    def _oversized(self, arrival: Arrival) -> CallError:
        """Return the error of a response that was cut off: of an answer the bill, of an error page its status."""
        if arrival.billed or arrival.status is None:
            return oversized(self._max_bytes)
        message = f"an error page of more than {arrival.max_bytes:,} bytes, which was cut off"
        return CallError(
            kind_of_status(arrival.status), message, arrival.status, arrival.retry_after_s
        )


def arguments(request: Request) -> dict[str, Any]:
    """Return litellm's arguments for a request, retries off."""
    chosen = {
        "model": request.model,
        "messages": [dict(message) for message in request.messages],
        **request.sampling,
        "num_retries": 0,
        "max_retries": 0,
    }
    if request.api_base:
        chosen["api_base"] = request.api_base
    if request.response_format:
        chosen["response_format"] = dict(request.response_format)
    return chosen


def as_reply(response: Any, max_bytes: int) -> Reply:
    """Return what matters of a litellm response, checked.

    Raises CallError on one without a choice, or with too long a text.
    """
    if not response.choices:
        raise CallError("malformed", "the provider's answer holds no choice", billed=True)
    choice, usage = response.choices[0], getattr(response, "usage", None)
    return make_reply(
        content=choice.message.content,
        finish_reason=choice.finish_reason,
        prompt_tokens=getattr(usage, "prompt_tokens", None),
        completion_tokens=getattr(usage, "completion_tokens", None),
        model=response.model,
        provider_id=response.id,
        cost_usd=response._hidden_params.get("response_cost"),
        max_bytes=max_bytes,
    )

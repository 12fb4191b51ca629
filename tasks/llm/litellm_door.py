"""The one place that calls litellm."""

from __future__ import annotations

import asyncio
import atexit
import gc
import logging
import os
from dataclasses import dataclass
from functools import cache
from typing import Any

from tasks.errors import UserError
from tasks.llm.errors import CallError
from tasks.llm.failures import as_call_error
from tasks.llm.prices import Price, find_price
from tasks.llm.requests import OFFLINE, endpoint
from tasks.llm.values import Request
from tasks.settings import Generate

COLLECT_AFTER = (20_000, 20, 50)  # Python's own: 700, 10, 10
GRACE_S = 5.0  # litellm's own timeout goes first; this one is for what it overlooks


@dataclass(frozen=True)
class Reply:
    """What a model said, as the provider returned it. `cost_usd` is litellm's own reckoning, None when it has none."""

    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    model: str
    provider_id: str
    cost_usd: float | None = None


@cache
def load_litellm() -> Any:
    """Import litellm (about 4 s) with its local price map, its own retries off and its talk silenced, and return the module.

    Its half a million objects live as long as the process, so the garbage collector is told to pass them over, and to look seldom
    at the many small ones that each call makes: looking took up to a quarter of the time of a call.
    """
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    import litellm

    litellm.suppress_debug_info = True
    litellm.telemetry = False
    litellm.num_retries = 0
    for name in ("LiteLLM", "httpx", "openai"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # their lines may carry requests and headers
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
    atexit.register(gc.unfreeze)  # else extension modules think at the end that their objects were leaked
    return litellm


def _log_nothing() -> None:
    """Mark this task's calls as of the kind litellm makes for itself and reports to nobody.

    Else it puts a record of every answer together, for callbacks that are not there: an eighth of a call's time.
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
        raise UserError(f"model {generate.model!r} needs {' and '.join(missing)} in the environment{hint}")


class Door:
    """Sends requests through litellm, each exactly once."""

    def __init__(self, generate: Generate) -> None:
        """Refuse, with a UserError and before anything is sent, a model that cannot be asked at all."""
        self.model = generate.model
        self._litellm = load_litellm()
        check_model(self._litellm, generate)
        if generate.model.startswith(OFFLINE):
            from tasks.llm.offline import register_offline

            register_offline()
        self.price: Price | None = find_price(generate)

    async def complete(self, request: Request, timeout_s: float) -> Reply:
        """Ask once. Raises CallError."""
        import openai

        _log_nothing()
        try:
            async with asyncio.timeout(timeout_s + GRACE_S):
                response = await self._litellm.acompletion(**arguments(request), timeout=timeout_s)
        except openai.OpenAIError as error:
            raise as_call_error(error) from None
        except TimeoutError:
            raise CallError("timeout", f"no answer within {timeout_s + GRACE_S:.0f} s") from None
        return as_reply(response)


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


def as_reply(response: Any) -> Reply:
    """Return what matters of a litellm response. Raises CallError on one without a choice."""
    if not response.choices:
        raise CallError("malformed", "the provider's answer holds no choice")
    choice, usage = response.choices[0], getattr(response, "usage", None)
    return Reply(
        text=choice.message.content or "",
        finish_reason=choice.finish_reason or "",
        prompt_tokens=getattr(usage, "prompt_tokens", 0) or 0,
        completion_tokens=getattr(usage, "completion_tokens", 0) or 0,
        model=response.model or "",
        provider_id=response.id or "",
        cost_usd=response._hidden_params.get("response_cost"),
    )

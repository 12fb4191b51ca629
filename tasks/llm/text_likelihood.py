"""Log-probabilities of texts after a prompt, from a server that echoes a prompt with them.

Servers with OpenAI's older completions (vLLM, llama-cpp-python) return, with `echo` and `logprobs`,
the log-probability of every token of the prompt itself. Such a request is a request like any other:
its texts stand in place of the response format, and its answer is a JSON list of numbers.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from tasks.llm.errors import CallError
from tasks.llm.provider_reply import Reply, make_reply
from tasks.llm.values import Message, Request

_KIND: Final = "likelihood"
PROVIDER: Final = "openai/"  # how the models of such servers are named
_LITELLM: Final = "text-completion-openai/"  # the same, asked for completions of text
NONE_GIVEN: Final = (
    "it returns no log-probabilities of a prompt, which takes /v1/completions with `echo` and "
    "`logprobs` (vLLM, llama-cpp-python): use --rank generate"
)


def likelihood_of(texts: Sequence[str], common: int = 0) -> dict[str, Any]:
    """Return what stands in place of a response format to ask for the likelihood of texts.

    The first `common` characters of each text count for none.
    """
    return {"type": _KIND, "texts": list(texts), "common": common}


def is_likelihood(response_format: Mapping[str, Any] | None) -> bool:
    """Return True if a request is for the likelihood of texts."""
    return response_format is not None and response_format.get("type") == _KIND


def completion_arguments(request: Request) -> dict[str, Any]:
    """Return litellm's arguments of a text completion for a request, retries off.

    Each text is a prompt: the messages, and the text after them.
    """
    asked = prompt_of(request.messages)
    arguments = {
        "model": _LITELLM + request.model.removeprefix(PROVIDER),
        "prompt": [asked + text for text in _texts(request)],
        "max_tokens": 1,  # not every server takes 0
        "temperature": 0.0,
        "echo": True,
        "logprobs": 1,
        "num_retries": 0,
        "max_retries": 0,
    }
    return arguments | ({"api_base": request.api_base} if request.api_base else {})


def prompt_of(messages: Sequence[Message]) -> str:
    """Return messages as plain text: this form of asking knows no roles."""
    return "".join(f"{message['content']}\n\n" for message in messages)


def likelihood_reply(request: Request, response: Any, max_bytes: int) -> Reply:
    """Return litellm's text completion as a reply: the mean log-probability of each text, as JSON.

    Raises CallError when the server returned no log-probabilities of the prompts.
    """
    begins = len(prompt_of(request.messages)) + (request.response_format or {})["common"]
    prompts = completion_arguments(request)["prompt"]
    try:
        choices = sorted(response.choices, key=lambda choice: choice.index or 0)
        means = [
            _mean(choice, prompt, begins) for choice, prompt in zip(choices, prompts, strict=True)
        ]
    except (AttributeError, LookupError, TypeError, ValueError):
        raise CallError("fatal", NONE_GIVEN, billed=True) from None
    usage = getattr(response, "usage", None)
    return make_reply(
        message={"content": json.dumps(means)},
        finish_reason="stop",
        prompt_tokens=getattr(usage, "prompt_tokens", None),
        completion_tokens=getattr(usage, "completion_tokens", None),
        model=response.model,
        provider_id=response.id,
        max_bytes=max_bytes,
    )


def _texts(request: Request) -> list[str]:
    return list((request.response_format or {})["texts"])


def _mean(choice: Any, prompt: str, begins: int) -> float:
    """Return the mean log-probability of the tokens that reach into a prompt's end.

    Raises ValueError, or another error of a wrong type, for what is no echo with a list of them.
    """
    found = choice.logprobs
    offsets, values = list(found.text_offset), list(found.token_logprobs)
    if len(offsets) != len(values) or offsets != sorted(offsets):
        raise ValueError("tokens and places do not fit")
    if not choice.text.startswith(prompt):
        raise ValueError("no echo")
    # A token that begins every text, such as <s>, is not in the text, but in its tokens' places.
    ahead = 0 if prompt.startswith(found.tokens[0]) else offsets[1]
    begins, ends = begins + ahead, len(prompt) + ahead
    after = [*offsets[1:], math.inf]
    chosen = [
        float(value)
        for value, start, end in zip(values, offsets, after, strict=True)
        if end > begins and start < ends
    ]
    mean = sum(chosen) / len(chosen) if chosen else math.nan
    if not math.isfinite(mean):
        raise ValueError("no log-probability")
    return round(mean, 6)

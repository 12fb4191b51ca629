"""What providers and local servers send that is not a plain answer, and what comes of each.

Each quirk is one reply of a server to one request, with two retries allowed. The page
docs/reference/provider-replies.md prints this table.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tests.support.odd_replies import OddReply, completion, error_reply

ANSWER = '{"turns": [{"role": "user", "text": "Hello there."}, {"role": "agent", "text": "Hi."}]}'
USAGE = {"prompt_tokens": 12, "completion_tokens": 40, "total_tokens": 52}


@dataclass(frozen=True)
class Quirk:
    """One kind of reply.

    Attributes:
        reply: what the server sends.
        outcome: "answer", or the kind of the failure.
        billed: calls that are paid for; `requests` are sent.
        text: what the failure's line must hold, or the run's line of a refused parameter.
        tries: how many tries get this reply; None: all.
    """

    reply: OddReply
    outcome: str
    billed: int
    requests: int
    text: str = ""
    tries: int | None = None


def _message(finish: Any = "stop", usage: Any = USAGE, **message: Any) -> OddReply:
    fields = {"message": message, "choice": {"finish_reason": finish}, "usage": usage}
    return OddReply(fields=fields)


def _error(status: int, error: Any, **headers: str) -> OddReply:
    return OddReply(status, body=json.dumps(error).encode(), headers=headers)


def _refuses(field: str, message: str, http: int = 400, **error: Any) -> OddReply:
    """Return the refusal that requests with a field get."""
    body = json.dumps({"error": {"message": message, **error}}).encode()
    return OddReply(http, body=body, when=field)


def _body(text: str, **headers: str) -> OddReply:
    return OddReply(body=text.encode(), headers=headers)


def _whole(**fields: Any) -> str:
    return json.dumps(completion(**{"message": {"content": ANSWER}, "usage": USAGE, **fields}))


def _without_usage() -> str:
    whole = json.loads(_whole())
    del whole["usage"]
    return json.dumps(whole)


def _events(text: str) -> str:
    """Return an answer as a stream of events, which was not asked for."""
    delta = {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": None}
    chunk = {"id": "1", "object": "chat.completion.chunk", "model": "m", "choices": [delta]}
    return f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n"


_PLAN = "Let me plan the turns of this dialogue first."
_IN_CHANNELS = f"<|channel|>analysis<|message|>{_PLAN}<|end|><|start|>assistant"
_CALL = [{"id": "c", "type": "function", "function": {"name": "write", "arguments": "{}"}}]
_PARTS = [
    {"type": "thinking", "thinking": [{"type": "text", "text": _PLAN}]},
    {"type": "text", "text": ANSWER},
]
_GEMINI_WAIT = {
    "error": {
        "code": 429,
        "message": "Resource has been exhausted",
        "status": "RESOURCE_EXHAUSTED",
        "details": [
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "0.2s"},
        ],
    }
}
_PROXY_WAIT = {
    "error": {
        "message": "Rate limit exceeded: free-models-per-min.",
        "code": 429,
        "metadata": {"headers": {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "0.2"}},
    }
}

QUIRKS: dict[str, Quirk] = {
    # The answer is there, in another place or form.
    "answer in reasoning_content, content null": Quirk(
        _message(content=None, reasoning_content=ANSWER), "answer", 1, 1
    ),
    "answer in reasoning, content empty": Quirk(
        _message(content="", reasoning=ANSWER), "answer", 1, 1
    ),
    "answer behind a plan in reasoning_content": Quirk(
        _message(content="", reasoning_content=f"{_PLAN}</think>{ANSWER}"), "answer", 1, 1
    ),
    "answer in harmony's final channel, in reasoning_content": Quirk(
        _message(
            content="",
            reasoning_content=f"{_IN_CHANNELS}<|channel|>final <|constrain|>json<|message|>{ANSWER}",
        ),
        "answer",
        1,
        1,
    ),
    "answer behind <think> in the content": Quirk(
        _message(content=f"<think>{_PLAN}</think>\n{ANSWER}"), "answer", 1, 1
    ),
    "answer behind a closing </think> alone": Quirk(
        _message(content=f"{_PLAN}</think>{ANSWER}"), "answer", 1, 1
    ),
    "answer in harmony's final channel": Quirk(
        _message(content=f"{_IN_CHANNELS}<|channel|>final<|message|>{ANSWER}"), "answer", 1, 1
    ),
    "answer in harmony's final channel, with a constraint": Quirk(
        _message(content=f"{_IN_CHANNELS}<|channel|>final <|constrain|>json<|message|>{ANSWER}"),
        "answer",
        1,
        1,
    ),
    "content as a list of parts": Quirk(
        _message(content=[{"type": "text", "text": ANSWER}]), "answer", 1, 1
    ),
    "content as parts, one of them thinking": Quirk(_message(content=_PARTS), "answer", 1, 1),
    "answer and tool calls": Quirk(
        _message("tool_calls", content=ANSWER, tool_calls=_CALL), "answer", 1, 1
    ),
    "finish reason null": Quirk(_message(None, content=ANSWER), "answer", 1, 1),
    "finish reason eos": Quirk(_message("eos", content=ANSWER), "answer", 1, 1),
    "half an answer, cut for its length": Quirk(
        _message("length", content=ANSWER[:60]), "answer", 1, 1
    ),
    "half an answer, cut by a filter": Quirk(
        _message("SAFETY", content=ANSWER[:60]), "answer", 1, 1
    ),
    "blank lines before the JSON": Quirk(_body("\n\n\n\n" + _whole()), "answer", 1, 1),
    "comments of a proxy before the JSON": Quirk(
        _body(": PROCESSING\n\n: PROCESSING\n\n" + _whole()), "answer", 1, 1
    ),
    "usage missing": Quirk(_body(_without_usage()), "answer", 1, 1),
    "usage null": Quirk(_body(_whole(usage=None)), "answer", 1, 1),
    "usage of zeros": Quirk(
        _message(content=ANSWER, usage={"prompt_tokens": 0, "completion_tokens": 0}),
        "answer",
        1,
        1,
    ),
    "usage with null counts": Quirk(
        _message(content=ANSWER, usage={"prompt_tokens": None, "completion_tokens": None}),
        "answer",
        1,
        1,
    ),
    "usage with a total only": Quirk(
        _message(content=ANSWER, usage={"total_tokens": 52}), "answer", 1, 1
    ),
    # The reply says nothing.
    "content null": Quirk(_message(content=None), "empty", 2, 2, "empty answer"),
    "content empty": Quirk(_message(content=""), "empty", 2, 2, "empty answer"),
    "content of marks only": Quirk(_message(content="\n ... \n"), "empty", 2, 2, "empty answer"),
    "JSON without a turn": Quirk(_message(content='{"turns": []}'), "empty", 2, 2, "empty answer"),
    "JSON of empty utterances": Quirk(
        _message(content='{"turns": [{"role": "user", "text": ""}]}'), "empty", 2, 2, "empty answer"
    ),
    "reasoning only, finished": Quirk(
        _message(content="", reasoning_content=_PLAN), "empty", 2, 2, "reasoning only"
    ),
    "<think> that is never closed": Quirk(
        _message(content=f"<think>{_PLAN}"), "empty", 2, 2, "reasoning only"
    ),
    "reasoning until max_tokens": Quirk(
        _message("length", content="", reasoning_content=_PLAN),
        "truncated",
        1,
        1,
        "cut at max_tokens while reasoning",
    ),
    "<think> until max_tokens": Quirk(
        _message("length", content=f"<think>{_PLAN}"),
        "truncated",
        1,
        1,
        "cut at max_tokens while reasoning",
    ),
    "max_tokens before a word was said": Quirk(
        _message("length", content=""), "truncated", 1, 1, "before the answer began"
    ),
    "refusal": Quirk(
        _message(content=None, refusal="I cannot help with that."),
        "refused",
        1,
        1,
        "I cannot help with that",
    ),
    "tool call in place of text": Quirk(
        _message("tool_calls", content=None, tool_calls=_CALL), "tool_call", 2, 2, "called a tool"
    ),
    "finish reason error, nothing said": Quirk(
        _message("error", content=""), "interrupted", 2, 2, "'error'"
    ),
    "finish reason error, half an answer": Quirk(
        _message("error", content=ANSWER[:60]), "interrupted", 2, 2, "'error'"
    ),
    "finish reason error, the cause beside it": Quirk(
        OddReply(
            fields={
                "message": {"content": ""},
                "choice": {"finish_reason": "error", "error": {"message": "upstream", "code": 502}},
                "usage": USAGE,
            }
        ),
        "interrupted",
        2,
        2,
        "'error'",
    ),
    "finish reason error, once": Quirk(_message("error", content=""), "answer", 2, 2, tries=1),
    "empty content, once": Quirk(_message(content=""), "answer", 2, 2, tries=1),
    "finish reason RECITATION": Quirk(
        _message("RECITATION", content=""), "filtered", 1, 1, "RECITATION"
    ),
    "finish reason SAFETY, nothing said": Quirk(
        _message("SAFETY", content=""), "filtered", 1, 1, "SAFETY"
    ),
    "finish reason content_filter, nothing said": Quirk(
        _message("content_filter", content=""), "filtered", 1, 1, "content_filter"
    ),
    "filter of the prompt, 400": Quirk(
        error_reply(400, "The response was filtered", "content_filter"),
        "filtered",
        0,
        1,
        "The response was filtered",
    ),
    # A parameter is refused: the request is made once more without it.
    "400, max_tokens is unsupported": Quirk(
        _refuses(
            "max_tokens",
            "Unsupported parameter: 'max_tokens' is not supported with this model. "
            "Use 'max_completion_tokens' instead.",
            param="max_tokens",
            code="unsupported_parameter",
        ),
        "answer",
        1,
        2,
        "generate.extra max_completion_tokens",
    ),
    "400, temperature must be the default": Quirk(
        _refuses(
            "temperature",
            "Unsupported value: 'temperature' does not support 0.7 with this model. "
            "Only the default (1) value is supported.",
            param="temperature",
            code="unsupported_value",
        ),
        "answer",
        1,
        2,
        "generate.temperature null",
    ),
    "400, temperature is deprecated": Quirk(
        _refuses("temperature", "`temperature` is deprecated for this model."),
        "answer",
        1,
        2,
        "generate.temperature null",
    ),
    "400, additionalProperties in the schema": Quirk(
        _refuses(
            "response_format",
            'Invalid JSON payload received. Unknown name "additionalProperties" at '
            "'generation_config.response_schema': Cannot find field.",
            code=400,
            status="INVALID_ARGUMENT",
        ),
        "answer",
        1,
        2,
        "generate.structured_output off",
    ),
    "400, response_format is unknown": Quirk(
        _refuses("response_format", "This response_format type is unavailable now"),
        "answer",
        1,
        2,
        "generate.structured_output off",
    ),
    "422, a grammar that cannot be compiled": Quirk(
        _refuses("response_format", "failed to parse grammar", 422),
        "answer",
        1,
        2,
        "generate.structured_output off",
    ),
    "400, the prompt is longer than the window": Quirk(
        error_reply(
            400,
            "This model's maximum context length is 2048 tokens. However, you requested 3548 "
            "tokens (1500 in the messages, 2048 in the completion).",
        ),
        "invalid",
        0,
        1,
        "maximum context length is 2048",
    ),
    "400, the prompt is longer than llama.cpp's window": Quirk(
        error_reply(
            400, "the request exceeds the available context size (4096 tokens), try increasing it"
        ),
        "invalid",
        0,
        1,
        "available context size (4096 tokens)",
    ),
    "400, no system message": Quirk(
        error_reply(400, "System role not supported"), "invalid", 0, 1, "System role not supported"
    ),
    "400, the error as text": Quirk(
        _error(400, {"error": "No models loaded. Please load a model first."}),
        "invalid",
        0,
        1,
        "No models loaded",
    ),
    # No completion at all, with a good status.
    "no choices": Quirk(_body(_whole(choices=[])), "malformed", 3, 3, "no choices"),
    "choices null": Quirk(_body(_whole(choices=None)), "malformed", 3, 3, "choices"),
    "200 with an error": Quirk(
        _body('{"error": {"message": "Provider returned error", "code": 502}}'),
        "malformed",
        3,
        3,
        "Provider returned error",
    ),
    "200 with an error, no credit": Quirk(
        _body('{"error": {"message": "Insufficient credits", "code": 402}}'),
        "fatal",
        1,
        1,
        "Insufficient credits",
    ),
    "200 with an error as text": Quirk(
        _body('{"error": "Unexpected endpoint or method. Returning 200 anyway"}'),
        "malformed",
        3,
        3,
        "Unexpected endpoint",
    ),
    "200 with a stream of events": Quirk(
        _body(_events(ANSWER), **{"Content-Type": "text/event-stream"}),
        "malformed",
        3,
        3,
        "no JSON: data:",
    ),
    "200 with a web page": Quirk(
        _body("<!doctype html><html><body>Please sign in</body></html>"),
        "malformed",
        3,
        3,
        "Please sign in",
    ),
    # Errors that pass.
    "429 with retry-after-ms, once": Quirk(
        error_reply(429, "Rate limit reached", **{"retry-after-ms": "200"}),
        "answer",
        1,
        2,
        tries=1,
    ),
    "429 with x-ratelimit-reset-requests, once": Quirk(
        error_reply(
            429,
            "Rate limit reached",
            **{"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "200ms"},
        ),
        "answer",
        1,
        2,
        tries=1,
    ),
    "429 with an empty Retry-After, once": Quirk(
        error_reply(429, "Rate limit reached", **{"Retry-After": ""}), "answer", 1, 2, tries=1
    ),
    "429 with RetryInfo in the body, once": Quirk(
        _error(429, _GEMINI_WAIT), "answer", 1, 2, tries=1
    ),
    "429 with a proxy's headers in the body, once": Quirk(
        _error(429, _PROXY_WAIT), "answer", 1, 2, tries=1
    ),
    "529 overloaded, once": Quirk(
        _error(529, {"type": "error", "error": {"type": "overloaded_error", "message": "Busy"}}),
        "answer",
        1,
        2,
        tries=1,
    ),
    "503 Loading model, once": Quirk(
        error_reply(503, "Loading model", 503), "answer", 1, 2, tries=1
    ),
    "503 currently loading, with an estimate, once": Quirk(
        _error(503, {"error": "Model m is currently loading", "estimated_time": 0.2}),
        "answer",
        1,
        2,
        tries=1,
    ),
    "500, the error as text, once": Quirk(
        _error(500, {"error": "model runner has unexpectedly stopped"}), "answer", 1, 2, tries=1
    ),
    "502 with a web page, once": Quirk(
        OddReply(502, body=b"<html>Bad Gateway</html>", headers={"Content-Type": "text/html"}),
        "answer",
        1,
        2,
        tries=1,
    ),
    "524 of a proxy, once": Quirk(
        OddReply(524, body=b"error code: 524", headers={"Content-Type": "text/plain"}),
        "answer",
        1,
        2,
        tries=1,
    ),
    # Errors that concern every request: the run ends at once.
    "401, the key is wrong": Quirk(
        error_reply(401, "Incorrect API key provided", "invalid_api_key"),
        "fatal",
        0,
        1,
        "Incorrect API key",
    ),
    "403, the region is not served": Quirk(
        error_reply(403, "Country, region, or territory not supported"), "fatal", 0, 1, "region"
    ),
    "402, no credit": Quirk(
        error_reply(402, "This request requires more credits", 402), "fatal", 0, 1, "credits"
    ),
    "400, credit balance too low": Quirk(
        error_reply(400, "Your credit balance is too low to access the API."),
        "fatal",
        0,
        1,
        "credit balance",
    ),
    "429 insufficient_quota": Quirk(
        error_reply(429, "You exceeded your current quota", "insufficient_quota"),
        "fatal",
        0,
        1,
        "exceeded your current quota",
    ),
    "404, no such model": Quirk(
        error_reply(404, "The model `m` does not exist.", "model_not_found"),
        "fatal",
        0,
        1,
        "does not exist",
    ),
}

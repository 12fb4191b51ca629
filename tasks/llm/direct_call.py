"""Sends requests to OpenAI-compatible servers as litellm does, without its work around each call.

litellm takes about 4 ms of processor time a call; sending a request and receiving its answer takes
half a millisecond of that. So the first request of each set of parameters goes through litellm, and
the address, the headers and the body that it sent are kept. Later ones differ from it in their
messages alone and go through the same transport. Only a plain answer is read here. Any other
response, and every error, is handed to litellm as if it had just arrived, so that it ends as it
does without this module. A form is kept only where the answer to it reads the same both ways.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import httpx

from tasks.llm.provider_reply import Reply, amount, reply_of_body
from tasks.llm.response_cap import Arrival
from tasks.llm.values import Request
from tasks.model_output import says_something

Dollars = Callable[[Mapping[str, Any]], float | None]
"""Returns the price of a chat completion, as litellm has it; None where it has none."""

# Servers that speak OpenAI's API, with a key that stays the same. With others of that kind
# (lm_studio, llamafile, litellm_proxy) litellm changes the model's name in the answer.
PROVIDERS = ("openai/", "hosted_vllm/")
PATH = "/chat/completions"
# Headers that belong to one request only.
OWN_HEADERS = frozenset({"content-length"})
TIED_HEADERS = frozenset({"idempotency-key"})
# Finish reasons that litellm leaves as they are.
PLAIN_ENDS = frozenset({"stop", "length"})
REASONING_MARK = "<think"  # litellm takes the reasoning out of such a text


@dataclass(frozen=True)
class SentForm:
    """How litellm sent a request. Its messages and response format give way to another's."""

    transport: httpx.AsyncBaseTransport
    url: httpx.URL
    headers: list[tuple[bytes, bytes]] = field(repr=False)
    extensions: Mapping[str, Any]
    body: Mapping[str, Any] = field(repr=False)

    def request(self, request: Request) -> httpx.Request:
        """Return another request in this form."""
        body = {**self.body, "messages": [dict(message) for message in request.messages]}
        if request.response_format:
            body["response_format"] = dict(request.response_format)
        # As httpx encodes JSON.
        content = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return httpx.Request(
            "POST",
            self.url,
            headers=self.headers,
            content=content.encode(),
            extensions=dict(self.extensions),
        )


class DirectCalls:
    """The forms of one session's requests."""

    def __init__(self, max_bytes: int, dollars: Dollars) -> None:
        """`max_bytes` is the longest text of an answer, in UTF-8."""
        self._max_bytes, self._dollars = max_bytes, dollars
        self._forms: dict[Hashable, SentForm] = {}

    async def ask(self, request: Request, arrival: Arrival) -> Reply | None:
        """Return the plain answer to a request; None where litellm must be asked.

        If something else than a plain answer came, it is in `arrival.received`, and litellm will
        find it there in place of sending the request a second time.
        """
        form = self._forms.get(_kind_of(request))
        if form is None:
            return None
        sent = form.request(request)
        try:
            # The transport is wrapped: it counts and caps what arrives in `arrival`.
            response = await form.transport.handle_async_request(sent)
            try:
                content = await response.aread()
            finally:
                await response.aclose()
        except Exception as error:
            # The boundary: whatever it is, litellm says what it means.
            arrival.received = error
            return None
        body = _plain_body(content, self._max_bytes) if arrival.billed else None
        if body is None:
            arrival.received = httpx.Response(
                response.status_code, headers=response.headers, content=content, request=sent
            )
            return None
        return replace(reply_of_body(body, self._max_bytes), cost_usd=amount(self._dollars(body)))

    def learn(self, request: Request, arrival: Arrival, reply: Reply) -> None:
        """Keep how litellm sent a request, if its reply is read here as litellm read it."""
        # Asked of every answer: what is cheap and rules most out comes first.
        if not request.model.startswith(PROVIDERS) or len(arrival.sent) != 1:
            return
        kind = _kind_of(request)
        if kind in self._forms:
            return
        body = _plain_body(b"".join(arrival.pieces), self._max_bytes)
        if body is None or reply != replace(
            reply_of_body(body, self._max_bytes), cost_usd=reply.cost_usd
        ):
            return
        form = _form_of(request, *arrival.sent[0])
        if form is not None:
            self._forms[kind] = form


def _kind_of(request: Request) -> Hashable:
    """Return what two requests have in common that differ in messages and schema alone."""
    roles = frozenset(message["role"] for message in request.messages)
    sampling = json.dumps(request.sampling, sort_keys=True, default=str)
    schema_type = str((request.response_format or {}).get("type"))
    return request.model, request.api_base, sampling, roles, schema_type


def _form_of(
    request: Request, transport: httpx.AsyncBaseTransport, sent: httpx.Request
) -> SentForm | None:
    """Return the form of a request that was sent; None if it is not known to fit others."""
    if not sent.url.path.endswith(PATH):
        return None
    if sent.method != "POST" or TIED_HEADERS & set(sent.headers):
        return None
    try:
        body = json.loads(sent.content)
    except (ValueError, httpx.RequestNotRead):
        return None
    messages = [dict(message) for message in request.messages]
    if not isinstance(body, dict) or body.get("messages") != messages:
        return None
    if body.get("response_format") != (request.response_format or None):
        return None
    headers = [
        (name, value)
        for name, value in sent.headers.raw
        if name.decode("latin-1").lower() not in OWN_HEADERS
    ]
    return SentForm(transport, sent.url, headers, sent.extensions, body)


def _plain_body(content: bytes, max_bytes: int) -> Mapping[str, Any] | None:
    """Return a body that holds one plain answer and nothing else; None for any other."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return None
    if len(content) > max_bytes or not isinstance(body, dict) or not _is_plain(body):
        return None
    return body


def _is_plain(body: Mapping[str, Any]) -> bool:
    choices, usage = body.get("choices"), body.get("usage")
    if body.get("error") or not isinstance(usage, dict) or not isinstance(choices, list):
        return False
    if len(choices) != 1 or not isinstance(choices[0], dict):
        return False
    message = choices[0].get("message")
    if choices[0].get("finish_reason") not in PLAIN_ENDS or not isinstance(message, dict):
        return False
    text = message.get("content")
    others = (value for name, value in message.items() if name not in ("role", "content"))
    names = (body.get("id"), body.get("model"))
    counts = (usage.get("prompt_tokens"), usage.get("completion_tokens"))
    is_renamed = choices[0].get("native_finish_reason") is not None
    return (
        isinstance(text, str)
        and says_something(text)
        and REASONING_MARK not in text
        and not any(others)
        and not is_renamed
        and all(isinstance(name, str) for name in names)
        and all(type(count) is int for count in counts)
    )

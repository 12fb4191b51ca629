"""Odd replies of a provider, by name: what the mock server sends in place of a good chat completion, or changes in one."""

from __future__ import annotations

import base64
import gzip
import json
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

SURROGATE = "\ud800"
HUGE = 10**30


ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(
        [SURROGATE, "\x00", "\x1b[2J", "x" * 5000, 10**30, -(10**30), -1, 1e308, "", [], {}]
    ),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


@dataclass(frozen=True)
class OddReply:
    """One kind of reply.

    Attributes:
        status: HTTP status; only those of 200 to 299 are billed.
        fields: top-level fields of a good completion that are replaced; "message" and "choice"
            replace fields further in.
        body: the whole body, in place of a completion.
        endless: a body that never ends: "plain" or "gzip".
        headers: of the response.
        when: a field of the request; those without it get a good reply.
    """

    status: int = 200
    fields: dict[str, Any] = field(default_factory=dict)
    body: bytes | None = None
    endless: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    when: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the reply as JSON data, the body in base 64."""
        body = None if self.body is None else base64.b64encode(self.body).decode("ascii")
        return {**vars(self), "body": body}


def completion(**fields: Any) -> dict[str, Any]:
    """Return a good chat completion with some of its fields replaced."""
    message = {"role": "assistant", "content": "Hello there.", **fields.pop("message", {})}
    choice = {"index": 0, "message": message, "finish_reason": "stop", **fields.pop("choice", {})}
    usage = {"prompt_tokens": 12, "completion_tokens": 4, "total_tokens": 16}
    whole = {"id": "x", "object": "chat.completion", "created": 1, "model": "m"}
    return {**whole, "choices": [choice], "usage": usage, **fields}


def _usage(prompt: Any, answer: Any) -> OddReply:
    return OddReply(fields={"usage": {"prompt_tokens": prompt, "completion_tokens": answer}})


def error_reply(status: int, message: Any, code: Any = None, **headers: str) -> OddReply:
    body = json.dumps({"error": {"message": message, "code": code}}).encode()
    return OddReply(status, body=body, headers=headers)


def _text(content: Any) -> OddReply:
    return OddReply(fields={"message": {"content": content}})


def _packed(content: bytes, packing: str = "gzip") -> OddReply:
    return OddReply(body=content, headers={"Content-Encoding": packing})


_GOOD = json.dumps(completion()).encode()
_GZIP = gzip.compress(_GOOD)

ODD_REPLIES: dict[str, OddReply] = {
    # Good answers with odd fields beside them.
    "integer id, object as model": OddReply(fields={"id": 7, "model": {"a": 1}}),
    "lone surrogates in id and model": OddReply(fields={"id": SURROGATE, "model": SURROGATE}),
    "id of 100,000 characters": OddReply(fields={"id": "i" * 100_000}),
    "unknown finish reason": OddReply(fields={"choice": {"finish_reason": "because"}}),
    "finish reason as a list": OddReply(fields={"choice": {"finish_reason": ["a", {"b": 1}]}}),
    "no usage": OddReply(fields={"usage": None}),
    "usage of zeros": _usage(0, 0),
    "negative usage": _usage(-120_000, -60_000),
    "prompt_tokens of 10^30": _usage(HUGE, 4),
    "completion_tokens of 10^12": _usage(12, 10**12),
    "usage as text": _usage("12", "4"),
    "usage as a list": OddReply(fields={"usage": [1, 2]}),
    "created as text": OddReply(fields={"created": "yesterday"}),
    "error beside a good answer": OddReply(fields={"error": {"message": "also", "code": 1}}),
    # Odd texts.
    "lone surrogate in the text": _text(f"User: a{SURROGATE}b"),
    "NUL in the text": _text("User: a\x00b"),
    "escape sequences in the text": _text("\x1b[2J\x9b31mUser: hi\x07"),
    "number of 5,000 digits in the text": _text('{"turns": [' + "9" * 5000 + "]}"),
    "brackets 100,000 deep in the text": _text('{"turns": ' + "[" * 100_000),
    "empty text": _text(""),
    "text is null": _text(None),
    "text as a number": _text(7),
    "text as parts": _text([{"type": "text", "text": "User: hi"}]),
    "text of 900 KB": _text("User: hello. " * 70_000),
    "text of 2 MB": _text("y" * 2_000_000),
    "turns of every type": _text(
        json.dumps({"turns": [None, 1, "a", [], {"role": 1, "text": {}}]})
    ),
    # No chat completion.
    "no choices": OddReply(fields={"choices": []}),
    "choices as an object": OddReply(fields={"choices": {"0": {}}}),
    "empty body": OddReply(body=b""),
    "JSON null": OddReply(body=b"null"),
    "HTML": OddReply(body=b"<html>busy</html>", headers={"Content-Type": "text/html"}),
    "JSON that breaks off": OddReply(body=_GOOD[:-40]),
    "JSON 100,000 deep": OddReply(body=b'{"choices":' + b"[" * 100_000),
    "number of 5,000 digits": OddReply(body=b'{"choices": ' + b"9" * 5000 + b"}"),
    "Latin-1": OddReply(body=json.dumps(completion(id="é"), ensure_ascii=False).encode("latin-1")),
    "error with status 200": OddReply(body=b'{"error": {"message": "x \\ud800", "code": 500}}'),
    "error with status 200, code as text": OddReply(
        body=b'{"error": {"message": "x", "code": "odd"}}'
    ),
    "error with status 200, code as a list": OddReply(
        body=b'{"error": {"message": "x", "code": [1]}}'
    ),
    "error with status 200, code 10^30": OddReply(
        body=b'{"error": {"message": "x", "code": 1000000000000000000000000000000}}'
    ),
    # Packed bodies and large ones.
    "gzip that breaks off": _packed(_GZIP[:-20]),
    "gzip that is none": _packed(_GOOD),
    "unknown packing": _packed(b"\x1b\x00garbage", "br"),
    "endless body": OddReply(endless="plain"),
    "gzip bomb": OddReply(endless="gzip"),
    # Errors.
    "400 with a lone surrogate": error_reply(400, f"bad {SURROGATE}", SURROGATE),
    "500 with a lone surrogate": error_reply(500, f"bad {SURROGATE}"),
    "500 of 7 MB": OddReply(500, body=b"x" * 7_000_000),
    "429, Retry-After unreadable": error_reply(429, "slow", **{"Retry-After": "soon"}),
    "429, Retry-After 0": error_reply(
        429, "slow", ["x"], **{"Retry-After": "0", "retry-after-ms": "x"}
    ),
}

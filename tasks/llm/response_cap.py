"""Limits how much of a provider's response is read, before anything holds all of it in memory.

litellm offers no limit, so the transport of its HTTP clients is wrapped. The wrapper also records
how far a response had come: the provider bills one whose status was good and whose body broke off.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import httpx

from tasks.llm.retry_after import retry_after

BYTES_PER_TEXT_BYTE = 6  # JSON may write each byte of a text as \u00xx
# Of a response around its text: usage, unrequested log probabilities, headers of parts.
ADDED_BYTES = 262_144
ENCODINGS = "gzip, deflate"  # that are accepted, and decompressed here
PIECE_BYTES = 65_536  # decompressed at a time
_DETECT_FORMAT = 32  # zlib's flag for detecting whether a stream is gzip or deflate
_GOOD = range(200, 300)


@dataclass
class Arrival:
    """How far the response to the current call came.

    Attributes:
        max_bytes: of the body that are read.
        status: HTTP status, once the headers were there.
        oversized: True when the body was longer than `max_bytes`.
        retry_after_s: seconds the response's headers ask to wait, where they do.
        pieces: what was read of the body.
        sent: the requests that went out for the call, with the transport that sent each.
        received: a response that is already here, or the error in its place; the call's next
            request gets it and is not sent.
    """

    max_bytes: int
    status: int | None = None
    oversized: bool = False
    retry_after_s: float | None = None
    pieces: list[bytes] = field(default_factory=list, repr=False)
    sent: list[tuple[httpx.AsyncBaseTransport, httpx.Request]] = field(
        default_factory=list, repr=False
    )
    received: httpx.Response | Exception | None = field(default=None, repr=False)

    @property
    def billed(self) -> bool:
        """True if a good response had begun to arrive."""
        return self.status in _GOOD


_CURRENT: ContextVar[Arrival | None] = ContextVar("arrival", default=None)


def watch_response(max_answer_bytes: int) -> Arrival:
    """Watch the response to this task's next call, and cap what is read of it.

    The cap is what an answer of `max_answer_bytes` of text can need.
    """
    arrival = Arrival(BYTES_PER_TEXT_BYTE * max_answer_bytes + ADDED_BYTES)
    _CURRENT.set(arrival)
    return arrival


class _CappedStream(httpx.AsyncByteStream):
    """A response's body, decompressed and read up to the cap: a small body may hold a large one."""

    def __init__(
        self, stream: httpx.AsyncByteStream, arrival: Arrival, *, compressed: bool
    ) -> None:
        self._stream, self._arrival = stream, arrival
        self._pieces = _decompressed if compressed else _unchanged

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read = 0
        async for chunk in self._pieces(self._stream):
            read += len(chunk)
            if read > self._arrival.max_bytes:
                self._arrival.oversized = True
                raise httpx.ReadError(
                    f"the response is longer than {self._arrival.max_bytes:,} bytes"
                )
            self._arrival.pieces.append(chunk)
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


async def _unchanged(stream: httpx.AsyncByteStream) -> AsyncIterator[bytes]:
    async for chunk in stream:
        yield chunk


async def _decompressed(stream: httpx.AsyncByteStream) -> AsyncIterator[bytes]:
    """Yield the content of a gzip or deflate stream piece by piece. Raises httpx.DecodingError."""
    decompressor = zlib.decompressobj(zlib.MAX_WBITS | _DETECT_FORMAT)
    async for chunk in stream:
        while chunk:
            try:
                piece = decompressor.decompress(chunk, PIECE_BYTES)
            except zlib.error as error:
                raise httpx.DecodingError(str(error)) from None
            yield piece
            chunk = decompressor.unconsumed_tail
    rest = decompressor.flush()
    if rest:
        yield rest


def cap_responses() -> None:
    """Put the cap under every asynchronous HTTP client of litellm.

    litellm's version is pinned, and tests/llm/test_odd_replies.py fails where this has no effect.
    With DISABLE_AIOHTTP_TRANSPORT set, litellm uses another transport: a long answer is then
    refused only after it was read.
    """
    from litellm.llms.custom_httpx.aiohttp_transport import LiteLLMAiohttpTransport

    send = LiteLLMAiohttpTransport.handle_async_request

    async def send_capped(self: Any, request: httpx.Request) -> httpx.Response:
        arrival = _CURRENT.get()
        if arrival is None:
            return await send(self, request)
        received, arrival.received = arrival.received, None
        if isinstance(received, httpx.Response):
            return received
        if received is not None:
            raise received
        request.headers["accept-encoding"] = ENCODINGS
        arrival.sent.append((self, request))
        response: httpx.Response = await send(self, request)
        arrival.status = response.status_code
        arrival.retry_after_s = retry_after(response.headers)
        if isinstance(response.stream, httpx.AsyncByteStream):
            encoding = response.headers.pop("content-encoding", "identity").strip().lower()
            compressed = encoding in ("gzip", "x-gzip", "deflate")
            response.stream = _CappedStream(response.stream, arrival, compressed=compressed)
        return response

    # mypy lets no method be assigned directly.
    setattr(LiteLLMAiohttpTransport, "handle_async_request", send_capped)  # noqa: B010

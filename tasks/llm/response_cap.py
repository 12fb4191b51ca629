"""Limits how much of a provider's response is read, below everything that would hold it in memory whole.

litellm offers no limit, so the transport of its HTTP clients is wrapped. The wrapper also notes how
far a response
had come: one whose status was good and whose body then broke off is billed by the provider.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import httpx

from tasks.llm.errors import retry_after

BYTES_PER_TEXT_BYTE = 6  # JSON may write each byte of a text as \u00xx
# of a response around its text: usage, log probabilities that nobody asked for, headers of parts
ADDED_BYTES = 262_144
PACKED = "gzip, deflate"  # what is asked for, and unpacked here
PIECE_BYTES = 65_536  # unpacked at a time
_EITHER_FORMAT = 32  # zlib's flag for finding out by itself whether a stream is gzip or deflate
_GOOD = range(200, 300)


@dataclass
class Arrival:
    """How far the response to the current call came.

    Attributes:
        max_bytes: of the body that are read.
        status: HTTP status, once the headers were there.
        oversized: True when the body was longer than `max_bytes`.
        retry_after_s: seconds the response's headers ask to wait, where they do.
    """

    max_bytes: int
    status: int | None = None
    oversized: bool = False
    retry_after_s: float | None = None

    @property
    def billed(self) -> bool:
        """Whether a good response had begun to arrive."""
        return self.status in _GOOD


_CURRENT: ContextVar[Arrival | None] = ContextVar("arrival", default=None)


def watch_response(max_answer_bytes: int) -> Arrival:
    """Watch the responses of this task's next call and read at most what an answer of `max_answer_bytes` of text can need."""
    arrival = Arrival(BYTES_PER_TEXT_BYTE * max_answer_bytes + ADDED_BYTES)
    _CURRENT.set(arrival)
    return arrival


class _CappedStream(httpx.AsyncByteStream):
    """A response's body, unpacked and read up to the cap: a small packed body may be a large one."""

    def __init__(self, stream: httpx.AsyncByteStream, arrival: Arrival, *, packed: bool) -> None:
        self._stream, self._arrival = stream, arrival
        self._unpack = _unpacked if packed else _as_it_is

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read = 0
        async for chunk in self._unpack(self._stream):
            read += len(chunk)
            if read > self._arrival.max_bytes:
                self._arrival.oversized = True
                raise httpx.ReadError(
                    f"the response is longer than {self._arrival.max_bytes:,} bytes"
                )
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


async def _as_it_is(stream: httpx.AsyncByteStream) -> AsyncIterator[bytes]:
    async for chunk in stream:
        yield chunk


async def _unpacked(stream: httpx.AsyncByteStream) -> AsyncIterator[bytes]:
    """Yield the content of a gzip or deflate stream piece by piece. Raises httpx.DecodingError."""
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | _EITHER_FORMAT)
    async for chunk in stream:
        while chunk:
            try:
                piece = unpacker.decompress(chunk, PIECE_BYTES)
            except zlib.error as error:
                raise httpx.DecodingError(str(error)) from None
            yield piece
            chunk = unpacker.unconsumed_tail
    if rest := unpacker.flush():
        yield rest


def cap_responses() -> None:
    """Put the cap under every asynchronous HTTP client of litellm.

    Its version is pinned, and a test holds this.

    With DISABLE_AIOHTTP_TRANSPORT set, litellm uses another transport: an answer is then refused
    only after it was read.
    """
    from litellm.llms.custom_httpx.aiohttp_transport import LiteLLMAiohttpTransport

    send = LiteLLMAiohttpTransport.handle_async_request

    async def send_capped(self: Any, request: httpx.Request) -> httpx.Response:
        arrival = _CURRENT.get()
        if arrival is None:
            return await send(self, request)
        request.headers["accept-encoding"] = PACKED
        response: httpx.Response = await send(self, request)
        arrival.status = response.status_code
        arrival.retry_after_s = retry_after(response.headers)
        if isinstance(response.stream, httpx.AsyncByteStream):
            packing = response.headers.pop("content-encoding", "identity").strip().lower()
            packed = packing in ("gzip", "x-gzip", "deflate")
            response.stream = _CappedStream(response.stream, arrival, packed=packed)
        return response

    setattr(LiteLLMAiohttpTransport, "handle_async_request", send_capped)  # noqa: B010 - a method of theirs

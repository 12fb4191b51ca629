"""How long a provider asks to wait, by its headers or in the body of its error.

| where | example |
|---|---|
| `retry-after-ms` | 1500 |
| `retry-after`, seconds or an HTTP date | 20 |
| `x-ratelimit-reset-requests` / `-tokens`, of the one that has 0 remaining | 6m0s |
| `x-ratelimit-reset`, seconds or a time in seconds or milliseconds | 1764322000000 |
| the headers that a proxy repeats in `error.metadata.headers` | as above |
| `retryDelay` of a `RetryInfo` in `error.details` | 21s |
| "try again in 1.2s" in `error.message` | 1.2s |
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_UNIT_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_AGAIN_IN = re.compile(r"(?:try again|retry) in ((?:\d+(?:\.\d+)?(?:ms|s|m|h)){1,4})\b", re.I)
_A_TIME_S = 1e9  # a larger number of seconds is a time since 1970
_A_TIME_MS = 1e12
_LONGEST_MESSAGE = 10_000  # characters that are searched


def retry_after(headers: Mapping[str, Any], now: float | None = None) -> float | None:
    """Return the seconds that a response's headers ask to wait; None where they say nothing.

    Names of headers are in lower case. `now` is the time in seconds since 1970.
    """
    now = time.time() if now is None else now
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("retry-after")
    if value is not None:
        seconds = _wait(value, now)
        if seconds is not None:
            return seconds
    for kind in ("requests", "tokens"):
        if _number(headers.get(f"x-ratelimit-remaining-{kind}")) == 0:
            seconds = _wait(headers.get(f"x-ratelimit-reset-{kind}"), now)
            if seconds is not None:
                return seconds
    return _wait(headers.get("x-ratelimit-reset"), now)


def retry_after_in_body(body: Any, now: float | None = None) -> float | None:
    """Return the seconds that the body of an error asks to wait; None where it says nothing.

    `body` is the JSON data of the response or of its `error`; every field is untrusted.
    """
    error = body.get("error", body) if isinstance(body, Mapping) else None
    if not isinstance(error, Mapping):
        return None
    metadata = error.get("metadata")
    headers = metadata.get("headers") if isinstance(metadata, Mapping) else None
    if isinstance(headers, Mapping):
        seconds = retry_after({str(name).lower(): value for name, value in headers.items()}, now)
        if seconds is not None:
            return seconds
    for delay in _retry_delays(error.get("details")):
        return delay
    message = error.get("message")
    found = _AGAIN_IN.search(message[:_LONGEST_MESSAGE]) if isinstance(message, str) else None
    return _duration(found[1]) if found else None


def _retry_delays(details: Any) -> Iterator[float]:
    for detail in details if isinstance(details, list) else []:
        delay = detail.get("retryDelay") if isinstance(detail, Mapping) else None
        seconds = _duration(delay)
        if seconds is not None:
            yield seconds


def _wait(value: Any, now: float) -> float | None:
    """Return the seconds of a number, a duration such as 6m0s, a time, or an HTTP date."""
    number = _number(value)
    if number is None:
        seconds = _duration(value)
        return _until_date(value, now) if seconds is None else seconds
    if number > _A_TIME_MS:
        return max(0.0, number / 1000 - now)
    if number > _A_TIME_S:
        return max(0.0, number - now)
    return number


def _until_date(value: Any, now: float) -> float | None:
    if value is None:
        return None
    try:
        return max(0.0, parsedate_to_datetime(str(value)).timestamp() - now)
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def _duration(value: Any) -> float | None:
    if not isinstance(value, str):
        return None
    parts = _DURATION.findall(value)
    if not parts or "".join(number + unit for number, unit in parts) != value.strip():
        return None
    return float(sum(float(number) * _UNIT_S[unit] for number, unit in parts))


def _number(value: Any) -> float | None:
    """Return a header's number that is finite and not negative."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if 0 <= number < float("inf") else None

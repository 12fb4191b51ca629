"""Sends OpenLineage events beside the build: a thread and a queue of limited length.

So no endpoint stops or slows the work.

Where events go is said by `lineage.to` of the domain file, else by the client's own settings:
`OPENLINEAGE_URL`, `OPENLINEAGE_CONFIG`, `OPENLINEAGE__TRANSPORT__*`, or a file `openlineage.yml`.
`OPENLINEAGE_DISABLED=true` switches all of it off.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import unquote, urlsplit

from tasks.errors import UserError
from tasks.redaction import one_line, redact_address

LONGEST_QUEUE: Final = 1_000  # events, about 20 kB each
REQUEST_TIMEOUT_S: Final = 2.0
LONGEST_FAREWELL_S: Final = 5.0  # that a build waits at its end for events not yet sent
PATIENCE: Final = 3  # failures in a row after which events are dropped for a while
PAUSE_S: Final = 10.0
INSTALL: Final = "pip install 'llm-redial[openlineage]'"
_CONFIG_FILES = (Path("openlineage.yml"), Path("~/.openlineage/openlineage.yml"))


class Client(Protocol):
    """What is used of `openlineage.client.OpenLineageClient`."""

    def emit(self, event: Any) -> None:
        """Send one event. Raises whatever its transport raises."""

    def close(self, timeout: float = -1.0) -> bool:
        """Wait for what the transport itself still holds, so many seconds at most."""


@dataclass(frozen=True)
class Sent:
    """How many events were sent and how many were not, and why the first of these was not."""

    sent: int
    lost: int
    problem: str

    def __str__(self) -> str:
        """Return it as one line."""
        text = f"{self.sent:,} events sent"
        return f"{text}, {self.lost:,} lost: {self.problem}" if self.lost else text


class EventSender:
    """Sends events one after the other, in the order they were given, in a thread of its own."""

    def __init__(self, client: Client) -> None:
        """Begin to wait for events."""
        self._client = client
        self._queue: queue.Queue[Any] = queue.Queue(LONGEST_QUEUE)
        self._lock = threading.Lock()
        self._sent = 0
        self._lost = 0
        self._problem = ""
        self._failures = 0
        self._resume_at = 0.0
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="openlineage", daemon=True)
        self._thread.start()

    def send(self, event: Any) -> None:
        """Queue an event; one that finds the queue full is lost and counted."""
        try:
            self._queue.put_nowait(event)
        except queue.Full:
            self.lose("the queue was full")

    def lose(self, problem: str) -> None:
        """Count an event that will not be sent."""
        with self._lock:
            self._lost += 1
            self._problem = self._problem or one_line(problem)

    def close(self, within_s: float = LONGEST_FAREWELL_S) -> Sent:
        """Wait for what is queued, so long at most; return what became of all events.

        What is not sent by then is lost.
        """
        self._closing.set()
        until = time.monotonic() + within_s
        self._thread.join(within_s)
        if not self._thread.is_alive():
            self._close_client(max(0.0, until - time.monotonic()))
        with self._lock:
            unsent = self._queue.qsize() + (1 if self._thread.is_alive() else 0)
            problem = self._problem or ("the endpoint did not answer in time" if unsent else "")
            return Sent(self._sent, self._lost + unsent, problem)

    def _close_client(self, within_s: float) -> None:
        try:
            self._client.close(within_s)
        except Exception as error:  # noqa: BLE001 - whatever a transport raises, the build goes on
            self.lose(_said(error))

    def _work(self) -> None:
        while not (self._closing.is_set() and self._queue.empty()):
            try:
                event = self._queue.get(timeout=0.05)
            except queue.Empty:
                continue
            self._send(event)

    def _send(self, event: Any) -> None:
        if time.monotonic() < self._resume_at:
            self.lose(self._problem)
            return
        try:
            self._client.emit(event)
        except Exception as error:  # noqa: BLE001 - whatever a transport raises, the build goes on
            with self._lock:
                # Says more than that the queue was full, which may follow from it.
                self._problem = one_line(_said(error))
            self.lose(self._problem)
            self._failures += 1
            if self._failures >= PATIENCE:
                self._resume_at = time.monotonic() + PAUSE_S
            return
        self._failures = 0
        with self._lock:
            self._sent += 1


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def is_wanted(to: str | None, environment: Mapping[str, str] | None = None) -> bool:
    """Return True if events are to be sent: the domain or the client's settings say where to."""
    known = os.environ if environment is None else environment
    if known.get("OPENLINEAGE_DISABLED", "").strip().lower() == "true":
        return False
    named = {"OPENLINEAGE_URL", "OPENLINEAGE_CONFIG"} & {
        name for name, value in known.items() if value
    }
    return bool(
        to or named or any(name.startswith("OPENLINEAGE__TRANSPORT") for name in known)
    ) or any(file.expanduser().is_file() for file in _CONFIG_FILES)


def check_client(to: str | None) -> None:
    """Raise UserError if events are wanted and the client cannot be made."""
    if is_wanted(to):
        make_client(to).close(0)


def destination(to: str | None) -> str:
    """Return where events go, for a person to read."""
    return (
        redact_address(to or os.environ.get("OPENLINEAGE_URL", ""))
        or "where the settings of the OpenLineage client say"
    )


def make_client(to: str | None) -> Client:
    """Return the client that sends to a file or a server, or wherever its own settings say.

    Raises:
        UserError: the extra is not installed, or the client's settings make no client.
    """
    if find_spec("openlineage") is None:
        raise UserError(
            f"OpenLineage events are asked for and their client is not installed: {INSTALL}, "
            "or set OPENLINEAGE_DISABLED=true"
        )
    from openlineage.client import OpenLineageClient
    from openlineage.client.transport import get_default_factory

    # The address of a git remote may hold a login.
    config: dict[str, Any] = {"facets": {"source_code_location": {"disabled": True}}}
    try:
        transport = get_default_factory().create(_transport(to)) if to else None
        client: Client = OpenLineageClient(transport=transport, config=config)
    # The client raises whatever it likes on a setting it cannot use.
    except Exception as error:  # noqa: BLE001
        raise UserError(
            f"the settings of the OpenLineage client cannot be used: {one_line(_said(error))}"
        ) from None
    return client


def _transport(to: str) -> dict[str, Any]:
    """Return the client's settings for an address; a key comes from the environment alone."""
    if to.startswith("file:"):
        path = Path(unquote(urlsplit(to).path))
        return {"type": "file", "log_file_path": str(path), "append": True}
    key = os.environ.get("OPENLINEAGE_API_KEY")
    return {
        "type": "http",
        "url": to,
        "endpoint": os.environ.get("OPENLINEAGE_ENDPOINT", "api/v1/lineage"),
        "timeout": REQUEST_TIMEOUT_S,
        "retry": {"total": 0},
        **({"auth": {"type": "api_key", "apiKey": key}} if key else {}),
    }

"""A server on loopback that receives OpenLineage events, and a check of events against the client's own classes."""

from __future__ import annotations

import importlib
import json
import pkgutil
import threading
import time
import types
import typing
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import attr
import jsonschema
import openlineage.client.generated as generated
from openlineage.client.generated import base

OURS = json.loads(
    (Path(__file__).resolve().parents[2] / "tasks/lineage/openlineage/facets.json").read_text(
        encoding="utf-8"
    )
)


@dataclass
class Received:
    """What a receiver got: events in order, and the headers of the last request.

    `answer` may hang or refuse.
    """

    address: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 200
    delay_s: float = 0.0


@contextmanager
def receiver(status: int = 200, delay_s: float = 0.0) -> Iterator[Received]:
    """Receive events for a while; each request is answered with a status after a delay."""
    got = Received(status=status, delay_s=delay_s)
    leave = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if leave.wait(got.delay_s):
                return
            if self.path == "/api/v1/lineage" and got.status == 200:
                got.events.append(json.loads(body))
            got.headers = dict(self.headers)
            try:
                self.send_response(got.status)
                self.end_headers()
            except OSError:
                pass  # the client has left

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    got.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
    )
    thread.start()
    try:
        yield got
    finally:
        leave.set()
        server.shutdown()
        server.server_close()
        thread.join(5)


def until(condition: typing.Callable[[], bool], seconds: float = 5.0) -> None:
    """Wait for a condition."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    assert condition()


# A check of JSON against the classes of the client: every value has a field, of its type.


def _classes() -> dict[str, Any]:
    """Return the client's classes by the URL of their schema."""
    found: dict[str, Any] = {}
    for module in pkgutil.iter_modules(generated.__path__):
        for value in vars(
            importlib.import_module(f"openlineage.client.generated.{module.name}")
        ).values():
            if attr.has(value) and hasattr(value, "_get_schema"):
                found[value._get_schema()] = value
    return found


CLASSES = _classes()


def check_event(event: Mapping[str, Any]) -> Any:
    """Return an event as an object of the client's class; every facet is checked by the class its schema names.

    Raises AssertionError, or whatever the class raises.
    """
    return _typed(base.RunEvent, event, "event")


def _typed(kind: Any, value: Any, where: str) -> Any:
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return value
    if origin in (typing.Union, types.UnionType):
        fitting = [one for one in inner if one is not type(None)]
        return _typed(fitting[0], value, where)
    if origin is list:
        assert isinstance(value, list), where
        return [_typed(inner[0], held, f"{where}[{place}]") for place, held in enumerate(value)]
    if origin is dict:
        assert isinstance(value, dict), where
        return {name: _typed(inner[1], held, f"{where}.{name}") for name, held in value.items()}
    if attr.has(kind):
        return _object(kind, value, where)
    if kind is float:
        kind = (int, float)
    if isinstance(kind, type) and issubclass(kind, base.EventType):
        return kind[value]
    assert isinstance(value, kind) and not (kind is int and isinstance(value, bool)), (
        f"{where} is {value!r}"
    )
    return value


def _object(kind: Any, value: Mapping[str, Any], where: str) -> Any:
    url = value.get("_schemaURL")
    if url and url.startswith("urn:llm-redial:"):
        jsonschema.validate(
            value, {"$ref": f"#/$defs/{url.rpartition('/')[2]}", "$defs": OURS["$defs"]}
        )
        return value
    if url:
        assert url in CLASSES and issubclass(CLASSES[url], kind), f"{where} names the schema {url}"
        kind = CLASSES[url]
    hints = typing.get_type_hints(
        kind, localns={**vars(base), **vars(importlib.import_module(kind.__module__))}
    )
    fields = {one.name: one for one in attr.fields(kind)}
    assert set(value) <= set(fields), f"{where} has {set(value) - set(fields)}"
    given = {}
    for name, one in fields.items():
        if name in value and one.init:
            given[one.alias] = _typed(hints[name], value[name], f"{where}.{name}")
    made = kind(**given)
    if "schemaURL" in value:
        assert made.schemaURL == value["schemaURL"]
    return made

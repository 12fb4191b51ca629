"""Settings and messages become one whole request."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from tasks.addresses import check_endpoint
from tasks.code_identity import PROJECT, project_code
from tasks.errors import UserError
from tasks.fingerprint import content_id, data_hash
from tasks.llm.model_catalogue import takes_schema
from tasks.llm.values import Message, Request
from tasks.settings import Generate

OFFLINE = "offline/"
# A name and no import: hosted models are asked without the writer, so its code is none of what
# shapes their requests.
WRITER_MODULE = "tasks.mock_model.adapter"
WRITER_TABLES = "tasks/mock_model/tables/*.yaml"


def make_request(
    generate: Generate,
    messages: tuple[Message, ...],
    response_format: Mapping[str, Any] | None = None,
    attempt: int = 1,
) -> Request:
    """Return the request as it will be hashed and sent.

    The endpoint is resolved here, so that one named by an environment variable is part of the
    request's key as well. A JSON schema goes along only to models known to take one; the words of
    every prompt ask for the same shape.
    """
    schema = (
        response_format if response_format is not None and takes_schema(generate.model) else None
    )
    return Request(
        generate.model, messages, endpoint(generate), sampling(generate), schema, attempt
    )


def sampling(generate: Generate) -> dict[str, Any]:
    """Return the sampling parameters that are set; for the embedded writer also which one it is, and how often it misbehaves.

    A stored answer is never asked for again, so that the writer's own code and tables must be part
    of what it was asked: another writer would otherwise go on answering with the words of the one
    before it.
    """
    named = {
        "temperature": generate.temperature,
        "top_p": generate.top_p,
        "max_tokens": generate.max_tokens,
        "seed": generate.seed,
    }
    chosen: dict[str, Any] = {name: value for name, value in named.items() if value is not None}
    rates = {kind: rate for kind, rate in generate.misbehave.model_dump().items() if rate}
    if generate.model.startswith(OFFLINE):
        chosen["writer"] = writer_identity()
        if rates:
            chosen["misbehave"] = rates
    return chosen


@cache
def writer_identity() -> str:
    """Return a short id of the embedded writer, made of its code and its phrase tables as this process found them first."""
    tables = {path.name: data_hash(path) for path in sorted(PROJECT.glob(WRITER_TABLES))}
    return content_id([dict(project_code().reached(WRITER_MODULE).modules), tables])


def endpoint(generate: Generate, environment: Mapping[str, str] | None = None) -> str | None:
    """Return the endpoint requests go to: the setting, else the provider's environment variable, else None for its own.

    Raises:
        UserError: no provider in the model's name, no address of a server, or a secret in it, which
            would end up in tables.
    """
    values = os.environ if environment is None else environment
    provider, slash, name = generate.model.partition("/")
    if not slash or not provider or not name:
        raise UserError(
            f"model {generate.model!r} names no provider: write it as provider/model, such as openai/gpt-4o-mini"
        )
    variables = (f"{provider.upper()}_API_BASE", f"{provider.upper()}_BASE_URL")
    found = {"api_base": generate.api_base} | {
        variable: values.get(variable) for variable in variables
    }
    name, chosen = next(((name, address) for name, address in found.items() if address), ("", None))
    try:
        return check_endpoint(chosen) if chosen else None
    except ValueError as error:
        raise UserError(f"{name} {error}") from None

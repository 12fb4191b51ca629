"""Makes a request of settings and messages."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from tasks.addresses import check_endpoint
from tasks.code_identity import PROJECT, project_code
from tasks.errors import UserError
from tasks.fingerprint import content_hash, content_id, shipped_yaml
from tasks.llm.structured_output import form_of, in_form
from tasks.llm.values import Message, Request
from tasks.local_model import LOCAL, identity_of
from tasks.settings import Generate

OFFLINE = "offline/"
IN_PROCESS = (OFFLINE, LOCAL)  # how models begin that run here: no server, no key, no price
# A name instead of an import: hosted models are asked without the mock model, so its code is not
# part of what shapes their requests.
MOCK_MODEL_MODULE = "tasks.mock_model.model"
_TABLES = "tasks/mock_model/tables/*.yaml"


def make_request(
    generate: Generate,
    messages: tuple[Message, ...],
    response_format: Mapping[str, Any] | None = None,
    attempt: int = 1,
) -> Request:
    """Return the request as it is hashed and sent.

    The endpoint is resolved here, so that one named by an environment variable is part of the
    request's key as well. A JSON schema is sent in the form that the model takes, if any; the words
    of every prompt ask for the same shape.
    """
    if response_format is not None:
        response_format = in_form(response_format, form_of(generate))
    return Request(
        generate.model, messages, endpoint(generate), sampling(generate), response_format, attempt
    )


def sampling(generate: Generate) -> dict[str, Any]:
    """Return the parameters of the model that are set: those of sampling, and `extra`.

    The mock model's also name its version and its fault rates. A stored answer is never asked for
    again, so its code and tables must be part of the request: otherwise a changed mock model would
    go on answering with the words of the one before it. A local model's name its weights.
    """
    settings = {
        "temperature": generate.temperature,
        "top_p": generate.top_p,
        "max_tokens": generate.max_tokens,
        "seed": generate.seed,
    }
    parameters: dict[str, Any] = {
        name: value for name, value in settings.items() if value is not None
    }
    if generate.model.startswith(LOCAL):
        parameters["local_model"] = identity_of(generate.model)
    rates = {kind: rate for kind, rate in generate.misbehave.model_dump().items() if rate}
    if generate.model.startswith(OFFLINE):
        parameters["mock_model"] = mock_model_identity()
        if rates:
            parameters["misbehave"] = rates
        return parameters
    return {**parameters, **generate.extra}


@cache
def mock_model_identity() -> str:
    """Return a short id of the mock model: a hash of its code and phrase tables.

    Computed once, so that edits while the process runs do not change it.
    """
    tables = {path.rpartition("/")[2]: found for path, found in mock_model_tables().items()}
    return content_id([dict(project_code().reached(MOCK_MODEL_MODULE).modules), tables])


def mock_model_tables() -> dict[str, str]:
    """Return the hash of what each phrase table of the mock model says, by its path."""
    return {
        path.relative_to(PROJECT).as_posix(): content_hash(shipped_yaml(path))
        for path in sorted(PROJECT.glob(_TABLES))
    }


def endpoint(generate: Generate, environment: Mapping[str, str] | None = None) -> str | None:
    """Return the endpoint that requests go to, or None for the provider's own.

    The setting comes first, then the provider's environment variables.

    Raises:
        UserError: no provider in the model's name, no address of a server, or a secret in it, which
            would end up in tables.
    """
    values = os.environ if environment is None else environment
    provider, slash, name = generate.model.partition("/")
    if not slash or not provider or not name:
        raise UserError(
            f"model {generate.model!r} names no provider: "
            "write it as provider/model, such as openai/gpt-4o-mini"
        )
    candidates = {"api_base": generate.api_base}
    for variable in (f"{provider.upper()}_API_BASE", f"{provider.upper()}_BASE_URL"):
        candidates[variable] = values.get(variable)
    for source, address in candidates.items():
        if not address:
            continue
        try:
            return check_endpoint(address)
        except ValueError as error:
            raise UserError(f"{source} {error}") from None
    return None

"""Parameters that a provider refuses, and the settings without them.

A model may take another name for `max_tokens`, one temperature only, or no JSON schema. The request
is made once more without what was refused, and so are all later ones of the run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tasks.llm.errors import CallError
from tasks.llm.structured_output import Form, form_of
from tasks.llm.values import Request
from tasks.settings import Generate

SCHEMA = "response_format"
_SAMPLING = ("max_tokens", "temperature", "top_p", "seed")
_PARAMETER = rf"['`\"\[]*\b({'|'.join(_SAMPLING)})\b['`\"]?"
_NAMED = re.compile(
    rf"(?:unsupported|unrecognized|unknown)\b[^.]{{0,60}}?{_PARAMETER}"
    rf"|(?:not|n't) support\b[^.]{{0,60}}?{_PARAMETER}"
    rf"|{_PARAMETER} (?:is|are|does) (?:deprecated|not)\b",
    re.IGNORECASE,
)
_OF_SCHEMA = re.compile(
    r"response_?format|response_?schema|additionalProperties|json_?schema|guided_json|prefixItems"
    r"|structured.?outputs?|output_(?:format|config)|invalid schema|grammar",
    re.IGNORECASE,
)
# A provider that does not know these knows no form of ours.
_NO_FORM = re.compile(r"additionalProperties|not support[^.]{0,40}response_?format", re.IGNORECASE)


class ParameterRefused(Exception):
    """The provider refuses a parameter that a request carries; it is asked again without it."""

    def __init__(self, parameter: str, message: str) -> None:
        super().__init__(parameter, message)
        self.parameter = parameter
        self.message = message


@dataclass(frozen=True, order=True)
class Adaptation:
    """What a run goes on without, because the provider refuses it.

    Attributes:
        parameter: the one that was refused.
        setting: the setting that says the same, dotted, and its value.
        message: the provider's own words.
    """

    parameter: str
    setting: str
    message: str

    def __str__(self) -> str:
        what = "the JSON schema" if self.parameter == SCHEMA else self.parameter
        return f"the provider refuses {what}, so it was asked with {self.setting} ({self.message})"


def refused_parameter(error: CallError, request: Request) -> str:
    """Return the parameter that an error is about, if the request carries it, else nothing."""
    if error.kind not in ("invalid", "fatal") or (error.status or 400) not in (400, 422):
        return ""
    for found in _NAMED.finditer(error.message):
        name = next(group for group in found.groups() if group)
        if name in _SAMPLING and name in request.sampling:
            return name
    if request.response_format is not None and _OF_SCHEMA.search(error.message):
        return SCHEMA
    return ""


def without(generate: Generate, refused: ParameterRefused) -> tuple[Generate, Adaptation]:
    """Return settings whose requests go without a parameter, and what is to be said of it.

    `max_tokens` is sent as `max_completion_tokens`; a schema is first sent in its plain form.
    """
    changes: dict[str, Any]
    if refused.parameter == SCHEMA:
        is_whole = form_of(generate) == "json_schema" and not _NO_FORM.search(refused.message)
        changes = {"structured_output": "json_schema_plain" if is_whole else "off"}
    elif refused.parameter == "max_tokens":
        extra = {"max_completion_tokens": generate.max_tokens, **generate.extra}
        changes = {"extra": extra, "max_tokens": None}
    else:
        changes = {refused.parameter: None}
    name, value = next(iter(changes.items()))
    shown = "max_completion_tokens" if name == "extra" else f"{'null' if value is None else value}"
    setting = f"generate.{name} {shown}"
    adaptation = Adaptation(refused.parameter, setting, refused.message)
    return _changed(generate, **changes), adaptation


def _changed(generate: Generate, **changes: Any) -> Generate:
    return generate.model_copy(update=changes)


def asked_as(generate: Generate) -> Iterator[Generate]:
    """Yield the settings that a run with these may have asked with, its own first.

    They differ by what providers refuse.
    """
    forms: list[Form] = ["json_schema_plain", "off"]
    schemas = [generate, *(_changed(generate, structured_output=form) for form in forms)]
    for settings in schemas:
        yield settings
        yield without(settings, ParameterRefused("max_tokens", ""))[0]
        yield _changed(settings, temperature=None)

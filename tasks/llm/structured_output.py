"""Which response format a model gets: the prompts' schema, or a reduced form of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from tasks.llm.model_catalogue import takes_schema
from tasks.llm.text_likelihood import is_likelihood
from tasks.local_model import LOCAL
from tasks.settings import Generate

Form = Literal["json_schema", "json_schema_plain", "json_object", "off"]

Schema = Mapping[str, Any]
ResponseFormat = Mapping[str, Any]


def form_of(generate: Generate) -> Form:
    """Return the form in which a model gets the schema, where a prompt has one.

    `auto` sends the plain form to models that litellm's map knows to take a schema, and none to
    others: a server of one's own says what it takes when it is probed.
    """
    if generate.structured_output != "auto":
        return generate.structured_output
    # A local model decodes under the whole schema.
    if generate.model.startswith(LOCAL):
        return "json_schema"
    return "json_schema_plain" if takes_schema(generate.model) else "off"


def in_form(response_format: ResponseFormat | None, form: Form) -> ResponseFormat | None:
    """Return a prompt's response format in a form; None if none is to be sent.

    The schema of a single utterance is sent whole or not at all: what it adds to the words of its
    prompt, which ask for plain text, are the items in it, and no other form names them.
    """
    if is_likelihood(response_format):
        return response_format  # no schema
    if response_format is None or form == "off":
        return None
    if form != "json_schema" and _is_of_utterance(response_format):
        return None
    if form == "json_object":
        return {"type": "json_object"}
    return plain_form(response_format) if form == "json_schema_plain" else response_format


def _is_of_utterance(response_format: ResponseFormat) -> bool:
    schema = response_format.get("json_schema", {}).get("schema", {})
    return list(schema.get("properties", {})) == ["text"]


def plain_form(response_format: ResponseFormat) -> dict[str, Any]:
    """Return a response format for strict modes that know a subset of JSON schema only.

    Lists have one schema for all entries and texts no pattern, so the number of turns and the two
    roles stay, and their order is left to the words of the prompt. OpenAI's subset, for one, has
    no `prefixItems`, and each new schema takes it seconds to compile: this form differs by the
    number of turns alone.
    """
    outer = dict(response_format["json_schema"])
    return {**response_format, "json_schema": {**outer, "schema": _reduced(outer["schema"])}}


def _reduced(schema: Schema) -> dict[str, Any]:
    reduced = {name: value for name, value in schema.items() if name != "pattern"}
    if "properties" in reduced:
        properties = reduced["properties"].items()
        reduced["properties"] = {name: _reduced(value) for name, value in properties}
    if "prefixItems" in reduced:
        reduced["items"] = _merged([_reduced(entry) for entry in reduced.pop("prefixItems")])
    return reduced


def _merged(schemas: Sequence[Schema]) -> dict[str, Any]:
    """Return one schema for what any of the schemas allows; they differ in their enums alone."""
    merged = dict(schemas[0])
    if "enum" in merged:
        merged["enum"] = sorted({value for schema in schemas for value in schema["enum"]})
    if "properties" in merged:
        merged["properties"] = {
            name: _merged([schema["properties"][name] for schema in schemas])
            for name in merged["properties"]
        }
    return merged

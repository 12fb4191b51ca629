"""Which response format a model gets: the prompts' schema, or a reduced form of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Schema = Mapping[str, Any]
ResponseFormat = Mapping[str, Any]


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

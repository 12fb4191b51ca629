"""The models of `generate.models`, and how the mock model spoils its answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from tasks.settings.sources import Endpoint, Settings

Rate = Annotated[float, Field(ge=0, le=1)]


def _off_is_a_word(value: Any) -> Any:
    """Accept `off`, which YAML reads as false."""
    return "off" if value is False else value


StructuredOutput = Annotated[
    Literal["auto", "json_schema", "json_schema_plain", "json_object", "off"],
    BeforeValidator(_off_is_a_word),
]
MOCK_MODEL = "offline/writer"  # the model string of the mock model, tasks/mock_model


class Misbehave(Settings):
    """How often the mock model spoils an answer, by kind.

    For demos and tests; hosted models ignore it.
    """

    cut_off: Rate = Field(0.0, description="The answer breaks off")
    garbled: Rate = Field(0.0, description="Unreadable characters stand in a turn")
    slot_left: Rate = Field(0.0, description="A template slot is left unfilled")
    wrong_length: Rate = Field(0.0, description="A turn is missing or doubled")
    ungrounded: Rate = Field(
        0.0, description="Names a wrong item, praises a dislike or leaks a goal's wording"
    )


class CascadeModel(Settings):
    """One model of a cascade, as a string or with what is its own."""

    model: str = Field(description="litellm model string, provider/model", pattern=r"^\S+$")
    api_base: Endpoint | None = Field(
        None, description="Endpoint of an OpenAI-compatible server, Ollama or vLLM"
    )
    input_cost_per_token: float | None = Field(
        None, ge=0, description="US dollars; overrides litellm's price map"
    )
    output_cost_per_token: float | None = Field(
        None, ge=0, description="US dollars; overrides litellm's price map"
    )
    structured_output: StructuredOutput | None = Field(
        None, description="As `generate.structured_output`, which holds if it is not given"
    )
    context_tokens: int | None = Field(
        None, ge=256, description="As `generate.limits.context_tokens`, which holds if not given"
    )
    misbehave: Misbehave | None = Field(
        None, description="Of the mock model; as `generate.misbehave` if not given"
    )

    @model_validator(mode="before")
    @classmethod
    def _named_alone(cls, given: Any) -> Any:
        """Accept a model string for a model without settings of its own."""
        return {"model": given} if isinstance(given, str) else given


def first_model(given: Any) -> str | None:
    """Return the model string of the first entry of `models` as it was given, or None."""
    first = given[0] if isinstance(given, list | tuple) and given else None
    if isinstance(first, Mapping):
        first = first.get("model")
    if isinstance(first, CascadeModel):
        first = first.model
    return first if isinstance(first, str) else None

"""Settings of the judge in the quality gate."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from tasks.settings.extra_parameters import check_extra
from tasks.settings.models import CascadeModel
from tasks.settings.sources import Endpoint, Settings


class Judge(Settings):
    """Which model judges in the gate, and how many dialogues. Without a model there is none."""

    model: str | None = Field(
        None,
        description="litellm model string of the judge; better not of the model that writes",
        pattern=r"^\S+$",
    )
    confirm: CascadeModel | None = Field(
        None,
        description=(
            "A stronger model that judges what the first one rejects; its verdict is the one that "
            "counts"
        ),
    )
    share: float = Field(
        1.0,
        gt=0,
        le=1,
        description="Share of the dialogues that are judged, drawn by the seed and their ids",
    )
    api_base: Endpoint | None = Field(
        None, description="Endpoint of an OpenAI-compatible server, Ollama or vLLM"
    )
    input_cost_per_token: float | None = Field(
        None, ge=0, description="US dollars; overrides litellm's price map"
    )
    output_cost_per_token: float | None = Field(
        None, ge=0, description="US dollars; overrides litellm's price map"
    )
    temperature: float | None = Field(
        0.0, ge=0, le=2, description="Sampling temperature; null leaves it to the provider"
    )
    max_tokens: int | None = Field(4096, ge=256, description="Most output tokens of one verdict")
    extra: Annotated[dict[str, Any], AfterValidator(check_extra)] = Field(
        {}, description="Further parameters for the provider, as it names them"
    )

    @model_validator(mode="after")
    def _model_first(self) -> Judge:
        if self.confirm is not None and self.model is None:
            raise ValueError("`confirm` is for what a first judge rejects: name it as `model`")
        return self

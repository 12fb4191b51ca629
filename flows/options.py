"""What a caller may choose for one build: the command line's options, a deployment's form and a backfill share this one model."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tasks.settings.loading import merge


class BuildOptions(BaseModel):
    """Choices laid over the domain file. Whatever is left empty stays as the domain file says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str | None = Field(None, description="litellm model string, such as openai/gpt-4o-mini or offline/writer", pattern=r"^\S+$")
    api_base: str | None = Field(None, description="Endpoint of an OpenAI-compatible server, Ollama or vLLM")
    profile: Literal["grounded", "paper"] | None = Field(None, description="Prompt profile")
    rollout: Literal["single", "dual"] | None = Field(None, description="One call a dialogue, or turn by turn with two agents")
    mode: Literal["live", "batch"] | None = Field(None, description="Live calls, or the provider's batch API")
    seed: int | None = Field(None, description="Seed of every random choice")
    max_dialogues: int | None = Field(None, ge=1, description="Plan at most so many dialogues")
    accepted: int | None = Field(None, ge=1, description="Stop asking once so many dialogues are accepted")
    max_attempts: int | None = Field(None, ge=1, le=10, description="Attempts a brief gets: the first request and its repairs")
    budget_usd: float | None = Field(None, ge=0, description="Hard stop, in US dollars")
    concurrency: int | None = Field(None, ge=1, le=4096, description="Most calls in flight")
    rpm: int | None = Field(None, ge=1, description="Requests a minute the provider allows")
    tpm: int | None = Field(None, ge=1, description="Tokens a minute the provider allows")
    workers: int | None = Field(None, ge=1, le=64, description="Processes that send requests")
    pseudonymise: bool = Field(False, description="Release keyed hashes in place of user ids (key: REDIAL_PSEUDONYM_KEY)")
    settings: dict[str, Any] = Field({}, description="Any other setting of the domain file, nested as there")

    def over(self) -> dict[str, Any]:
        """Return the choices nested as in a domain file; what was left empty is left out."""
        limits = _given(budget_usd=self.budget_usd, concurrency=self.concurrency, rpm=self.rpm, tpm=self.tpm)
        generate = _given(
            model=self.model,
            api_base=self.api_base,
            profile=self.profile,
            rollout=self.rollout,
            mode=self.mode,
            max_attempts=self.max_attempts,
            workers=self.workers,
            limits=limits or None,
        )
        briefs = _given(max_dialogues=self.max_dialogues)
        chosen = _given(seed=self.seed, generate=generate or None, briefs=briefs or None)
        return merge(self.settings, chosen)


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}

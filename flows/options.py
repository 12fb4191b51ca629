"""What a caller may choose for one build: the command line's options, a deployment's form and a backfill share this one model."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tasks.settings.loading import merge

MODELS = (
    "offline/writer",
    "openai/gpt-4o-mini",
    "openai/gpt-4.1-mini",
    "anthropic/claude-haiku-4-5",
    "gemini/gemini-2.5-flash",
    "ollama/llama3.1",
    "hosted_vllm/meta-llama/Llama-3.1-8B-Instruct",
)
_MODEL = r"^\S+$"


def _as_form(schema: dict[str, Any]) -> None:
    """Describe a choice that may be left empty by its own type alone, so that a form shows one plain field for it.

    Prefect's form sends null for an empty field. Its check takes that wherever a type stands alone, and in an enumeration that has it.
    """
    for described in schema["properties"].values():
        kinds = [kind for kind in described.get("anyOf", []) if kind != {"type": "null"}]
        if len(kinds) == 1:
            del described["anyOf"]
            described.update(kinds[0])
        if "enum" in described:
            described["enum"] = [*described["enum"], None]
        if described.get("default", ...) is None:
            del described["default"]


class BuildOptions(BaseModel):
    """Choices laid over the domain file. Whatever is left empty stays as the domain file says."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=_as_form)

    model: str | None = Field(
        None,
        description="A model to choose, or any other litellm model string",
        pattern=_MODEL,
        json_schema_extra={
            "anyOf": [{"title": "one of", "enum": [*MODELS, None]}, {"title": "another", "type": "string", "pattern": _MODEL}]
        },
    )
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
    dask: str | None = Field(None, description="Dask cluster that sends the requests: tcp://HOST:PORT, or local:N for N processes here")
    pseudonymise: bool = Field(
        False, description="Release keyed hashes in place of user ids, and no times (key: REDIAL_PSEUDONYM_KEY, else generated)"
    )
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

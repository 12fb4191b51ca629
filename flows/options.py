"""What a caller may choose of a build or an evaluation.

Typed once for the command line, deployments' forms and backfills.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from tasks.redaction import holds_secret
from tasks.settings import MOCK_MODEL, Endpoint, Home, Limits, merge

MODELS = (
    MOCK_MODEL,
    "openai/gpt-4o-mini",
    "openai/gpt-4.1-mini",
    "anthropic/claude-haiku-4-5",
    "gemini/gemini-2.5-flash",
    "ollama/llama3.1",
    "hosted_vllm/meta-llama/Llama-3.1-8B-Instruct",
)
_MODEL = r"^\S+$"
Count = Annotated[int, Field(ge=1)]
Noun = Annotated[str, Field(pattern=r"^[^\W\d_][\w -]{0,39}$")]


def _as_form(schema: dict[str, Any]) -> None:
    """Describe a choice that may be left empty by its own type, so that a form shows a plain field.

    Prefect's form sends null for an empty field. Its check takes that wherever a type stands alone,
    and in an enumeration that has it.
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

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, json_schema_extra=_as_form
    )

    model: str | None = Field(
        None,
        description="A litellm model string, such as openai/gpt-4o-mini",
        pattern=_MODEL,
        json_schema_extra={
            "anyOf": [
                {"title": "one of", "enum": [*MODELS, None]},
                {"title": "another", "type": "string", "pattern": _MODEL},
            ]
        },
    )
    api_base: Endpoint | None = Field(
        None, description="Endpoint of an OpenAI-compatible server, Ollama or vLLM"
    )
    profile: Literal["grounded", "paper"] | None = Field(
        None, description="Prompt profile: grounded or paper"
    )
    rollout: Literal["single", "dual"] | None = Field(
        None, description="single (one call a dialogue) or dual (two agents, turn by turn)"
    )
    mode: Literal["live", "batch"] | None = Field(
        None, description="live (calls at once) or batch (the provider's batch API)"
    )
    seed: int | None = Field(None, description="Seed of every random choice")
    max_dialogues: int | None = Field(None, ge=1, description="Plan at most so many dialogues")
    accepted: int | None = Field(
        None, ge=1, description="Stop asking once so many dialogues are accepted"
    )
    max_attempts: int | None = Field(
        None, ge=1, le=10, description="Attempts a brief gets: the first request and its repairs"
    )
    budget_usd: float | None = Field(
        None, ge=0, description="Hard stop, in US dollars; the same command goes on later"
    )
    budget_scope: Literal["dataset", "run"] | None = Field(
        None,
        description="dataset (the budget is for all runs with the same settings together) "
        "or run (for each run)",
    )
    concurrency: int | None = Field(None, ge=1, le=4096, description="Maximum concurrent requests")
    rpm: int | None = Field(None, ge=1, description="Requests a minute the provider allows")
    tpm: int | None = Field(None, ge=1, description="Tokens a minute the provider allows")
    workers: int | None = Field(None, ge=1, le=64, description="Processes that send requests")
    dask: str | None = Field(
        None,
        description="Dask cluster that sends requests: "
        "tcp://HOST:PORT, or local:N for N processes here",
    )
    pseudonymise: bool = Field(
        False,
        description="Release keyed hashes in place of user ids, and no times "
        "(key: REDIAL_PSEUDONYM_KEY, else generated)",
    )
    settings: dict[str, Any] = Field(
        {}, description="Any other setting of the domain file, nested as there"
    )

    @field_validator("settings")
    @classmethod
    def _without_secrets(cls, settings: dict[str, Any]) -> dict[str, Any]:
        """Refuse what would be stored with the run though it is secret."""
        if any(holds_secret(text) for text in _texts(settings)):
            raise ValueError(
                "hold a password, key or signature, which would be stored with the run: "
                "a signed address belongs in the domain file"
            )
        return settings

    def over(self) -> dict[str, Any]:
        """Return the choices nested as in a domain file; what was left empty is left out."""
        limits = _given(
            budget_usd=self.budget_usd,
            budget_scope=self.budget_scope,
            concurrency=self.concurrency,
            rpm=self.rpm,
            tpm=self.tpm,
        )
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


def _texts(value: Any) -> Iterator[str]:
    """Yield every text in nested settings."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for below in value.values():
            yield from _texts(below)
    elif isinstance(value, list | tuple):
        for below in value:
            yield from _texts(below)


class EvaluationOptions(BaseModel):
    """Choices that every evaluation has: how models are asked, and where tables go."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    api_base: Endpoint | None = Field(
        None,
        description="Endpoint of an OpenAI-compatible server, or another than the provider's own",
    )
    budget_usd: float | None = Field(
        None, ge=0, description="Hard stop of the whole evaluation, in US dollars"
    )
    concurrency: int | None = Field(
        None, ge=1, le=4096, description="Maximum concurrent requests to one model"
    )
    rpm: int | None = Field(
        None, ge=1, description="Requests a minute the provider of a model allows"
    )
    tpm: int | None = Field(
        None, ge=1, description="Tokens a minute it allows, input and output together"
    )
    max_tokens: int | None = Field(
        None,
        ge=1,
        description="Longest answer, in tokens; 2048 if not given, for a local model "
        "what its settings say",
    )
    timeout: float | None = Field(
        None, gt=0, description="Seconds before a call counts as hung; 120 if not given"
    )
    seed: int = Field(2024, description="Seed of every random choice")
    out: str | None = Field(
        None, description="Folder for what comes out; beside the data folder's reports if not given"
    )
    data: str | None = Field(None, description="Data folder in place of the project's own")

    def home(self) -> Home:
        """Return the data folder to work on."""
        return Home.find(Path(self.data) if self.data else None)

    def folder(self, name: str) -> Path:
        """Return the folder that tables go to: the one chosen, or one beside the reports."""
        return Path(self.out) if self.out else self.home().data / "reports" / "evaluation" / name

    def limits(self) -> Limits:
        """Return the limits that were chosen, and the build's own where none was."""
        return Limits(
            **_given(
                budget_usd=self.budget_usd,
                concurrency=self.concurrency,
                rpm=self.rpm,
                tpm=self.tpm,
                timeout_s=self.timeout,
            )
        )


class SampleOptions(BaseModel):
    """Choices of evaluations that ask for recommendations: how samples are parted and worded."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    split: Literal["user", "item", "time"] = Field(
        "user", description="What a test question shares with no training one: user, item or time"
    )
    test_share: float = Field(
        0.5,
        gt=0,
        lt=0.9,
        description="Share of the samples that are test questions; "
        "as many again, at most 10 %, are set aside",
    )
    profile: str = Field(
        "recommend_json", description="Words of the questions: recommend_json or recommend_paper"
    )
    noun: Noun | None = Field(
        None,
        description="What one item is called in the questions; as the domain says, "
        "movie for ReDial and INSPIRED, else item, if not given",
    )


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}

"""The configuration's shape.

Every number of the paper is here once, with its section, as a default.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from tasks.machine import MOST_THREADS, Machine, amount_of_memory, this_machine
from tasks.settings.extra_parameters import check_extra
from tasks.settings.judge import Judge
from tasks.settings.models import (
    MOCK_MODEL,
    CascadeModel,
    Misbehave,
    Rate,
    StructuredOutput,
    first_model,
)
from tasks.settings.sources import (
    PAPER_SCALE,
    Endpoint,
    LineageTarget,
    ObjectStore,
    Settings,
    Sources,
)

Severity = Literal["reject", "warn", "off"]
BudgetScope = Literal["dataset", "run"]
# What a model of a cascade has instead of the settings of the same names.
_ITS_OWN = ("model", "api_base", "input_cost_per_token", "output_cost_per_token")


class Bias(Settings):
    """Correction of user-rating bias, which the paper names as a limitation. Off by default."""

    normalise_ratings: Literal["off", "user_mean"] = Field(
        "off",
        description=(
            "user_mean: rating - user mean + global mean, before LIKES and DISLIKES are drawn"
        ),
    )


class Preprocess(Settings):
    """Appendix B of the paper."""

    irregular_tokens: Literal["drop", "keep"] = Field(
        "drop", description="Drop tokens that are not words (App. B)"
    )
    min_words: int = Field(20, ge=0, description="Shortest review kept, in words (App. B)")
    max_words: int = Field(400, ge=1, description="Longest review kept, in words (App. B)")
    core: Literal["one_pass", "fixpoint"] = Field(
        "one_pass", description="Count interactions once, or until nothing falls"
    )
    count: Literal["all", "judged"] = Field(
        "all",
        description=(
            "Interactions counted: all ratings, as App. B reads, or likes and dislikes alone, as "
            "the published data show"
        ),
    )
    min_user_interactions: int = Field(
        10, ge=1, description="Fewest reviews a user must have (App. B)"
    )
    min_item_interactions: int = Field(
        10, ge=1, description="Fewest reviews an item must have (App. B)"
    )
    like_min: float = Field(4.0, description="A rating at or above it is a like (App. B)")
    dislike_max: float = Field(2.0, description="A rating at or below it is a dislike (App. B)")
    might_like_share: float = Field(
        0.10,
        gt=0,
        lt=1,
        description="Last share of a user's likes that become MIGHT_LIKES (App. B)",
    )
    might_like_min: int = Field(1, ge=0, description="Fewest MIGHT_LIKES of a user who has likes")
    bias: Bias = Bias()

    @model_validator(mode="after")
    def _consistent(self) -> Preprocess:
        if self.min_words > self.max_words:
            raise ValueError("`min_words` is above `max_words`")
        if self.dislike_max >= self.like_min:
            raise ValueError("`dislike_max` must be below `like_min`")
        return self


class Briefs(Settings):
    """How dialogues are planned (2.4.2, 2.5.1)."""

    templates: str = Field(
        "curated", description="Template set: `curated` or a file name in goal_specs/templates"
    )
    weights: dict[Literal[1, 2, 3], float] = Field(
        {1: 0.27, 2: 0.31, 3: 0.42},
        description="Share of dialogues with 1, 2 and 3 recommendations (published release)",
    )
    mean_utterances: float = Field(
        10.13, description="Mean utterances per dialogue aimed at (Table 3)", ge=6, le=16
    )
    max_dialogues: int | None = Field(
        None, ge=1, description="Plan at most so many dialogues, in user order"
    )
    grow: bool | None = Field(
        None,
        description=(
            "Keep the briefs that earlier builds planned and the histories they show; new reviews "
            "only add briefs. Where it is not set, backfills do, other builds plan all again "
            "(docs/how-to/grow.md)"
        ),
    )

    @field_validator("weights", mode="before")
    @classmethod
    def _by_number(cls, weights: Any) -> Any:
        """Accept numbers as text: JSON, in which a run's settings are stored, has no other keys."""
        names = {"1": 1, "2": 2, "3": 3}
        if not isinstance(weights, dict):
            return weights
        return {names.get(name, name): weight for name, weight in weights.items()}

    @field_validator("weights")
    @classmethod
    def _some_weight(cls, weights: dict[Literal[1, 2, 3], float]) -> dict[Literal[1, 2, 3], float]:
        if min(weights.values(), default=0) < 0 or not any(weights.values()):
            raise ValueError("must be shares of 0 or more, at least one of them above 0")
        return weights


class Limits(Settings):
    """What the provider allows. None means no limit of ours."""

    rpm: int | None = Field(None, ge=1, description="Requests a minute")
    tpm: int | None = Field(None, ge=1, description="Tokens a minute, input and output together")
    concurrency: int = Field(64, ge=1, le=4096, description="Maximum concurrent requests")
    timeout_s: float = Field(120, gt=0, description="Seconds before a call counts as hung")
    max_answer_bytes: int = Field(
        1_000_000,
        ge=1_000,
        le=10_000_000,
        description="Longest text of an answer that is read, in bytes of UTF-8",
    )
    max_wait_s: float = Field(
        900,
        ge=0,
        description=(
            "Longest pause a provider's Retry-After is followed for, in seconds; refused again "
            "after it, the run ends"
        ),
    )
    shutdown_grace_s: float = Field(
        15,
        ge=0,
        description=(
            "Seconds that calls in flight get to arrive after Ctrl-C or SIGTERM; a second signal "
            "ends at once"
        ),
    )
    batch_tokens: int | None = Field(
        None,
        ge=1,
        description="Input tokens that may wait at the provider in batches (OpenAI's enqueued "
        "token limit); without it a refusal shows the limit",
    )
    max_retries: int = Field(6, ge=0, description="Tries after the first, on transient errors only")
    budget_usd: float | None = Field(None, ge=0, description="Hard stop, in US dollars")
    budget_scope: BudgetScope = Field(
        "dataset",
        description=(
            "What the budget is for: all runs with these settings of the domain together, or each "
            "run"
        ),
    )
    breaker_failures: int = Field(
        20,
        ge=1,
        description="Transient failures in a row, with no success between, that end the run",
    )
    context_tokens: int | None = Field(
        None,
        ge=256,
        description="The model's context window, in tokens: a prompt that will not fit is not sent",
    )
    probe: bool = Field(
        True,
        description="Find out with at most three answers what a server of your own can do, before "
        "the first build with it",
    )
    stop_after_unusable: int = Field(
        8,
        ge=0,
        le=1000,
        description="Answers at the beginning of a run that all say nothing (empty, refused, cut "
        "off while reasoning) or cannot be read, and end it; later 20 of the last 25 do. "
        "0 never ends it",
    )
    stop_after_rejected: int = Field(
        8,
        ge=0,
        le=1000,
        description="Briefs that are asked and judged before the rest, except in batch mode; if "
        "all of them break the same rule, the run ends. Later 20 of the last 25 that are judged "
        "end it. 0 asks for all at once, as for the mock model",
    )


class Generate(Settings):
    """Which model writes, and how it is asked (2.5.1, 2.6)."""

    model: str = Field(
        MOCK_MODEL, description="litellm model string, provider/model", pattern=r"^\S+$"
    )
    models: tuple[CascadeModel, ...] = Field(
        (),
        max_length=5,
        description=(
            "A cascade in place of one model, from the cheapest to the strongest: each attempt at "
            "a brief asks the next one, the last one asks on (docs/how-to/own-model.md)"
        ),
    )
    api_base: Endpoint | None = Field(
        None, description="Endpoint of an OpenAI-compatible server, Ollama or vLLM"
    )
    profile: str = Field(
        "grounded",
        description="Prompt profile: a file in goal_specs/prompts",
        pattern=r"^[a-z][a-z0-9_]*$",
    )
    rollout: Literal["single", "dual"] = Field(
        "single", description="One call a dialogue, or turn by turn with two agents"
    )
    mode: Literal["live", "batch"] = Field(
        "live", description="Live calls, or the provider's batch API"
    )
    temperature: float | None = Field(
        0.7, ge=0, le=2, description="Sampling temperature; null leaves it to the provider"
    )
    top_p: float | None = Field(
        None, gt=0, le=1, description="Nucleus sampling share; null leaves it to the provider"
    )
    max_tokens: int | None = Field(2048, ge=16, description="Most output tokens of one answer")
    seed: int | None = Field(
        None, description="Sampling seed sent to the provider, where it takes one"
    )
    structured_output: StructuredOutput = Field(
        "auto",
        description="What holds an answer to its shape: json_schema (the whole schema, for engines "
        "that decode under it), json_schema_plain (for strict modes with a subset), json_object, "
        "off; auto asks litellm's map, and what `redial probe` found",
    )
    extra: Annotated[dict[str, Any], AfterValidator(check_extra)] = Field(
        {},
        description="Further parameters for the provider, as it names them: num_ctx, think, "
        "reasoning_effort, service_tier ...; part of each request",
    )
    chunk_size: int = Field(200, ge=1, le=100_000, description="Briefs in one Prefect task")
    workers: int = Field(1, ge=1, le=64, description="Processes that send requests")
    journals: ObjectStore | None = Field(
        None,
        description="Store for the journals of answers, such as s3://BUCKET/FOLDER, for Dask "
        "workers that do not share the data folder; answers are fetched from there and stay in it "
        "only until they are loaded",
    )
    max_attempts: int = Field(
        3, ge=1, le=10, description="Attempts a brief gets: the first request and its repairs"
    )
    input_cost_per_token: float | None = Field(
        None, ge=0, description="US dollars; overrides litellm's price map"
    )
    output_cost_per_token: float | None = Field(
        None, ge=0, description="US dollars; overrides litellm's price map"
    )
    limits: Limits = Limits()
    misbehave: Misbehave = Misbehave()

    @model_validator(mode="before")
    @classmethod
    def _model_of_cascade(cls, given: Any) -> Any:
        """Name the first model of a cascade as the model, where none is named."""
        if not isinstance(given, Mapping) or "model" in given:
            return given
        first = first_model(given.get("models"))
        return given if first is None else {**given, "model": first}

    @model_validator(mode="after")
    def _one_way_to_name_models(self) -> Generate:
        if not self.models:
            return self
        first = self.models[0].model
        if self.model != first:
            raise ValueError(
                f"`model` is {self.model!r} and `models` begins with {first!r}: leave `model` "
                "out, or set `models` to []"
            )
        given = [name for name in _ITS_OWN[1:] if getattr(self, name) is not None]
        if given:
            raise ValueError(
                f"`{given[0]}` belongs to one model: write it in `models`, as "
                f"{{model: {first}, {given[0]}: ...}}"
            )
        return self

    def at_attempt(self, attempt: int) -> Generate:
        """Return the settings of one attempt (from 1), with the one model that it asks."""
        if not self.models:
            return self
        chosen = self.models[min(attempt, len(self.models)) - 1]
        own = {name: getattr(chosen, name) for name in _ITS_OWN}
        own["misbehave"] = chosen.misbehave or self.misbehave
        own["structured_output"] = chosen.structured_output or self.structured_output
        if chosen.context_tokens:
            window = {"context_tokens": chosen.context_tokens}
            own["limits"] = self.limits.model_copy(update=window)
        return self.model_copy(update={"models": (), **own})

    @property
    def named_models(self) -> str:
        """The model strings, in the order in which they are asked."""
        return ", then ".join(dict.fromkeys(one.model for one in self.each_model()))

    def each_model(self) -> tuple[Generate, ...]:
        """Return the settings of each model, in the order in which they are asked."""
        return tuple(self.at_attempt(number) for number in range(1, max(1, len(self.models)) + 1))


class Quality(Settings):
    """Which suites judge, and how severe each rule is (2.5.2)."""

    suites: tuple[str, ...] = Field(
        ("paper", "grounded"), min_length=1, description="Suite files in expectations/"
    )
    severities: dict[str, Severity] = Field(
        {}, description="Rule name to severity, over the suite's own"
    )
    judge: Judge = Judge()

    @field_validator("severities", mode="before")
    @classmethod
    def _off_is_a_word(cls, value: Any) -> Any:
        """Accept `off`, which YAML reads as false."""
        if not isinstance(value, dict):
            return value
        return {rule: "off" if severity is False else severity for rule, severity in value.items()}


class Pages(Settings):
    """What is kept to look back at: a report and Data Docs for each run."""

    keep: int = Field(
        20,
        ge=1,
        le=10_000,
        description=(
            "Newest runs whose pages are kept; for each release that is there those of one run "
            "stay beyond that"
        ),
    )


class Alert(Settings):
    """When a run that completed ends as `Alert`. None and empty: never."""

    acceptance_below: Rate | None = Field(
        None, description="Least share of accepted dialogues, of those the run asked for"
    )
    cost_above_usd: float | None = Field(
        None, ge=0, description="Most that a run may cost, in US dollars"
    )
    minutes_above: float | None = Field(
        None, gt=0, description="Longest that a run may take, in minutes"
    )
    rules_above: dict[str, Rate] = Field(
        {}, description="Rule name to the largest share of first attempts that may break it"
    )
    changes: bool = Field(False, description="Alert on every change that `redial history` marks")


class Lineage(Settings):
    """Where OpenLineage events of a build are sent.

    The client's own environment variables and files count as well (docs/how-to/trace-lineage.md).
    """

    to: LineageTarget | None = Field(
        None,
        description=(
            "Where events go: file:///PATH, to which lines are added, or the address of a server, "
            "as http://127.0.0.1:5000"
        ),
    )
    namespace: str = Field(
        "llm-redial",
        description="Namespace of jobs and warehouse tables in the events",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}$",
    )


class MachineLimits(Settings):
    """What a run may use of the machine (docs/how-to/install.md); no part of the settings' hash."""

    threads: int | None = Field(
        None,
        ge=1,
        le=MOST_THREADS,
        description="Threads; REDIAL_THREADS, or else the cores the process may run on, if not set",
    )
    memory: Annotated[str, AfterValidator(amount_of_memory)] | None = Field(
        None,
        description=(
            "DuckDB's memory, as 2GB, beyond which it uses files beside its own; REDIAL_MEMORY, or "
            "else 60 % of what is free, if not set"
        ),
    )

    def machine(self) -> Machine:
        """Return what may be used here. Raises UserError on a wrong variable."""
        return this_machine(self.threads, self.memory)


class Domain(Settings):
    """A domain: what is ingested, how it is cut, who writes, who judges.

    One YAML file in data/domains.
    """

    name: str = Field(
        description="The file's name without .yaml; may be left out",
        pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$",
    )
    title: str = Field("", description="What a person calls the domain", max_length=200)
    noun: str = Field(
        "item",
        description='What one item is called in a dialogue, such as "movie"',
        pattern=r"^[^\W\d_][\w -]{0,39}$",
    )
    verb: str = Field(
        "tried",
        description='What one did with an item, past tense, such as "watched"',
        pattern=r"^[^\W\d_][\w -]{0,39}$",
    )
    language: str = Field(
        "en", description="Language of the dialogues, two letters", pattern=r"^[a-z]{2}$"
    )
    license: str = Field(
        "",
        description=(
            "Terms of the releases, as an address or in words; stated in their Croissant "
            "description"
        ),
        max_length=500,
    )
    sources: Sources
    untitled: Literal["drop", "use_id"] = Field(
        "drop", description="Items without a title: left out, or called by their id"
    )
    merge_editions: bool = Field(
        False,
        description=(
            "Items whose cleaned titles read the same become one, under the first of their ids "
            "(docs/explanation/ingest.md)"
        ),
    )
    max_bad_share: Rate = Field(
        0.01, description="Share of unusable source lines above which ingest stops"
    )
    seed: int = Field(2024, description="Seed of every random choice")
    preprocess: Preprocess = Preprocess()
    briefs: Briefs = Briefs()
    generate: Generate = Generate()
    quality: Quality = Quality()
    pages: Pages = Pages()
    alert: Alert = Alert()
    lineage: Lineage = Lineage()
    machine: MachineLimits = MachineLimits()

    @model_validator(mode="after")
    def _judges_on_its_scale(self) -> Domain:
        """Require both thresholds on a scale other than the paper's: 4 of 10 is not a like."""
        (low, high), cut = self.sources.rating_scale, self.preprocess
        if high != PAPER_SCALE[1] and not {"like_min", "dislike_max"} <= cut.model_fields_set:
            like, dislike = (low + share * (high - low) for share in (0.75, 0.25))
            raise ValueError(
                "the paper's `preprocess.like_min` 4 and `dislike_max` 2 are for 1 to 5: on a "
                f"`rating_scale` of {low:g} to {high:g} set both, such as {like:g} and {dislike:g}"
            )
        if not (cut.like_min <= high and cut.dislike_max >= low):
            raise ValueError(
                f"`preprocess.like_min` {cut.like_min:g} and `dislike_max` {cut.dislike_max:g} "
                f"must be on the `rating_scale`, {low:g} to {high:g}"
            )
        return self

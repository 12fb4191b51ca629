"""The recommendation prompts (App. D.2) as profiles, and the messages made from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from string import Template
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from tasks.errors import UserError
from tasks.evaluation.corpora import Utterance
from tasks.evaluation.samples import Sample
from tasks.fingerprint import unit
from tasks.llm import Message
from tasks.prompts import fence
from tasks.settings import Home, read_yaml, validation_line

Setting = Literal["zero-shot", "few-shot", "fine-tuned"]
SETTINGS: tuple[Setting, ...] = ("zero-shot", "few-shot", "fine-tuned")
_PLACES = {"noun", "count", "shots", "conversation", "history", "examples"}
_SPEAKER = {"user": "User", "agent": "Agent"}


class RecommendProfile(BaseModel):
    """How a model is asked for recommendations.

    Texts take the places `$noun $count $shots $conversation $history $examples`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str = Field(pattern=r"^recommend_[a-z0-9_]+$")
    version: int = Field(ge=1)
    recommendations: int = Field(50, ge=1, le=200, description="Titles asked for (App. D.2)")
    temperature: float = Field(0.0, ge=0, le=2, description="Decoding temperature (4.2.1)")
    shots: int = Field(5, ge=1, le=50, description="Examples of the few-shot setting (4.2.1)")
    history_most: int = Field(
        0, ge=0, description="Most history titles shown, the last ones; 0 shows all"
    )
    fenced: bool = Field(description="Whether people's text stands in marked data blocks")
    json_answer: bool = Field(
        description=(
            "Whether the words ask for JSON; fine-tuning then teaches JSON, else a numbered list"
        )
    )
    dialogue: str
    dialogue_history: str
    few: str
    few_history: str

    @field_validator("dialogue", "dialogue_history", "few", "few_history")
    @classmethod
    def _places(cls, text: str) -> str:
        unknown = set(Template(text).get_identifiers()) - _PLACES
        if unknown or not Template(text).is_valid() or "$conversation" not in text:
            raise ValueError(
                f"needs the place $conversation and knows no others than "
                f"{', '.join(sorted(_PLACES))}"
            )
        return text


def load_recommend_profile(home: Home, name: str) -> RecommendProfile:
    """Load a profile from goal_specs/evaluation. Raises UserError when it is missing or wrong."""
    folder = home.project / "goal_specs" / "evaluation"
    known = {path.stem: path for path in sorted(folder.glob("recommend_*.yaml"))}
    if name not in known:
        raise UserError(
            f"unknown recommendation profile {name[:80]!r}; known: {', '.join(known) or 'none'}"
        )
    try:
        return RecommendProfile.model_validate(read_yaml(known[name]))
    except ValidationError as error:
        raise UserError(f"{known[name]}: {validation_line(error)}") from None


def recommend_messages(
    profile: RecommendProfile,
    sample: Sample,
    titles: Mapping[str, str],
    *,
    noun: str,
    history: bool,
    examples: Sequence[Sample] = (),
) -> tuple[Message, ...]:
    """Return the messages that ask for recommendations.

    Args:
        profile: the words.
        sample: the question; its target and response are not shown.
        titles: the catalogue's titles.
        noun: what one item is called.
        history: whether the user's history is shown as well (Dial. + H. I.).
        examples: solved samples for the few-shot setting; none asks as zero-shot and fine-tuned do.
    """
    kind = "few" if examples else "dialogue"
    if history:
        kind = f"{kind}_history"
    filled = {
        "noun": noun,
        "count": str(profile.recommendations),
        "shots": str(len(examples)),
        "conversation": _shown(profile, _conversation(sample.context)),
        "history": _shown(profile, _history(profile, sample, titles)),
        "examples": _shown(
            profile, [_example(profile, example, titles, history) for example in examples]
        ),
    }
    text = getattr(profile, kind)
    if noun[:1].lower() in "aeiou":
        text = text.replace(" a $noun", " an $noun")
    return ({"role": "user", "content": Template(text).substitute(filled)},)


def draw_examples(
    train: Sequence[Sample], sample: Sample, count: int, seed: int
) -> tuple[Sample, ...]:
    """Return a question's few-shot examples: samples of other users and targets, by seed."""
    others = [
        example
        for example in train
        if example.cluster != sample.cluster and example.target != sample.target
    ]
    return tuple(
        sorted(
            others, key=lambda example: unit(seed, "example", sample.sample_id, example.sample_id)
        )[:count]
    )


def spoken(context: Sequence[Utterance]) -> str:
    """Return a context as lines `User: ...` and `Agent: ...`."""
    return "\n".join(f"{_SPEAKER[utterance.role]}: {utterance.text}" for utterance in context)


def _conversation(context: Sequence[Utterance]) -> list[dict[str, str]]:
    return [{"speaker": _SPEAKER[utterance.role], "text": utterance.text} for utterance in context]


def shown_history(profile: RecommendProfile, sample: Sample) -> tuple[str, ...]:
    """Return the items of the user's history that a question with history shows."""
    return sample.history[-profile.history_most :]


def _history(profile: RecommendProfile, sample: Sample, titles: Mapping[str, str]) -> list[str]:
    return [titles[item] for item in shown_history(profile, sample) if item in titles]


def _example(
    profile: RecommendProfile, example: Sample, titles: Mapping[str, str], history: bool
) -> dict[str, Any]:
    rated = {"rated before": _history(profile, example, titles)} if history else {}
    return {**rated, "conversation": _conversation(example.context), "right title": example.title}


def _shown(profile: RecommendProfile, value: list[Any]) -> str:
    """Return a value fenced as data, or in plain words as the paper's prompts have it."""
    return fence(value) if profile.fenced else _plain(value)


def _plain(value: list[Any]) -> str:
    if all(isinstance(entry, str) for entry in value):
        return "[" + ", ".join(f"'{entry}'" for entry in value) + "]"
    if all("speaker" in entry for entry in value):
        return "\n" + "\n".join(f"{entry['speaker']}: {entry['text']}" for entry in value)
    shown = []
    for number, entry in enumerate(value, 1):
        rated = f"\nItem lists: {_plain(entry['rated before'])}" if "rated before" in entry else ""
        shown.append(
            f"\nExample {number}:{rated}\nConversation:{_plain(entry['conversation'])}\n"
            f"Recommendation: {entry['right title']}"
        )
    return "\n".join(shown)

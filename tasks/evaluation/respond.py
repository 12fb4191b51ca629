"""The case study (4.2.3, App.

E): a model's next utterance under each setting, next to that of the dialogue's agent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import Template

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tasks.dialogues import Catalogue
from tasks.errors import UserError
from tasks.evaluation.concurrent_asks import AskFor, ask_all
from tasks.evaluation.corpora import Utterance
from tasks.evaluation.prompts import Setting, draw_examples
from tasks.evaluation.recommend import Benchmark
from tasks.evaluation.samples import Sample
from tasks.llm import Message
from tasks.model_output import read_or_else, reply_text
from tasks.prompts import fence
from tasks.settings import Home, read_yaml, validation_line
from tasks.titles import names, names_sequel, unify_marks
from tasks.web import markdown_cell

_LABELS: dict[Setting, str] = {
    "zero-shot": "Zero-Shot",
    "few-shot": "Few-Shot",
    "fine-tuned": "Fine-Tuning",
}


class RespondProfile(BaseModel):
    """The words a model is asked with for the agent's next utterance."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    version: int = Field(ge=1)
    temperature: float = Field(0.0, ge=0, le=2)
    shots: int = Field(5, ge=1, le=50)
    history_most: int = Field(200, ge=1)
    words: int = Field(60, ge=5, description="Most words of the utterance (2.5.1)")
    dialogue: str
    examples: str
    history: str


@dataclass(frozen=True)
class Response:
    """One model's next utterance; `text` is None where no answer came.

    `items` are the catalogue's items it names, the target's first; `right` says whether the target
    is among them.
    """

    setting: Setting
    text: str | None
    items: tuple[str, ...]
    right: bool


@dataclass(frozen=True)
class Case:
    """One sample with the next utterance under every setting."""

    sample: Sample
    responses: tuple[Response, ...]


def load_respond_profile(home: Home) -> RespondProfile:
    """Load goal_specs/evaluation/respond.yaml. Raises UserError."""
    path = home.project / "goal_specs" / "evaluation" / "respond.yaml"
    try:
        return RespondProfile.model_validate(read_yaml(path))
    except ValidationError as error:
        raise UserError(f"{path}: {validation_line(error)}") from None


async def case_study(
    benchmark: Benchmark,
    asks: Mapping[Setting, tuple[AskFor, bool]],
    profile: RespondProfile,
    samples: Sequence[Sample],
) -> list[Case]:
    """Let models say the next utterance of each sample.

    Args:
        benchmark: the corpus, and the training samples for few-shot examples.
        asks: for each setting the way to its model, and whether the user's history is shown; a
            fine-tuned model is another than the base.
        profile: the words.
        samples: the chosen cases.

    Raises:
        RunStopped: the budget is spent or the circuit breaker opened.
    """
    catalogue = Catalogue(benchmark.corpus.titles.items())
    cases = []
    for sample in samples:
        asked = {
            setting: respond_messages(benchmark, profile, sample, setting, history=history)
            for setting, (_, history) in asks.items()
        }
        replies = await ask_all(
            [(asks[setting][0](sample.sample_id), messages) for setting, messages in asked.items()]
        )
        texts = [
            None if text is None else read_or_else(reply_text, text, lambda _: "")
            for text in replies
        ]
        cases.append(
            Case(
                sample,
                tuple(
                    _response(setting, text, sample, catalogue)
                    for setting, text in zip(asks, texts, strict=True)
                ),
            )
        )
    return cases


def respond_messages(
    benchmark: Benchmark,
    profile: RespondProfile,
    sample: Sample,
    setting: Setting,
    *,
    history: bool,
) -> tuple[Message, ...]:
    """Return the messages that ask for the next utterance, without the true response."""
    shown = (
        draw_examples(benchmark.split.train, sample, profile.shots, benchmark.seed)
        if setting == "few-shot"
        else ()
    )
    titles = [
        benchmark.corpus.titles[item]
        for item in sample.history[-profile.history_most :]
        if item in benchmark.corpus.titles
    ]
    solved = [
        {
            "conversation": _conversation(one.context),
            "said next": one.response,
            "right title": one.title,
        }
        for one in shown
    ]
    filled = {
        "noun": benchmark.noun,
        "words": str(profile.words),
        "conversation": fence(_conversation(sample.context)),
        "examples": Template(profile.examples).substitute(examples=fence(solved)) if shown else "",
        "history": Template(profile.history).substitute(history=fence(titles))
        if history and titles
        else "",
    }
    return ({"role": "user", "content": Template(profile.dialogue).substitute(filled)},)


def case_markdown(case: Case, titles: Mapping[str, str], *, most_history: int = 10) -> str:
    """Return a case as in the paper's Figure 6: recognised titles in bold, the rest escaped."""
    shown = [titles[item] for item in case.sample.history[:most_history] if item in titles]
    dialogue = "<br>".join(
        f"**{utterance.role.capitalize()}:** {markdown_cell(utterance.text)}"
        for utterance in case.sample.context
    )
    rows = [
        (
            "Historical interactions",
            ", ".join(map(markdown_cell, shown))
            + (" ..." if len(case.sample.history) > most_history else ""),
        ),
        ("Dialogue", dialogue),
        *((_LABELS[one.setting], _marked(one, titles)) for one in case.responses),
        (
            "Ground truth",
            _bold(markdown_cell(case.sample.response), markdown_cell(case.sample.title)),
        ),
    ]
    return (
        "| | |\n| --- | --- |\n" + "\n".join(f"| {name} | {text} |" for name, text in rows) + "\n"
    )


def _response(setting: Setting, text: str | None, sample: Sample, catalogue: Catalogue) -> Response:
    response = unify_marks(" ".join((text or "").split()))
    hits = catalogue.find([response])[0]
    others = dict.fromkeys(hit.item_ids[0] for hit in hits if sample.target not in hit.item_ids)
    targets = [hit for hit in hits if sample.target in hit.item_ids]
    right = names(text or "", sample.title)
    right = right or any(not names_sequel(response, hit.end, sample.title) for hit in targets)
    return Response(setting, text, (sample.target, *others) if right else tuple(others), right)


def _conversation(context: Sequence[Utterance]) -> list[dict[str, str]]:
    return [{"speaker": utterance.role, "text": utterance.text} for utterance in context]


def _marked(response: Response, titles: Mapping[str, str]) -> str:
    if response.text is None:
        return "(no answer)"
    text = markdown_cell(response.text)
    for item in response.items:
        text = _bold(text, markdown_cell(titles[item]))
    named = ", ".join(markdown_cell(titles[item]) for item in response.items) or "none"
    return f"**Agent:** {text}<br>*recommends: {named}{' (right)' if response.right else ''}*"


def _bold(text: str, title: str) -> str:
    return text.replace(title, f"**{title}**", 1)

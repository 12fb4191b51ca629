"""The prompt by which a judge reads one dialogue: fixed text, template, data, dialogue."""

from __future__ import annotations

from collections.abc import Mapping
from string import Template as Text
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tasks.briefs import BriefItem
from tasks.errors import UserError
from tasks.judge.answer import verdict_format
from tasks.judge.sentences import Whose, numbered
from tasks.judge.values import DialogueToJudge
from tasks.prompts import Goals, Message, Prompt, cut_to_words, fence, template_lines
from tasks.settings import Home, ReadYaml, read_yaml, validation_line

_SHOWN: Final = 4_000  # characters of an answer that could not be read


class JudgeWords(BaseModel):
    """The words a judge is asked with; texts have places such as `$template` (Python's)."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str = Field(pattern=r"^gate$")
    version: int = Field(ge=1, description="Raised with every change of the words")
    item_reference: str = Field(pattern=r"^[^$]*\$slot[^$]*$")
    system: str = Field(min_length=1)
    user: str = Field(min_length=1)
    again: str = Field(min_length=1)

    def item(self, slot: int) -> str:
        """Return the reference to an item slot in the template's lines."""
        return self.item_reference.replace("$slot", str(slot))


def load_judge_words(home: Home, read: ReadYaml = read_yaml) -> JudgeWords:
    """Load the words of the gate's judge from goal_specs/evaluation. Raises UserError."""
    path = home.project / "goal_specs" / "evaluation" / "gate.yaml"
    content = read(path)
    try:
        return JudgeWords.model_validate(content)
    except ValidationError as error:
        raise UserError(f"{path}: {validation_line(error)}") from None


def render_judge(
    words: JudgeWords, goals: Goals, dialogue: DialogueToJudge, most_review_words: int
) -> Prompt:
    """Return the request for a verdict on one dialogue.

    Prompts begin with what all dialogues have in common, then what those of a template have.
    Whatever people or models wrote is in data blocks.

    Args:
        words: what the judge is asked.
        goals: sub-goals by id, in the domain's words.
        dialogue: the dialogue with its brief.
        most_review_words: reviews are cut there, as they were for the model that wrote.

    Raises:
        KeyError: the template has a sub-goal that `goals` lacks.
    """
    turns = dialogue.template.turns
    values = {
        "turns": str(len(turns)),
        "template": template_lines(words, goals, turns),
        "data": fence(_data(dialogue, most_review_words)),
        "dialogue": fence(_said(dialogue)),
    }
    messages: tuple[Message, ...] = (
        {"role": "system", "content": words.system},
        {"role": "user", "content": Text(words.user).substitute(values)},
    )
    return Prompt(messages, verdict_format(dialogue))


def ask_again(words: JudgeWords, prompt: Prompt, answer: str, problem: str, turns: int) -> Prompt:
    """Return the second request, after an answer that could not be read."""
    text = Text(words.again).substitute({"problem": problem, "turns": str(turns)})
    messages: tuple[Message, ...] = (
        *prompt.messages,
        {"role": "assistant", "content": answer[:_SHOWN] or "(no answer)"},
        {"role": "user", "content": text},
    )
    return Prompt(messages, prompt.response_format)


def sentences_of(dialogue: DialogueToJudge, most_review_words: int) -> dict[str, str]:
    """Return the sentences of all reviews of a dialogue's brief, by their ids."""
    found: dict[str, str] = {}
    for item in dialogue.items:
        found |= _review(item.slot, "u", item.user_review, most_review_words)
        found |= _review(item.slot, "o", item.other_review, most_review_words)
    return found


def _data(dialogue: DialogueToJudge, most_review_words: int) -> dict[str, Any]:
    items = [_item(item, most_review_words) for item in dialogue.items]
    return {"an item is called": dialogue.noun, "items": items}


def _item(item: BriefItem, most_review_words: int) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "item": item.slot,
        "title": item.title,
        "collection": item.collection,
    }
    # As for the model that wrote: the user does not know the target yet.
    if item.rating is not None and item.collection != "MIGHT_LIKES":
        entry["rating"] = item.rating
    own = _review(item.slot, "u", item.user_review, most_review_words)
    others = _review(item.slot, "o", item.other_review, most_review_words)
    if own:
        entry["user_review"] = own
    if others:
        entry["other_review"] = others
    return entry


def _review(slot: int, whose: Whose, text: str | None, most_words: int) -> Mapping[str, str]:
    return {} if text is None else numbered(slot, whose, cut_to_words(text, most_words))


def _said(dialogue: DialogueToJudge) -> list[dict[str, Any]]:
    return [
        {"turn": number, "speaker": turn.role, "text": turn.text}
        for number, turn in enumerate(dialogue.spoken, start=1)
    ]

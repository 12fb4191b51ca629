"""Prompt profiles: YAML files in goal_specs/prompts, read into frozen, checked `Profile` values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from string import Template
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from tasks.errors import UserError
from tasks.languages import load_wording
from tasks.settings import Home, ReadYaml, read_yaml, validation_line

PROFILES = "goal_specs/prompts"
PROFILE_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
PLACES = frozenset(
    {
        "noun",
        "verb",
        "language",
        "turns",
        "max_words",
        "template",
        "data",
        "findings",
        "asked",
        "role",
    }
)
LANGUAGES = {
    "en": "English",
    "de": "German",
    "fr": "French",
    "es": "Spanish",
    "it": "Italian",
    "ja": "Japanese",
    "zh": "Chinese",
}


class Conversation(BaseModel):
    """The texts of one kind of request: a system message and a user message."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    system: str = Field(min_length=1)
    user: str = Field(min_length=1)

    @field_validator("*")
    @classmethod
    def _known_places(cls, text: str) -> str:
        return checked_places(text)


class AgentConversation(Conversation):
    """The texts of one agent of a dual rollout.

    `user` opens its conversation; `next` asks for each later turn of it, as a further message.
    """

    next: str = Field(min_length=1)


class Profile(BaseModel):
    """How a model is asked for a dialogue (2.5.1, Fig. 3).

    Texts may have the placeholders of `PLACES` as `$name`; `$$` is a dollar sign.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    version: int = Field(
        ge=1, description="Raised with every change of the words; part of the profile's hash"
    )
    answer: Literal["json", "text"] = Field(
        description="json: turns with {{item:N}} placeholders; text: `User:` and `Agent:` lines"
    )
    structured_output: bool = Field(
        False, description="Send a JSON schema along, for models that take one"
    )
    repair: Literal["turns", "dialogue"] = Field(
        "dialogue", description="Ask again for the broken turns alone, or for the whole dialogue"
    )
    max_words: int = Field(60, ge=5, description="Most words of one utterance (2.5.1)")
    max_review_words: int = Field(400, ge=1, description="Longer reviews are cut, between words")
    item_reference: str = Field(
        description="How the template and the data speak of slot N; `$slot` is N"
    )
    agent_goals: Mapping[str, str] = Field(
        {}, description="Sub-goals whose words a blind recommender agent gets instead of its own"
    )
    language_name: str = Field("English", description="What prompts call the language")
    dialogue: Conversation
    repair_dialogue: str
    repair_turns: str
    user_turn: AgentConversation
    agent_turn: AgentConversation

    @field_validator("repair_dialogue", "repair_turns")
    @classmethod
    def _known_places(cls, text: str) -> str:
        return checked_places(text)

    @field_validator("item_reference")
    @classmethod
    def _slot(cls, text: str) -> str:
        if text.count("$slot") != 1:
            raise ValueError("must name `$slot` once")
        return text

    def item(self, slot: int) -> str:
        """Return the reference to an item slot in this profile's texts."""
        return self.item_reference.replace("$slot", str(slot))


def _name_of(language: str) -> str:
    return LANGUAGES.get(language, f"the language with the code {language}")


def checked_places(text: str) -> str:
    """Return a profile's text.

    Raises ValueError on an unknown placeholder or a single dollar sign.
    """
    template = Template(text)
    if not template.is_valid():
        raise ValueError("has a stray `$`: write `$$` for a dollar sign")
    unknown = sorted(set(template.get_identifiers()) - PLACES)
    if unknown:
        raise ValueError(
            f"has unknown places {', '.join(unknown)}; known: {', '.join(sorted(PLACES))}"
        )
    return text


def load_profile(
    home: Home, name: str, language: str = "en", read: ReadYaml = read_yaml
) -> Profile:
    """Load a prompt profile from goal_specs/prompts, in a language's texts where it has any.

    Raises:
        UserError: unknown or malformed name, broken YAML, or an unknown key or placeholder.
    """
    profiles = home.files(PROFILES)
    if not PROFILE_NAME.fullmatch(name) or name not in profiles:
        known = ", ".join(sorted(profiles)) or "none"
        raise UserError(f"unknown prompt profile {name[:80]!r}; known: {known}")
    path = profiles[name]
    content = read(path)
    if not isinstance(content, Mapping):
        raise UserError(f"{path} must be a YAML mapping")
    if content.get("name") != name:
        raise UserError(
            f"{path}: `name` is {content.get('name')!r} but the file is called {name!r}"
        )
    wording = load_wording(home, language, read)
    try:
        return Profile.model_validate(
            {**wording.over(name, content), "language_name": wording.name or _name_of(language)}
        )
    except ValidationError as error:
        raise UserError(f"{path}: {validation_line(error)}") from None

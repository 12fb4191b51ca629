"""What is compared: one side, its dialogues, and their turns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal["domain", "release", "run"]
ASKED = frozenset({"accepted", "rejected", "failed"})


@dataclass(frozen=True)
class Turn:
    """One utterance; its white space is one space everywhere, as a release has it."""

    turn: int
    role: str
    text: str

    @classmethod
    def of(cls, turn: int, role: str, text: str) -> Turn:
        """Return a turn with its white space made plain."""
        return cls(turn, role, " ".join(text.split()))


@dataclass(frozen=True)
class ComparedDialogue:
    """One brief and how it ended.

    Attributes:
        items: the item ids of its slots, in order.
        text_hash: of its turns at the attempt that counts; empty where nothing could be read.
        attempt: at which it was accepted or rejected.
        broken: the rules its first attempt broke; None where no first attempt is on record as
            judged.
        dollars: of every answer it took, at all attempts; None where a price is not known, or
            nothing is on record.
        tokens: prompt and completion, of the same answers.
    """

    dialogue_id: str
    user_id: str
    template_id: str
    items: tuple[str, ...]
    verdict: str
    text_hash: str
    attempt: int | None = None
    broken: frozenset[str] | None = None
    dollars: float | None = None
    tokens: int | None = None

    @property
    def asked(self) -> bool:
        """True if the run came to it: it was answered, or failed."""
        return self.verdict in ASKED


@dataclass(frozen=True)
class Side:
    """One of two things that are compared.

    Attributes:
        name: as the person named it.
        kind: what the name means.
        version: of the release that it is or wrote, if any.
        settings: flat, by dotted name; of a release elsewhere, what its card says.
        code: the version of the code; of a release elsewhere, what its card says.
        counts: briefs by verdict, dollars and tokens, as far as they are on record.
        dialogues: None where they are not on record any more: a later run has replaced them.
        complete: True if they are all that were planned; a release has the accepted ones alone, so
            that it has no acceptance.
    """

    name: str
    kind: Kind
    domain: str = ""
    run_id: str = ""
    version: str = ""
    started_at: str = ""
    state: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    code: str = ""
    counts: Mapping[str, float | None] = field(default_factory=dict)
    dialogues: tuple[ComparedDialogue, ...] | None = None
    complete: bool = False

    def summary(self) -> dict[str, Any]:
        """Return what it is, without its settings and dialogues."""
        named = ("name", "kind", "domain", "run_id", "version", "started_at", "state", "code")
        known = {name: getattr(self, name) for name in named if getattr(self, name)}
        made = {name: self.settings[key] for name, key in MADE_WITH.items() if key in self.settings}
        return {
            **known,
            **made,
            "dialogues": None if self.dialogues is None else len(self.dialogues),
        }


MADE_WITH: Mapping[str, str] = {
    "model": "generate.model",
    "profile": "generate.profile",
    "rollout": "generate.rollout",
}


def flat(settings: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    """Return nested settings by dotted name; lists are values."""
    by_name: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, Mapping):
            by_name |= flat(value, f"{path}{name}.")
        else:
            by_name[f"{path}{name}"] = value
    return by_name


_FACT = re.compile(r"^\| ([a-z][a-z ,]*) \| (.*) \|$", re.MULTILINE)
_CARD_NAMES = {
    "model": "generate.model",
    "profile": "generate.profile",
    "rollout": "generate.rollout",
    "an item is a": "noun",
}


def card_settings(card: str) -> dict[str, str]:
    """Return what a release's card says of how it was made.

    A fact that is a setting has the setting's name.
    """
    facts: dict[str, str] = dict(_FACT.findall(card))
    settings = {}
    for name, value in facts.items():
        is_heading = name == "fact"
        if not is_heading and not name.startswith("rows of"):
            settings[_CARD_NAMES.get(name, name)] = value
    return settings

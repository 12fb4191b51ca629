"""How models are asked in a language: a YAML file each in goal_specs/languages.

English has none: the goals and profiles are written in it. It is a file beside the pack because
prompts and the gate are stages of their own, and a word of praise more asks no model again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field

from tasks.languages.packs import parse_part
from tasks.settings import Home, ReadYaml, read_yaml

WORDINGS: Final = "goal_specs/languages"
_IN_WORDS: Final = "$max_words words"

Forms = Mapping[str, Mapping[str, str]]


class Wording(BaseModel):
    """One language's wording; docs/how-to/languages.md says what each part is for."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str = Field("", max_length=60)
    longest: str = Field("", max_length=60)
    nouns: Forms = {}
    verbs: Forms = {}
    goals: Mapping[str, str] = {}
    profiles: Mapping[str, Mapping[str, Any]] = {}

    def bent(self, kind: str, word: str) -> dict[str, str]:
        """Return the forms of a domain's noun or verb by name; those not listed are the word.

        Args:
            kind: noun or verb.
            word: the word in the domain file.
        """
        table = self.nouns if kind == "noun" else self.verbs
        named = {form for forms in table.values() for form in forms}
        return {form: table.get(word, {}).get(form, word) for form in sorted(named)}

    def over(self, profile: str, content: Mapping[str, Any]) -> dict[str, Any]:
        """Return a profile's content with this language's texts and length in place of its own."""
        laid: dict[str, Any] = _laid_over(content, self.profiles.get(profile, {}))
        return {name: self._measured(value) for name, value in laid.items()}

    def _measured(self, value: Any) -> Any:
        if isinstance(value, str) and self.longest:
            return value.replace(_IN_WORDS, self.longest)
        if isinstance(value, Mapping):
            return {name: self._measured(part) for name, part in value.items()}
        return value


def _laid_over(below: Any, over: Any) -> Any:
    if not (isinstance(below, Mapping) and isinstance(over, Mapping)):
        return over
    return {**below, **{name: _laid_over(below.get(name), part) for name, part in over.items()}}


def load_wording(home: Home, language: str, read: ReadYaml = read_yaml) -> Wording:
    """Load a language's wording; an empty one where there is no file.

    Raises:
        UserError: broken YAML, or an unknown part.
    """
    path = home.files(WORDINGS).get(language)
    if path is None:
        return Wording()
    return parse_part(Wording, read(path), str(path))

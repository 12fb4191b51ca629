"""The words behind the lexical facts: expectations/lexicon.yaml and the language packs.

What a language has of its own stands in its pack (`tasks.languages`).
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tasks.errors import UserError
from tasks.languages import Language, Phrases, any_of, load_packs, phrases
from tasks.settings import Home, ReadYaml, read_yaml, validation_line


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class GoalSets(_Part):
    """Sub-goals by what their utterance does: opinion, decision, question, thanks, retelling."""

    likes: tuple[str, ...]
    dislikes: tuple[str, ...]
    by_collection: tuple[str, ...]
    accepts: tuple[str, ...]
    rejects: tuple[str, ...]
    asks: tuple[str, ...]
    requests: tuple[str, ...]
    thanks: tuple[str, ...]
    tells: tuple[str, ...]


class Lexicon(_Part):
    """All of expectations/lexicon.yaml."""

    goals: GoalSets
    copied_from: int = Field(ge=3)
    near_copied_from: int = Field(ge=3)
    near_duplicate: float = Field(gt=0, le=1)
    wording: Phrases
    languages: Mapping[str, Language]

    def language(self, code: str) -> Language:
        """Return what is known of a language; nothing where it has no pack."""
        return self.languages.get(code, Language())

    def wording_pattern(self, code: str) -> str:
        """Return a pattern of speech about the task in a language; models fall back on English.

        Words joined by underscores belong to it, because sub-goals are written so.
        """
        own = phrases(self.language(code).wording)
        return any_of([phrases(self.wording), own, "\\b[a-z]+(?:_[a-z]+)+\\b"])


def load_lexicon(home: Home, read: ReadYaml = read_yaml) -> Lexicon:
    """Read the lexicon and every language pack.

    A lexicon of an earlier version has its own `languages`; they take the place of packs.

    Raises UserError.
    """
    path = home.file("expectations/lexicon.yaml")
    content = read(path)
    if not isinstance(content, Mapping):
        raise UserError(f"{path} must be a YAML mapping")
    over = content.get("languages")
    if over is not None and not isinstance(over, Mapping):
        raise UserError(f"{path}: `languages` must be a mapping of packs by code")
    packs = load_packs(home, read, over)
    try:
        return Lexicon.model_validate({**content, "languages": packs})
    except ValidationError as error:
        raise UserError(f"{path}: {validation_line(error)}") from None

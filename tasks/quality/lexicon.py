"""The words behind the lexical facts, from expectations/lexicon.yaml, compiled to patterns that polars and Python both read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from tasks.errors import UserError
from tasks.settings import Home, ReadYaml, read_yaml, validation_line

NEVER = "[^\\s\\S]"  # matches nothing
ASCII_BOUNDARY = r"(?-u:\b)"
_ONE_OR_NONE = r"(?:\s+[a-zA-Z'\u2019-]+)?"


def _split(value: object, mark: str | None) -> object:
    return (
        tuple(part.strip() for part in value.split(mark) if part.strip())
        if isinstance(value, str)
        else value
    )


Words = Annotated[tuple[str, ...], BeforeValidator(lambda value: _split(value, None))]
Phrases = Annotated[tuple[str, ...], BeforeValidator(lambda value: _split(value, ";"))]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class GoalSets(_Part):
    """Sub-goals whose utterance tells an opinion or a decision."""

    likes: tuple[str, ...]
    dislikes: tuple[str, ...]
    by_collection: tuple[str, ...]
    accepts: tuple[str, ...]
    rejects: tuple[str, ...]


class Language(_Part):
    """One language's words.

    A language with function words alone can be told from others; its opinions and decisions cannot
    be judged.
    """

    function_words: Words = ()
    common_words: Words = ()
    clear_praise: Words = ()
    praise: Words = ()
    clear_blame: Words = ()
    blame: Words = ()
    courtesies: Phrases = ()
    negation: Words = ()
    mixed: Words = ()
    accepts: Words = ()
    rejects: Words = ()
    clear_acceptance: Phrases = ()
    clear_rejection: Phrases = ()
    not_yet: Phrases = ()
    turned: Words = ()

    @property
    def judges_opinions(self) -> bool:
        """Whether opinions and decisions can be judged in this language."""
        return bool(self.clear_praise and self.clear_blame and self.accepts and self.rejects)


class Lexicon(_Part):
    """All of expectations/lexicon.yaml."""

    goals: GoalSets
    copied_from: int = Field(ge=3)
    near_duplicate: float = Field(gt=0, le=1)
    wording: Phrases
    languages: Mapping[str, Language]

    @cached_property
    def wording_pattern(self) -> str:
        """Pattern of speech about the task; words joined by underscores, as sub-goals are written, belong to it."""
        return f"{phrases(self.wording)}|\\b[a-z]+(?:_[a-z]+)+\\b"


def load_lexicon(home: Home, read: ReadYaml = read_yaml) -> Lexicon:
    """Read the lexicon. Raises UserError."""
    path = home.project / "expectations" / "lexicon.yaml"
    content = read(path)
    if not isinstance(content, Mapping):
        raise UserError(f"{path} must be a YAML mapping")
    try:
        return Lexicon.model_validate(content)
    except ValidationError as error:
        raise UserError(f"{path}: {validation_line(error)}") from None


def words(listed: Sequence[str]) -> str:
    """Return a pattern for any of the words, for polars.

    A `*` stands for any ending, `_` for the space between two words, `n't` for the end of a word.

    Word boundaries are those of ASCII letters: with Unicode ones every text that holds a curly
    quotation mark takes the slow way, 50 times slower. So words that begin or end with another
    letter are left out.
    """
    told = [word for word in listed if word[0].isascii() and word[-1].isascii()]
    whole = [_form(word) for word in told if not word.startswith("n't")]
    ends = [_form(word) for word in told if word.startswith("n't")]
    either = ([f"{ASCII_BOUNDARY}(?:{'|'.join(whole)}){ASCII_BOUNDARY}"] if whole else []) + [
        f"{end}{ASCII_BOUNDARY}" for end in ends
    ]
    return f"(?i:{'|'.join(either)})" if either else NEVER


def _form(word: str) -> str:
    return re.escape(word).replace(r"\*", "[a-zA-Z]*").replace("_", " +").replace("'", "['\u2019]")


def phrases(listed: Sequence[str]) -> str:
    """Return a pattern for any of the phrases, on word boundaries, as Python reads it; `for_polars` makes it fit for polars.

    A `*` between two words stands for one word or none.
    """
    forms = [
        re.escape(phrase)
        .replace("'", "['\u2019]")
        .replace(r"\ \*", _ONE_OR_NONE)
        .replace(r"\ ", r"\s+")
        for phrase in listed
    ]
    bounded = [
        rf"\b{form}" + (r"\b" if phrase[-1].isalnum() else "")
        for form, phrase in zip(forms, listed, strict=True)
    ]
    return f"(?i:{'|'.join(bounded)})" if bounded else NEVER


def for_polars(pattern: str) -> str:
    """Return a pattern with word boundaries of ASCII letters, which polars follows at full speed in any text."""
    return pattern.replace(r"\b", ASCII_BOUNDARY)

"""The words behind the lexical facts, from expectations/lexicon.yaml.

They are compiled to patterns that both polars and Python read.
"""

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
    if not isinstance(value, str):
        return value
    parts = map(str.strip, value.split(mark))
    return tuple(part for part in parts if part)


Words = Annotated[tuple[str, ...], BeforeValidator(lambda value: _split(value, None))]
Phrases = Annotated[tuple[str, ...], BeforeValidator(lambda value: _split(value, ";"))]


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


class Language(_Part):
    """One language's words.

    Function words are enough to distinguish a language from others, but not to judge opinions and
    decisions in it.
    """

    function_words: Words = ()
    common_words: Words = ()
    clear_praise: Words = ()
    praise: Words = ()
    clear_blame: Words = ()
    blame: Words = ()
    praising: Phrases = ()
    blaming: Phrases = ()
    courtesies: Phrases = ()
    negation: Words = ()
    mixed: Words = ()
    accepts: Words = ()
    rejects: Words = ()
    clear_acceptance: Phrases = ()
    clear_rejection: Phrases = ()
    not_yet: Phrases = ()
    turned: Words = ()
    chatbot: Phrases = ()
    own_life: Phrases = ()
    speaker: Words = ()
    mine: Words = ()
    deeds: Words = ()
    own_things: Words = ()
    agents_deeds: Words = ()
    agents_words: Phrases = ()
    asking: Phrases = ()
    requesting: Phrases = ()
    thanking: Words = ()
    claims_seen: Phrases = ()
    claims_unseen: Phrases = ()
    denies_seeing: Phrases = ()
    pointing: Phrases = ()
    checkable: Phrases = ()
    name_cues: Phrases = ()
    close_work_cues: Phrases = ()
    work_cues: Phrases = ()
    familiar: Words = ()

    @property
    def judges_opinions(self) -> bool:
        """Return True if opinions and decisions can be judged in this language."""
        return bool(self.clear_praise and self.clear_blame and self.accepts and self.rejects)

    @cached_property
    def plain_words(self) -> frozenset[str]:
        """The commonest words of the language, which say little of anything."""
        return frozenset({*self.function_words, *self.common_words})


class Lexicon(_Part):
    """All of expectations/lexicon.yaml."""

    goals: GoalSets
    copied_from: int = Field(ge=3)
    near_copied_from: int = Field(ge=3)
    near_duplicate: float = Field(gt=0, le=1)
    wording: Phrases
    languages: Mapping[str, Language]

    @cached_property
    def wording_pattern(self) -> str:
        """Pattern of speech about the task.

        Words joined by underscores belong to it, because sub-goals are written so.
        """
        return f"{phrases(self.wording)}|\\b[a-z]+(?:_[a-z]+)+\\b"


def load_lexicon(home: Home, read: ReadYaml = read_yaml) -> Lexicon:
    """Read the lexicon. Raises UserError."""
    path = home.file("expectations/lexicon.yaml")
    content = read(path)
    if not isinstance(content, Mapping):
        raise UserError(f"{path} must be a YAML mapping")
    try:
        return Lexicon.model_validate(content)
    except ValidationError as error:
        raise UserError(f"{path}: {validation_line(error)}") from None


def words(listed: Sequence[str]) -> str:
    """Return a pattern for any of the words, for polars.

    A `*` means any ending, `_` the space between two words, `n't` the end of a word.

    Word boundaries are those of ASCII letters: with Unicode ones, polars searches every text with
    a curly quotation mark 50 times slower. So words that begin or end with another letter are left
    out.
    """
    usable = [word for word in listed if word[0].isascii() and word[-1].isascii()]
    whole = [_form(word) for word in usable if not word.startswith("n't")]
    ends = [_form(word) for word in usable if word.startswith("n't")]
    forms = [f"{end}{ASCII_BOUNDARY}" for end in ends]
    if whole:
        forms.insert(0, f"{ASCII_BOUNDARY}(?:{'|'.join(whole)}){ASCII_BOUNDARY}")
    return f"(?i:{'|'.join(forms)})" if forms else NEVER


def _form(word: str) -> str:
    return re.escape(word).replace(r"\*", "[a-zA-Z]*").replace("_", " +").replace("'", "['\u2019]")


def phrases(listed: Sequence[str]) -> str:
    """Return a pattern for any of the phrases, on word boundaries, as Python reads it.

    `for_polars` converts it for polars. A `*` between two words means one word or none, `a/b`
    either of two.
    """
    return f"(?i:{'|'.join(map(_phrase_form, listed))})" if listed else NEVER


def _phrase_form(phrase: str) -> str:
    forms = (
        _either(word) if "/" in word.strip("/") else re.escape(word) for word in phrase.split()
    )
    form = r"\ ".join(forms).replace("'", "['\u2019]")
    spaced = form.replace(r"\ \*", _ONE_OR_NONE).replace(r"\ ", r"\s+")
    end = r"\b" if phrase[-1].isalnum() else ""
    return rf"\b{spaced}{end}"


def _either(word: str) -> str:
    return f"(?:{'|'.join(map(re.escape, word.split('/')))})"


def for_polars(pattern: str) -> str:
    """Return a pattern with ASCII word boundaries, which polars finds fast in any text."""
    return pattern.replace(r"\b", ASCII_BOUNDARY)

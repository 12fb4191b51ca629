"""Language packs: what the gate knows of a language, a YAML file each in expectations/languages.

Every part may be left out; rules that need it are then switched off (`tasks.quality.fitting`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from tasks.errors import UserError
from tasks.languages.scripts import UNSPACED_SCRIPTS
from tasks.settings import Home, ReadYaml, read_yaml, validation_line

PACKS: Final = "expectations/languages"
_CODE: Final = re.compile(r"[a-z]{2}")
Script = Literal[
    "Arabic", "Armenian", "Bengali", "Cyrillic", "Devanagari", "Georgian", "Greek", "Han",
    "Hangul", "Hebrew", "Hiragana", "Katakana", "Khmer", "Lao", "Latin", "Myanmar", "Tamil",
    "Telugu", "Thai",
]  # fmt: skip


def _split(value: object, mark: str | None) -> object:
    if not isinstance(value, str):
        return value
    parts = map(str.strip, value.split(mark))
    return tuple(part for part in parts if part)


Words = Annotated[tuple[str, ...], BeforeValidator(lambda value: _split(value, None))]
Phrases = Annotated[tuple[str, ...], BeforeValidator(lambda value: _split(value, ";"))]

Part = TypeVar("Part", bound=BaseModel)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Longest(_Part):
    """How long an utterance may be, and what is counted."""

    most: int = Field(ge=5)
    unit: Literal["words", "characters"] = "words"


class Unreadable(_Part):
    """From how many characters in a row a text counts as garbled."""

    consonants: int = Field(7, ge=4, description="Latin consonants")
    chain: int = Field(40, ge=20, description="letters and signs without a space")


class Language(_Part):
    """One language's pack; docs/how-to/languages.md says what each part is for."""

    name: str = ""
    scripts: tuple[Script, ...] = ("Latin",)
    longest: Longest | None = None
    unreadable: Unreadable = Unreadable()
    function_words: Words = ()
    common_words: Words = ()
    numbers: Words = ()
    measures: Words = ()
    clear_praise: Words = ()
    praise: Words = ()
    clear_blame: Words = ()
    blame: Words = ()
    praising: Phrases = ()
    blaming: Phrases = ()
    courtesies: Phrases = ()
    negation: Words = ()
    negation_behind: Words = ()
    mixed: Words = ()
    accepts: Words = ()
    rejects: Words = ()
    clear_acceptance: Phrases = ()
    clear_rejection: Phrases = ()
    not_yet: Phrases = ()
    turned: Words = ()
    wording: Phrases = ()
    placeholders: Words = ()
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
    def is_unspaced(self) -> bool:
        """True if words are not separated by spaces."""
        return UNSPACED_SCRIPTS.issuperset(self.scripts)

    @property
    def letters(self) -> str:
        """Its scripts, within a character class of polars."""
        return "".join(rf"\p{{{script}}}" for script in self.scripts)

    @cached_property
    def plain_words(self) -> frozenset[str]:
        """The commonest words of the language, which say little of anything."""
        return frozenset({*self.function_words, *self.common_words})

    @cached_property
    def number_values(self) -> Mapping[str, int]:
        """The words of `numbers` with their values: the first is zero, the next one, and so on."""
        return {word: value for value, word in enumerate(self.numbers)}

    def has(self, part: str) -> bool:
        """Return True if a part is given."""
        return bool(getattr(self, part))


def load_packs(
    home: Home, read: ReadYaml = read_yaml, over: Mapping[str, Any] | None = None
) -> dict[str, Language]:
    """Load every language pack, by its code.

    Args:
        home: where the packs are; those in the data folder replace shipped ones.
        read: reads a YAML file.
        over: packs by code that take the place of files, as a lexicon of an earlier version has.

    Raises:
        UserError: broken YAML, an unknown part, or a file whose name is no code of two letters.
    """
    packs: dict[str, Language] = {}
    for code, path in sorted(home.files(PACKS).items()):
        if not _CODE.fullmatch(code):
            raise UserError(f"{path}: a language pack is called by two small letters, as de.yaml")
        packs[code] = parse_part(Language, read(path), str(path))
    for code, content in (over or {}).items():
        packs[code] = parse_part(
            Language, content, f"languages.{code} of expectations/lexicon.yaml"
        )
    return packs


def parse_part(model: type[Part], content: Any, source: str) -> Part:
    """Return a file of a language as its model. Raises UserError that names the source."""
    if not isinstance(content, Mapping):
        raise UserError(f"{source} must be a YAML mapping")
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise UserError(f"{source}: {validation_line(error)}") from None

"""Room: languages. What is known of a language, and how words are found in text of any script.

| module | holds |
|---|---|
| `packs` | expectations/languages/*.yaml: words, opinions, decisions, habits, limits |
| `wording` | goal_specs/languages/*.yaml: how models are asked in a language |
| `patterns` | patterns for words and phrases on Unicode word borders |
| `scripts` | which scripts put no spaces between words, and how words are counted there |
| `detection` | which languages texts are in |
"""

from tasks.languages.detection import UNTOLD, FoundLanguages, find_languages
from tasks.languages.packs import PACKS, Language, Phrases, load_packs
from tasks.languages.patterns import (
    NEVER,
    any_of,
    for_polars,
    phrases,
    spelled_column,
    spelled_expression,
    words,
)
from tasks.languages.scripts import (
    EAST_ASIAN_MARKS,
    UNSPACED,
    UNSPACED_TEXT,
    count_words,
    counted_column,
    cut_words,
    is_unspaced,
    spaced,
    spaced_column,
    stretches,
)
from tasks.languages.wording import WORDINGS, Wording, load_wording

__all__ = [
    "EAST_ASIAN_MARKS", "NEVER", "PACKS", "UNSPACED", "UNSPACED_TEXT", "UNTOLD", "WORDINGS",
    "FoundLanguages", "Language", "Phrases", "Wording", "any_of", "count_words",
    "counted_column", "cut_words", "find_languages", "for_polars", "is_unspaced",
    "load_packs", "load_wording", "phrases",
    "spaced", "spaced_column", "spelled_column", "spelled_expression", "stretches", "words",
]  # fmt: skip

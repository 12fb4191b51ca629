"""Comparison of titles at four strengths, and who uses which.

In: titles as published, or as a model or a person writes them. Out: cleaned titles, and keys that
are equal if two titles are the same at a strength. Start with `keys`. Each strength ignores more
than the one before, so titles that are the same at one are the same at every later one.

| what differs                                  | exact | folded | work | spoken |
|-----------------------------------------------|-------|--------|------|--------|
| white space, composed or combined characters  | same  | same   | same | same   |
| letter case, accents, apostrophes, HTML entities | other | same | same | same   |
| punctuation, hyphens, `&` and "and", (TM)     | other | same   | same | same   |
| medium or edition at the end ("[VHS]")        | other | same   | same | same   |
| article after a comma ("Mummy, The")          | other | same   | same | same   |
| leading article ("The Mummy", "Mummy")        | other | other  | same | same   |
| numeral of a sequel or part ("Rocky II", "Vol. 2") | other | other | same | same |
| `+` between words and "and"; `*`; lone symbols | other | other | same | same   |
| any "and"; spaces ("Spider-Man", "Spiderman") | other | other  | other | same  |
| year in brackets, number, word; C, C++ and C# | other | other | other | other |

| strength | used by | because |
|----------|---------|---------|
| exact | evaluation first; the catalogue in speech | of 110,000 titles none is guessed |
| folded | `merge_editions` | an identity for good: "The Circle" and "Circle" are two films |
| folded | a title inside its placeholder | the model repeats what it was given |
| work | briefs | two items of one user: another edition or article is no other work |
| work | evaluation, second choice and distances | titles are written from memory |
| spoken | an item due in a turn; titles in quotation marks | few candidates: the brief's items |

He et al. (2023) match as their paper does, by edit distance to lowered names, and use none of it.
People do not say the year: evaluation removes it (`without_year`) and lets it differ by two.
`names_sequel` distinguishes "Alien 3" from "Alien" and from "Alien 3 times".
"""

from tasks.titles.cleaning import clean_title
from tasks.titles.keys import (
    SPOKEN_WORD,
    exact_key,
    folded_key,
    numerals_in_digits,
    plain_words,
    spoken_key,
    spoken_words,
    unify_marks,
    without_year,
    work_key,
    year_of,
)
from tasks.titles.sequels import (
    YEARS_APART,
    adds_sequel,
    names_sequel,
    number_follows,
    numbers_differ,
    year_end,
)
from tasks.titles.title_mentions import names

__all__ = [
    "SPOKEN_WORD",
    "YEARS_APART",
    "adds_sequel",
    "clean_title",
    "exact_key",
    "folded_key",
    "names",
    "names_sequel",
    "number_follows",
    "numbers_differ",
    "numerals_in_digits",
    "plain_words",
    "spoken_key",
    "spoken_words",
    "unify_marks",
    "without_year",
    "work_key",
    "year_end",
    "year_of",
]

"""What is said of the item to be recommended before its turn, in words of its own reviews.

| fact | an utterance before the recommendation |
|---|---|
| `target_hint` | words of the target's review that no other text of the brief has, each once |
| `target_allusion` | the most of them in one sentence, two more where it points to a work |

"There's one about a lighthouse" points to a work, "I'd like something about the sea" does not.
Common words of the language tell nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tasks.languages import Language, phrases
from tasks.quality.told import BriefTexts
from tasks.word_runs import OwnedTokens, are_known, texts_of, tokenise

_LEAST: Final = 2  # words of a sentence below which it alludes to nothing
_POINTING: Final = 2  # words that count as much as a sentence's pointing to a work
_END: Final = re.compile(r"(?<=[.!?\u2026])\s+")


def hint_facts(
    said: pl.DataFrame, words: OwnedTokens, texts: BriefTexts, language: Language
) -> dict[str, pl.Series]:
    """Return the facts above.

    Args:
        said: utterances with the columns place, bare and is_before_target.
        words: the words of `bare`.
        texts: what their briefs hold.
        language: its common words and its ways to point to a work.
    """
    found = _hints(said, words, texts, language)
    counts = np.zeros(len(said), np.int32)
    firsts = found.group_by("place", "word").agg(pl.col("row").min())["row"].to_numpy()
    np.add.at(counts, firsts, 1)
    return {
        "target_hint": pl.Series(counts),
        "target_allusion": pl.Series(_allusions(said, found, texts, language)),
    }


def _hints(
    said: pl.DataFrame, words: OwnedTokens, texts: BriefTexts, language: Language
) -> pl.DataFrame:
    """Return row, place and hash of each word that tells of the target before its turn."""
    none = pl.DataFrame(schema={"row": pl.Int64, "place": pl.Int64, "word": pl.UInt64})
    is_early = said["is_before_target"].fill_null(value=False).to_numpy()
    if not is_early.any():
        return none
    of_target = np.repeat(
        texts.reviews["of_target"].to_numpy(), np.diff(texts.review_words.tokens.starts)
    )
    target = texts.review_words.only(of_target)
    others = texts.review_words.only(~of_target)
    if not len(target.owners):
        return none
    row = np.repeat(np.arange(len(said)), np.diff(words.tokens.starts))
    common = tokenise(pl.Series(sorted(language.plain_words), dtype=pl.String)).hashes
    hints = is_early[row] & ~np.isin(words.tokens.hashes, common)
    # Each step looks at those left by the one before it.
    hints[hints] = are_known(words.only(hints), target)
    hints[hints] = ~are_known(words.only(hints), others)
    hints[hints] = ~are_known(words.only(hints), texts.title_words)
    return pl.DataFrame(
        {
            "row": row[hints],
            "place": words.owner_of_each_word()[hints],
            "word": words.tokens.hashes[hints],
        }
    )


def _allusions(
    said: pl.DataFrame, found: pl.DataFrame, texts: BriefTexts, language: Language
) -> NDArray[np.int32]:
    counts = np.zeros(len(said), np.int32)
    distinct = found.group_by("row").agg(pl.col("word").n_unique())
    rows = distinct.filter(pl.col("word") >= _LEAST)["row"].sort().to_numpy()
    if not len(rows):
        return counts
    held = _held(texts, said["place"][rows])
    for row, place, bare in zip(rows.tolist(), *said[rows].select("place", "bare"), strict=True):
        counts[row] = max(
            strength for _, strength in allusions(bare, *held[place], language=language)
        )
    return counts


def _held(texts: BriefTexts, places: pl.Series) -> dict[int, tuple[list[str], list[str]]]:
    """Return the texts of the target and all others of some briefs, by place."""
    found: dict[int, tuple[list[str], list[str]]] = {place: ([], []) for place in places}
    reviews = texts.reviews.filter(pl.col("place").is_in(places.unique().implode()))
    for place, text, of_target in reviews.select("place", "text", "of_target").iter_rows():
        found[place][0 if of_target else 1].append(text)
    titles = texts.titles.filter(pl.col("place").is_in(places.unique().implode()))
    for place, title in titles.select("place", "title").iter_rows():
        found[place][1].append(title)
    return found


def allusions(
    bare: str, target: Iterable[str], others: Iterable[str], *, language: Language
) -> list[tuple[str, int]]:
    """Return each sentence of an utterance with how strongly it alludes to the target.

    That is how many words only the target's texts have, and two more if it points to a work; 0
    below two words.

    Args:
        bare: the text without the brief's titles.
        target: the target's reviews.
        others: the brief's other texts.
        language: its common words and its ways to point to a work.
    """
    only = _only_of(target, others, language)
    points = re.compile(phrases(language.pointing)).search if language.pointing else None
    strengths = []
    for sentence in _END.split(bare):
        count = len(only.intersection(texts_of(sentence)))
        pointing = _POINTING if points and points(sentence) else 0
        strengths.append((sentence, count + pointing if count >= _LEAST else 0))
    return strengths


def hinting_words(
    bare: str, target: Iterable[str], others: Iterable[str], language: Language
) -> list[str]:
    """Return the words of an utterance that only the target's own texts have."""
    known = _only_of(target, others, language)
    return [word for word in dict.fromkeys(texts_of(bare)) if word in known]


def _only_of(target: Iterable[str], others: Iterable[str], language: Language) -> set[str]:
    known = {word for text in target for word in texts_of(text)}
    return known - {word for text in others for word in texts_of(text)} - language.plain_words

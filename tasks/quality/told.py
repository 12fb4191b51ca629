"""What is said of items, compared with the brief: near-copies, and what it does not hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import duckdb
import numpy as np
import polars as pl
from numpy.typing import NDArray

from tasks.languages import Language
from tasks.quality import plan_facts
from tasks.quality.lexicon import Lexicon
from tasks.quality.specifics import NAMES, Finder, Specific, Support
from tasks.word_runs import (
    OwnedTokens,
    are_known,
    copied_words,
    longest_near_copy,
    near_copying,
)

KINDS: Mapping[str, str] = {
    "name": "unsupported_names",
    "fact": "unsupported_facts",
    "detail": "unsupported_details",
    "work": "other_works",
}


@dataclass(frozen=True)
class BriefTexts:
    """The texts of some dialogues' briefs.

    Attributes:
        reviews: columns place, text, of_target.
        titles: columns place, title.
        review_words, title_words: the words of both.
        con: where all reviews of the items are looked up for the few that need them.
    """

    reviews: pl.DataFrame
    titles: pl.DataFrame
    review_words: OwnedTokens
    title_words: OwnedTokens
    con: duckdb.DuckDBPyConnection

    def of(self, places: Iterable[int]) -> dict[int, list[str]]:
        """Return titles and reviews of some dialogues, by place."""
        wanted = set(places)
        titles, reviews = _by_place(self.titles, wanted), self.reviews_of(wanted)
        return {place: titles.get(place, []) + reviews.get(place, []) for place in wanted}

    def reviews_of(self, places: Iterable[int]) -> dict[int, list[str]]:
        """Return the reviews of those of some dialogues that have any, by place."""
        return _by_place(self.reviews, places)


def item_reviews(con: duckdb.DuckDBPyConnection, places: Iterable[int]) -> dict[int, list[str]]:
    """Return every review of the items of some dialogues that are queued, by place."""
    found: dict[int, list[str]] = {}
    wanted = {"places": sorted(set(places))}
    for place, text in con.execute(plan_facts.ITEM_REVIEWS, wanted).fetchall():
        found.setdefault(place, []).append(text)
    return found


def _by_place(texts: pl.DataFrame, places: Iterable[int]) -> dict[int, list[str]]:
    """Return the second column's texts of some places, in their order."""
    wanted = pl.Series(sorted(set(places)), dtype=pl.Int64)
    rows = texts.filter(pl.col("place").is_in(wanted.implode()))
    by_place: dict[int, list[str]] = {}
    for place, text in rows.select("place", rows.columns[1]).iter_rows():
        by_place.setdefault(place, []).append(text)
    return by_place


def read_brief_texts(con: duckdb.DuckDBPyConnection, within: Mapping[str, Any]) -> BriefTexts:
    """Read the reviews and titles of the dialogues queued from `from` up to `until`."""
    reviews = con.sql(plan_facts.REVIEWS, params=dict(within)).pl()
    titles = con.sql(plan_facts.TITLES_WITHIN, params=dict(within)).pl()
    return BriefTexts(
        reviews,
        titles,
        OwnedTokens.of(reviews["text"], reviews["place"].to_numpy()),
        OwnedTokens.of(titles["title"], titles["place"].to_numpy()),
        con,
    )


def told_facts(
    said: pl.DataFrame, words: OwnedTokens, texts: BriefTexts, lexicon: Lexicon, code: str
) -> dict[str, pl.Series]:
    """Return what is copied or nearly copied from reviews, or not held by the brief.

    Args:
        said: utterances with the columns place, bare and role.
        words: the words of `bare`.
        texts: what their briefs hold.
        lexicon: its limits and words.
        code: the language.
    """
    language = lexicon.language(code)
    copied = copied_words(words, texts.review_words, lexicon.copied_from)
    near = _near_copied(said, words, texts, language, copied, lexicon.near_copied_from)
    return {
        "copied_words": pl.Series(copied),
        "near_copied_words": pl.Series(near),
        **_unsupported(said, texts, language),
    }


def _near_copied(
    said: pl.DataFrame,
    words: OwnedTokens,
    texts: BriefTexts,
    language: Language,
    copied: NDArray[np.int32],
    least: int,
) -> NDArray[np.int32]:
    """Return the words of each utterance's longest near-copy; 0 where a run is copied exactly."""
    found = np.zeros(len(said), np.int32)
    maybe = np.flatnonzero(near_copying(words, texts.review_words) & (copied == 0))
    if not len(maybe):
        return found
    rows = said[maybe].select("place", "bare")
    reviews = texts.reviews_of(rows["place"])
    for at, (place, bare) in zip(maybe.tolist(), rows.iter_rows(), strict=True):
        copy = longest_near_copy(bare, reviews.get(place, ()), language.plain_words, least)
        found[at] = copy.words
    return found


def _unsupported(said: pl.DataFrame, texts: BriefTexts, language: Language) -> dict[str, pl.Series]:
    """Return how many names, figures, details and works of each utterance its brief lacks."""
    counts = {column: np.zeros(len(said), np.int32) for column in KINDS.values()}
    finder = Finder(language)
    claiming = (finder.claims(said["bare"]) & (said["role"] == "agent")).arg_true()
    rows = np.union1d(_counting_or_quoting(said), claiming.to_numpy())
    if language.familiar:
        rows = np.union1d(rows, _naming(said, texts, finder))
    for at, specific in _specifics(said, rows, texts, finder):
        counts[KINDS[specific.kind]][at] += 1
    return {column: pl.Series(found) for column, found in counts.items()}


def _specifics(
    said: pl.DataFrame, rows: NDArray[np.int64], texts: BriefTexts, finder: Finder
) -> Iterator[tuple[int, Specific]]:
    """Yield what stands in no review of the brief's items, with the row of its utterance.

    First the brief's own texts are searched, then, for what is not found there, every review.
    """
    held = texts.of(said["place"][rows])
    strange = _unheld(said, rows, held, finder)
    places = {said["place"][at] for at, _ in strange}
    everything = item_reviews(texts.con, places) if places else {}
    again = np.array(sorted({at for at, _ in strange}), np.int64)
    return iter(_unheld(said, again, held, finder, everything))


def _unheld(
    said: pl.DataFrame,
    rows: NDArray[np.int64],
    held: Mapping[int, Iterable[str]],
    finder: Finder,
    others: Mapping[int, Iterable[str]] = MappingProxyType({}),
) -> list[tuple[int, Specific]]:
    support = {
        place: Support(texts, others.get(place, ()), finder.numbers)
        for place, texts in held.items()
    }
    told = said[rows].select("place", "bare", "role")
    return [
        (at, specific)
        for at, (place, bare, role) in zip(rows.tolist(), told.iter_rows(), strict=True)
        for specific in finder.find(bare, role, support[place])
    ]


def _naming(said: pl.DataFrame, texts: BriefTexts, finder: Finder) -> NDArray[np.int64]:
    """Return the rows with a name that is no familiar one and is in no text of the brief."""
    runs = said.select(
        "place",
        row=pl.int_range(pl.len(), dtype=pl.Int64),
        name=pl.col("bare").str.extract_all(NAMES),
    ).explode("name")
    names = (
        runs.drop_nulls()
        .with_columns(pl.col("name").str.extract_all(r"\p{Lu}[\p{L}'\u2019-]+"))
        .explode("name")
        .drop_nulls()
    )
    names = names.with_columns(pl.col("name").str.replace(r"['\u2019]s?$", ""))
    distinct = names["name"].unique()
    strange = distinct.filter(
        pl.Series([not finder.is_ordinary(name) for name in distinct], dtype=pl.Boolean)
    )
    names = names.filter(pl.col("name").is_in(strange.implode()))
    if not len(names):
        return np.empty(0, np.int64)
    wanted = OwnedTokens.of(names["name"], names["place"].to_numpy())
    known = are_known(wanted, texts.review_words) | are_known(wanted, texts.title_words)
    return np.unique(names["row"].to_numpy()[~known])


def _counting_or_quoting(said: pl.DataFrame) -> NDArray[np.int64]:
    """Return the rows with a digit or something in quotation marks."""
    quoted = '["\u201c][^"\u201c\u201d]{12}'
    return said["bare"].str.contains(rf"[0-9\uff10-\uff19]|{quoted}").arg_true().to_numpy()

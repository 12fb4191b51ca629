"""What is told of items, compared with the brief: near-copies, what it does not hold, hints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np
import polars as pl
from numpy.typing import NDArray

from tasks.quality import plan_facts
from tasks.quality.lexicon import Language, Lexicon
from tasks.quality.specifics import NAMES, Finder, Support
from tasks.word_runs import (
    OwnedTokens,
    are_known,
    copied_words,
    longest_near_copy,
    shared_runs,
    texts_of,
    tokenise,
)

_SEED_WORDS = 2  # a near-copy of nine words shares so many runs of two words
_SEEDS = 3
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
        reviews: columns place, text, of_target, is_users.
        titles: columns place, title.
        review_words, title_words: the words of both.
    """

    reviews: pl.DataFrame
    titles: pl.DataFrame
    review_words: OwnedTokens
    title_words: OwnedTokens

    def of(self, places: Iterable[int]) -> dict[int, list[str]]:
        """Return titles and reviews of some dialogues, by place."""
        wanted = pl.Series(sorted(set(places)), dtype=pl.Int64)
        found: dict[int, list[str]] = {place: [] for place in wanted}
        for texts in (self.titles, self.reviews):
            rows = texts.filter(pl.col("place").is_in(wanted.implode()))
            for place, text in rows.select("place", rows.columns[1]).iter_rows():
                found[place].append(text)
        return found


def read_brief_texts(con: duckdb.DuckDBPyConnection, within: Mapping[str, Any]) -> BriefTexts:
    """Read the reviews and titles of the dialogues queued from `from` up to `until`."""
    reviews = con.sql(plan_facts.REVIEWS, params=dict(within)).pl()
    titles = con.sql(plan_facts.TITLES_WITHIN, params=dict(within)).pl()
    return BriefTexts(
        reviews,
        titles,
        OwnedTokens.of(reviews["text"], reviews["place"].to_numpy()),
        OwnedTokens.of(titles["title"], titles["place"].to_numpy()),
    )


def told_facts(
    said: pl.DataFrame, words: OwnedTokens, texts: BriefTexts, lexicon: Lexicon, code: str
) -> dict[str, pl.Series]:
    """Return what is copied or nearly copied from reviews, not held by the brief, or hinted at.

    Args:
        said: utterances with the columns place, bare, role and is_before_target.
        words: the words of `bare`.
        texts: what their briefs hold.
        lexicon: its limits and words.
        code: the language.
    """
    language = lexicon.languages.get(code, Language())
    copied = copied_words(words, texts.review_words, lexicon.copied_from)
    near = _near_copied(said, words, texts, language, copied, lexicon.near_copied_from)
    return {
        "copied_words": pl.Series(copied),
        "near_copied_words": pl.Series(near),
        "target_hint": pl.Series(_hints(said, words, texts, language)),
        "out_of_turn": pl.Series(_out_of_turn(said, words, texts, language)),
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
    seeds = shared_runs(words, texts.review_words, _SEED_WORDS)
    maybe = np.flatnonzero((seeds >= _SEEDS) & (copied == 0))
    if not len(maybe):
        return found
    rows = said[maybe].select("place", "bare")
    reviews: dict[int, list[str]] = {}
    wanted = texts.reviews.filter(pl.col("place").is_in(rows["place"].unique().implode()))
    for place, text in wanted.select("place", "text").iter_rows():
        reviews.setdefault(place, []).append(text)
    for at, (place, bare) in zip(maybe.tolist(), rows.iter_rows(), strict=True):
        copy = longest_near_copy(bare, reviews.get(place, ()), language.plain_words, least)
        found[at] = copy.words
    return found


def _unsupported(said: pl.DataFrame, texts: BriefTexts, language: Language) -> dict[str, pl.Series]:
    """Return how many names, figures, details and works of each utterance its brief lacks."""
    counts = {column: np.zeros(len(said), np.int32) for column in KINDS.values()}
    if language.familiar:
        finder = Finder(language)
        claiming = (finder.claims(said["bare"]) & (said["role"] == "agent")).arg_true()
        rows = np.union1d(_naming(said, texts, finder), _counting_or_quoting(said))
        rows = np.union1d(rows, claiming.to_numpy())
        held = {place: Support(held) for place, held in texts.of(said["place"][rows]).items()}
        maybe = said[rows].select("place", "bare", "role")
        for at, (place, bare, role) in zip(rows.tolist(), maybe.iter_rows(), strict=True):
            for specific in finder.find(bare, role, held[place]):
                counts[KINDS[specific.kind]][at] += 1
    return {column: pl.Series(found) for column, found in counts.items()}


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
    return said["bare"].str.contains('[0-9]|["\u201c][^"\u201c\u201d]{12}').arg_true().to_numpy()


def _hints(
    said: pl.DataFrame, words: OwnedTokens, texts: BriefTexts, language: Language
) -> NDArray[np.int32]:
    """Return how many words of the target's own review are said before its turn."""
    early = said["is_before_target"].fill_null(value=False).to_numpy()
    return _words_of_one_side(early, words, texts, pl.col("of_target"), language)


def _out_of_turn(
    said: pl.DataFrame, words: OwnedTokens, texts: BriefTexts, language: Language
) -> NDArray[np.int32]:
    """Return how many words of the other side's reviews an utterance is the first to say.

    Those of the user's own reviews, if the agent speaks; of other people's, if the user does.
    """
    users = (said["role"] == "user").to_numpy()
    by_agent = _words_of_one_side(~users, words, texts, pl.col("is_users"), language)
    by_user = _words_of_one_side(users, words, texts, ~pl.col("is_users"), language)
    return np.maximum(by_agent, by_user)


def _words_of_one_side(
    asked: NDArray[np.bool_],
    words: OwnedTokens,
    texts: BriefTexts,
    is_one_side: pl.Expr,
    language: Language,
) -> NDArray[np.int32]:
    """Return how many words that only one side's reviews have an utterance is the first to say.

    Common words of the language, and those of the brief's other texts, tell nothing.

    Args:
        asked: the utterances to look at; others get 0.
        words: the words of all utterances, in the order of turns.
        texts: what their briefs hold.
        is_one_side: which of the reviews.
        language: its common words.
    """
    counts = np.zeros(len(asked), np.int32)
    side, others = texts.reviews.filter(is_one_side), texts.reviews.filter(~is_one_side)
    if not asked.any() or not len(side):
        return counts
    row = np.repeat(np.arange(len(asked)), np.diff(words.tokens.starts))
    common = tokenise(pl.Series(sorted(language.plain_words), dtype=pl.String)).hashes
    tells = are_known(words, _owned(side)) & ~np.isin(words.tokens.hashes, common)
    tells &= ~are_known(words, _owned(others)) & ~are_known(words, texts.title_words)
    found = pl.DataFrame(
        {
            "row": row[tells],
            "place": words.owner_of_each_word()[tells],
            "word": words.tokens.hashes[tells],
        }
    )
    firsts = found.group_by("place", "word").agg(pl.col("row").min())["row"].to_numpy()
    np.add.at(counts, firsts[asked[firsts]], 1)
    return counts


def _owned(reviews: pl.DataFrame) -> OwnedTokens:
    return OwnedTokens.of(reviews["text"], reviews["place"].to_numpy())


def hinting_words(
    bare: str, target: Iterable[str], others: Iterable[str], language: Language
) -> list[str]:
    """Return the words of an utterance that only the target's own texts have."""
    known = {word for text in target for word in texts_of(text)}
    known -= {word for text in others for word in texts_of(text)} | language.plain_words
    return [word for word in dict.fromkeys(texts_of(bare)) if word in known]

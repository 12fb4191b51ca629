"""What of a user is to be found: ids, pseudonyms, dialogues, and runs of words of their reviews."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final

import duckdb

EIGHT: Final = 8  # words in a row that retell a review
_WORD = re.compile(r"\w+")
_TAG = re.compile(r"<[^<>]{0,2000}>")
_TEXTS = """
WITH theirs AS (SELECT unnest($users) AS user_id)
SELECT review_id, text FROM raw_reviews SEMI JOIN theirs USING (user_id)
UNION
SELECT review_id, text FROM reviews SEMI JOIN theirs USING (user_id)
"""
_OWN = """
WITH theirs AS (SELECT unnest($users) AS user_id)
SELECT dialogue_id FROM briefs SEMI JOIN theirs USING (user_id)
UNION
SELECT dialogue_id FROM dialogues SEMI JOIN theirs USING (user_id)
"""
_RETOLD = """
WITH theirs AS (SELECT unnest($reviews) AS review_id)
SELECT DISTINCT dialogue_id
FROM brief_items
JOIN theirs ON other_review_id = theirs.review_id
"""
_SAID = """
SELECT dialogue_id, text FROM utterances
UNION ALL
SELECT dialogue_id, text FROM responses
"""
_KNOWN = """
WITH theirs AS (SELECT unnest($users) AS user_id),
everybody AS (
    SELECT user_id FROM raw_reviews
    UNION
    SELECT user_id FROM preferences
    UNION
    SELECT user_id FROM briefs
    UNION
    SELECT user_id FROM dialogues
)
SELECT user_id FROM everybody SEMI JOIN theirs USING (user_id)
"""


@dataclass(frozen=True)
class Traces:
    """What tells that something is of the users.

    Attributes:
        users: their ids.
        reviews: ids of their reviews.
        own: ids of their dialogues.
        retold: ids of dialogues of others that retell their reviews.
        runs: each eight words in a row of their reviews.
    """

    users: frozenset[str]
    reviews: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()
    retold: frozenset[str] = frozenset()
    runs: frozenset[tuple[str, ...]] = field(default=frozenset(), repr=False)

    @property
    def dialogues(self) -> frozenset[str]:
        """Ids of all dialogues that go."""
        return self.own | self.retold

    def in_words(self, text: str) -> bool:
        """Return True if a text has eight words in a row of a review."""
        return any(run in self.runs for run in word_runs(text))

    def in_text(self, text: str) -> bool:
        """Return True if a text or page names a user or a dialogue, or has words of a review."""
        if any(name in text for name in (*self.users, *self.dialogues)):
            return True
        return self.in_words(html.unescape(_TAG.sub(" ", text)))

    def in_bytes(self, content: bytes) -> bool:
        """Return True if bytes hold the id of a user or of one of the dialogues."""
        return any(name.encode() in content for name in (*self.users, *self.dialogues))


def word_runs(text: str) -> Iterator[tuple[str, ...]]:
    """Yield each eight words in a row, in small letters."""
    words = _WORD.findall(text.lower())
    return zip(*(islice(words, start, None) for start in range(EIGHT)), strict=False)


def find_traces(con: duckdb.DuckDBPyConnection, users: Sequence[str]) -> Traces:
    """Return the traces of users in a warehouse, which is only read."""
    texts = con.execute(_TEXTS, {"users": list(users)}).fetchall()
    runs = frozenset(run for _, text in texts for run in word_runs(text))
    reviews = frozenset(review_id for review_id, _ in texts)
    own = _ids(con, _OWN, {"users": list(users)})
    retold = _ids(con, _RETOLD, {"reviews": sorted(reviews)})
    found = Traces(frozenset(users), reviews, own, runs=runs)
    said = {name for name, text in _rows(con, _SAID) if found.in_words(text)}
    return Traces(found.users, reviews, own, frozenset(retold | said) - own, runs)


def known_users(con: duckdb.DuckDBPyConnection, users: Sequence[str]) -> frozenset[str]:
    """Return those of the users of whom a warehouse has anything."""
    return _ids(con, _KNOWN, {"users": list(users)})


def _ids(
    con: duckdb.DuckDBPyConnection, query: str, values: dict[str, list[str]]
) -> frozenset[str]:
    return frozenset(row[0] for row in con.execute(query, values).fetchall())


def _rows(con: duckdb.DuckDBPyConnection, query: str) -> Iterator[tuple[str, str]]:
    con.execute(query)
    while found := con.fetchmany(10_000):
        yield from found


def files_below(folder: Path) -> Iterable[Path]:
    """Return the files below a folder, links left out; none if it is not there."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())

"""Statistics (section 3): the figures of Table 1 and Table 3 for any corpus."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import polars as pl

from tasks.languages import counted_column
from tasks.release import (
    StructureCheck,
    read_item_map,
    read_titles,
    read_turns,
    read_users,
    verify_release,
)
from tasks.verdicts import ACCEPTED

# A token is a run of letters and digits, with apostrophes or hyphens inside it, in lower case:
# "don't", "sci-fi", "1917". Punctuation is no token.
TOKEN = r"[\p{L}\p{M}\p{N}]+(?:['’\-][\p{L}\p{M}\p{N}]+)*"
N_GRAM = 4
BATCH = 50_000  # utterances
MERGE_AFTER = 4  # batches

_Hashes = npt.NDArray[np.uint64]
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)  # odd, so that multiplying by it loses nothing


@dataclass(frozen=True)
class Statistics:
    """The rows of Table 3 for one corpus.

    Attributes:
        tokens: distinct tokens, see `TOKEN`.
        four_grams: distinct runs of four tokens inside one utterance.
        users: distinct users, None where the corpus does not identify users.
        items: items of the catalogue, None where there is none.
    """

    dialogues: int
    utterances: int
    tokens: int
    four_grams: int
    users: int | None
    items: int | None

    @property
    def dialogues_per_user(self) -> float | None:
        """Mean dialogues per user."""
        return self.dialogues / self.users if self.users else None

    @property
    def utterances_per_dialogue(self) -> float | None:
        """Mean utterances per dialogue."""
        return self.utterances / self.dialogues if self.dialogues else None


@dataclass
class _Counter:
    utterances: int = 0
    dialogues: set[str | int] = field(default_factory=set)
    tokens: set[str] = field(default_factory=set)
    grams: list[_Hashes] = field(default_factory=list)

    def add(self, batch: list[tuple[str | int, str]]) -> None:
        """Count a batch of (dialogue, text)."""
        self.utterances += len(batch)
        self.dialogues.update(dialogue for dialogue, _ in batch)
        texts = counted_column(pl.Series([text for _, text in batch], dtype=pl.String))
        frame = (
            pl.DataFrame({"utterance": range(len(batch)), "token": texts})
            .with_columns(pl.col("token").str.to_lowercase().str.extract_all(TOKEN))
            .explode("token")
            .drop_nulls()
        )
        self.tokens.update(frame["token"].unique().to_list())
        self.grams.append(
            _distinct(_four_grams(frame["token"].hash().to_numpy(), frame["utterance"].to_numpy()))
        )
        if len(self.grams) == MERGE_AFTER:
            self.merge()

    def merge(self) -> None:
        """Put what the batches brought into one array."""
        self.grams = [_distinct(np.concatenate(self.grams))] if self.grams else []


def corpus_statistics(
    utterances: Iterable[tuple[str | int, str]], *, users: int | None, items: int | None
) -> Statistics:
    """Return the figures of Table 3 (section 3) for a corpus.

    The paper names no tokenizer. Here a token is a run of letters and digits in lower case, with
    apostrophes or hyphens inside it (`TOKEN`); punctuation is no token. A 4-gram is four tokens in
    a row within one utterance: it never reaches over the border between two speakers. Tokens are
    counted exactly, 4-grams as distinct 64-bit hashes: among 5 million the chance that two share
    one is about one in a million.

    Args:
        utterances: (dialogue, text) of every utterance; a dialogue's name may be any string or
            number.
        users: distinct users, None where the corpus does not identify users.
        items: items of the catalogue, None where there is none.
    """
    counter = _Counter()
    for batch in _batches(utterances):
        counter.add(batch)
    counter.merge()
    four_grams = len(counter.grams[0]) if counter.grams else 0
    return Statistics(
        len(counter.dialogues), counter.utterances, len(counter.tokens), four_grams, users, items
    )


def _four_grams(tokens: _Hashes, utterance: npt.NDArray[np.int64]) -> _Hashes:
    """Return a hash for each run of four tokens within one utterance."""
    last = len(tokens) - N_GRAM + 1
    if last <= 0:
        return np.empty(0, dtype=np.uint64)
    mixed = np.zeros(last, dtype=np.uint64)
    for offset in range(N_GRAM):
        mixed = mixed * _MULTIPLIER + tokens[offset : offset + last]
    kept: _Hashes = mixed[utterance[:last] == utterance[N_GRAM - 1 :]]
    return kept


def _distinct(hashes: _Hashes) -> _Hashes:
    """Return the distinct values in any order; polars does it 15 times as fast as numpy.unique."""
    distinct: _Hashes = pl.Series(hashes).unique().to_numpy()
    return distinct


def _batches(utterances: Iterable[tuple[str | int, str]]) -> Iterator[list[tuple[str | int, str]]]:
    stream = iter(utterances)
    while batch := list(islice(stream, BATCH)):
        yield batch


_ACCEPTED = f"""
WITH {ACCEPTED}
SELECT dialogue_id, text FROM utterances SEMI JOIN accepted USING (dialogue_id, attempt)
"""

_SPOKEN = f"""
WITH {ACCEPTED}
SELECT dialogue_id, role, text
FROM utterances
SEMI JOIN accepted USING (dialogue_id, attempt)
ORDER BY dialogue_id, turn
"""

# The same people and items a release shows: users with an accepted dialogue, the items of their
# histories, and what they were recommended.
_PEOPLE = f"""
WITH {ACCEPTED},
recommended AS (SELECT user_id, target_item_id FROM briefs SEMI JOIN accepted USING (dialogue_id)),
shown AS (
    SELECT p.item_id
    FROM preferences p
    SEMI JOIN recommended r ON r.user_id = p.user_id
    WHERE p.collection IN ('LIKES', 'DISLIKES')
    UNION
    SELECT target_item_id
    FROM recommended
)
SELECT
    (SELECT count(DISTINCT user_id) FROM recommended),
    (SELECT count(*) FROM shown SEMI JOIN items USING (item_id))
"""


def warehouse_statistics(con: duckdb.DuckDBPyConnection) -> Statistics:
    """Return Table 3 for a warehouse's accepted dialogues; see `corpus_statistics`."""
    users, items = con.execute(_PEOPLE).fetchall()[0]
    return corpus_statistics(_texts(con), users=users, items=items)


def read_spoken(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str]]:
    """Return dialogue, role and text of each utterance of a warehouse's accepted dialogues."""
    return con.execute(_SPOKEN).fetchall()


def folder_statistics(folder: Path) -> Statistics:
    """Return Table 3 for a folder in the LLM-REDIAL layout, ours or the authors'.

    Raises:
        UserError: a file is missing, is not what the layout says or what SHA256SUMS says, or does
            not fit the others.
    """
    verify_release(folder)
    check = StructureCheck(folder, read_item_map(folder))
    users = 0
    for user in read_users(folder):
        check.add_user(user)
        users += 1
    counted = corpus_statistics(_spoken(folder, check), users=users, items=len(read_titles(folder)))
    check.finish()
    return counted


def _spoken(folder: Path, check: StructureCheck) -> Iterator[tuple[int, str]]:
    for conversation, turns in read_turns(folder):
        check.add_text(conversation)
        for turn in turns:
            yield conversation, turn.text


def _texts(con: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, str]]:
    con.execute(_ACCEPTED)
    while found := con.fetchmany(10_000):
        yield from found

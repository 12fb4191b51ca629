"""Word counts: reviews of allowed length, without their irregular tokens (Appendix B)."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa
from duckdb.sqltypes import BIGINT, VARCHAR

from tasks.languages import count_words
from tasks.preprocess.irregular_tokens import regular_text, without_irregular
from tasks.preprocess.token_scan import scan
from tasks.settings import Preprocess
from tasks.warehouse import integers, sql_function, strings

_ADMIT = """
CREATE OR REPLACE TEMP TABLE admitted AS
WITH editions AS (SELECT item_id, work_id FROM items WHERE work_id <> item_id),
measured AS (
    SELECT
        r.rowid AS row_id,
        user_id,
        coalesce(e.work_id, r.item_id) AS item_id,
        rating,
        measure(text) AS measured
    FROM raw_reviews r
    LEFT JOIN editions e ON e.item_id = r.item_id
)
SELECT row_id, user_id, item_id, rating, measured.words, measured.text, false AS core
FROM measured
"""
_TOTALS = """
SELECT
    count(*),
    count(*) FILTER (words < $low),
    count(*) FILTER (words > $high),
    count(text)
FROM admitted
"""

# Texts scanned together: their bytes fit the processor's cache, which is three times as fast.
_SLICE = 512


@dataclass(frozen=True)
class WordCounts:
    """Numbers of all reviews, of those cleaned, and of those outside the word limits."""

    reviews: int
    cleaned: int
    too_short: int
    too_long: int

    @property
    def kept(self) -> int:
        """Reviews within the limits."""
        return self.reviews - self.too_short - self.too_long


def admit(con: duckdb.DuckDBPyConnection, settings: Preprocess) -> WordCounts:
    """Create the temporary table `admitted` of the reviews within the word limits.

    Columns: row_id, user_id, item_id, rating, words, text, core (false). `row_id` is the rowid in
    `raw_reviews`, `item_id` the work's where editions are merged. `text` is set where irregular
    tokens were dropped, and words are counted without them.
    """

    def measure(texts: pa.ChunkedArray) -> pa.Array:
        return measure_texts(texts.combine_chunks(), drop=settings.irregular_tokens == "drop")

    result = duckdb.struct_type({"words": BIGINT, "text": VARCHAR})
    with sql_function(con, measure, [VARCHAR], result, arrow=True) as name:
        con.execute(_ADMIT.replace("measure(", f"{name}("))
    limits = {"low": settings.min_words, "high": settings.max_words}
    reviews, too_short, too_long, cleaned = con.execute(_TOTALS, limits).fetchall()[0]
    con.execute("DELETE FROM admitted WHERE words NOT BETWEEN $low AND $high", limits)
    return WordCounts(reviews, cleaned, too_short, too_long)


def measure_texts(texts: pa.StringArray, *, drop: bool) -> pa.StructArray:
    """Return each text's number of words and, with `drop`, its cleaned text if that differs."""
    words = np.zeros(len(texts), dtype=np.int64)
    cleaned: list[str | None] = [None] * len(texts)
    for start in range(0, len(texts), _SLICE):
        part = texts.slice(start, _SLICE)
        result = scan(part)
        words[start : start + _SLICE] = result.words
        for row in (*result.whole, *result.tokens) if drop else ():
            before = part[row].as_py()
            if row in result.whole:
                after = regular_text(before)
            else:
                after = without_irregular(before, result.tokens[row])
            if after != before:
                cleaned[start + row] = after
                words[start + row] = count_words(after)
    return pa.StructArray.from_arrays([integers(words), strings(cleaned)], names=["words", "text"])

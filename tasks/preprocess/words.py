"""Word counts: which reviews are long enough to say something and short enough to be read (Appendix B)."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import pyarrow as pa
from duckdb.func import PythonUDFType
from duckdb.sqltypes import VARCHAR

from tasks.preprocess.irregular import SUSPECT, regular_text
from tasks.settings import Preprocess

_SPACES = "\t\n\r\x0b\x0c\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
"""What parts words beside the space; the same characters as for Python's `str.split`."""

_CLEAN = """
INSERT INTO cleaned
WITH suspects AS (SELECT rowid AS row_id, text FROM raw_reviews WHERE regexp_matches(text, $suspect)),
mended AS (SELECT row_id, text AS before, regular_text(text) AS text FROM suspects)
SELECT row_id, text FROM mended WHERE text <> before
"""
_ADMIT = """
CREATE OR REPLACE TEMP TABLE admitted AS
WITH texts AS (
    SELECT r.rowid AS row_id, user_id, item_id, coalesce(c.text, r.text) AS text
    FROM raw_reviews r LEFT JOIN cleaned c ON r.rowid = c.row_id
),
spaced AS (
    SELECT row_id, user_id, item_id,
           CASE WHEN strlen(text) = length(text) THEN translate(text, $ascii, $ascii_spaces)
                ELSE translate(text, $all, $all_spaces) END AS text
    FROM texts
)
SELECT row_id, user_id, item_id, len(list_filter(string_split(text, ' '), lambda word: word <> ''))::INTEGER AS words, false AS core
FROM spaced
"""
_TOTALS = """
SELECT count(*), count(*) FILTER (words < $low), count(*) FILTER (words > $high), (SELECT count(*) FROM cleaned) FROM admitted
"""


@dataclass(frozen=True)
class WordCounts:
    """How many reviews there were, how many were cleaned, and how the word limits parted them."""

    reviews: int
    cleaned: int
    too_short: int
    too_long: int

    @property
    def kept(self) -> int:
        """Reviews within the limits."""
        return self.reviews - self.too_short - self.too_long


def admit(con: duckdb.DuckDBPyConnection, settings: Preprocess) -> WordCounts:
    """Make the temporary tables `cleaned` (row_id, text) and `admitted` (row_id, user_id, item_id, words, core: false).

    `row_id` is the rowid in `raw_reviews`. Words are what stands between whitespace, after irregular tokens were dropped.
    """
    con.execute("CREATE OR REPLACE TEMP TABLE cleaned (row_id BIGINT, text VARCHAR)")
    if settings.irregular_tokens == "drop":
        _clean(con)
    ascii_spaces = "".join(char for char in _SPACES if char.isascii())
    con.execute(
        _ADMIT,
        {"ascii": ascii_spaces, "ascii_spaces": " " * len(ascii_spaces), "all": _SPACES, "all_spaces": " " * len(_SPACES)},
    )
    limits = {"low": settings.min_words, "high": settings.max_words}
    reviews, too_short, too_long, cleaned = con.execute(_TOTALS, limits).fetchall()[0]
    con.execute("DELETE FROM admitted WHERE words NOT BETWEEN $low AND $high", limits)
    return WordCounts(reviews, cleaned, too_short, too_long)


def _clean(con: duckdb.DuckDBPyConnection) -> None:
    """Rewrite the few texts that may hold irregular tokens; DuckDB picks them, Python looks at them."""

    def mend(texts: pa.ChunkedArray) -> pa.Array:
        return pa.array([regular_text(text) for text in texts.to_pylist()], pa.string())

    con.create_function("regular_text", mend, [VARCHAR], VARCHAR, type=PythonUDFType.ARROW)
    try:
        con.execute(_CLEAN, {"suspect": SUSPECT})
    finally:
        con.remove_function("regular_text")

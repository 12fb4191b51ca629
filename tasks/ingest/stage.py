"""The ingest stage: source files to `raw_reviews`, `rejected_rows` and `items` (section 2.1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from tasks.errors import UserError
from tasks.ingest.defects import (
    DUPLICATE,
    OTHER_EDITION,
    Tally,
    TooManyBadLines,
    bad_lines,
    counts_text,
    most_frequent_hint,
)
from tasks.ingest.encodings import UTF_8
from tasks.ingest.items import fill_items
from tasks.ingest.loader import load_reviews, load_titles
from tasks.settings import Domain, Sources
from tasks.tombstones import Tombstones
from tasks.warehouse import create_table, integers, strings

_REJECTS = ["line", "kind", "detail"]
_PUBLISHED_TITLES = """
CREATE OR REPLACE TEMP TABLE published_titles (
    file_order INTEGER,
    line BIGINT,
    item_id VARCHAR,
    title VARCHAR
)
"""
_REJECT_DUPLICATES = """
INSERT INTO rejected_rows
SELECT
    source_file,
    source_line,
    $kind,
    concat('the first is in ', first_file, ', line ', first_line)
FROM later_reviews
"""
_ITEMS_REVIEWED = """
SELECT rowid AS row_id, user_id, item_id AS subject, source_file, source_line
FROM raw_reviews
"""
_WORKS_REVIEWED = """
SELECT r.rowid AS row_id, user_id, work_id AS subject, source_file, source_line
FROM raw_reviews r
JOIN items USING (item_id)
"""
_DUPLICATES = """
CREATE OR REPLACE TEMP TABLE later_reviews AS
WITH reviewed AS NOT MATERIALIZED ({reviewed}),
repeated AS (
    SELECT user_id, subject
    FROM reviewed
    GROUP BY ALL
    HAVING count(*) > 1
),
numbered AS (
    SELECT
        row_id,
        source_file,
        source_line,
        row_number() OVER w AS number,
        first_value(source_file) OVER w AS first_file,
        first_value(source_line) OVER w AS first_line
    FROM reviewed
    SEMI JOIN repeated USING (user_id, subject)
    WINDOW w AS (
        PARTITION BY user_id, subject
        ORDER BY list_position($files, source_file), source_line
    )
)
SELECT * FROM numbered WHERE number > 1
"""
_SHARED_TITLES = """
SELECT count(*)
FROM (SELECT title FROM items GROUP BY title HAVING count(*) > 1)
"""


@dataclass(frozen=True)
class IngestCounts:
    """What ingest read and kept.

    Attributes:
        lines: review lines that are not blank.
        reviews: rows of `raw_reviews`.
        rejected: review lines not used, by kind; `lines` is `reviews` plus all of these.
        bad_share: share of `lines` rejected for a kind that counts as bad.
        metadata_lines: metadata lines that are not blank.
        metadata_rejected: metadata lines not used, by kind.
        encodings: what each file that is not UTF-8 was read as, by name.
        items: rows of `items`.
        works: different works among them; as many as items unless editions are merged.
        untitled: reviewed items without a title.
        shared_titles: cleaned titles that more than one item has.
    """

    lines: int
    reviews: int
    rejected: dict[str, int]
    bad_share: float
    metadata_lines: int
    metadata_rejected: dict[str, int]
    encodings: dict[str, str]
    items: int
    works: int
    untitled: int
    shared_titles: int


def ingest(
    con: duckdb.DuckDBPyConnection, domain: Domain, erased: Tombstones | None = None
) -> IngestCounts:
    """Fill `raw_reviews`, `rejected_rows` and `items` from a domain's source files.

    The first review of each (user, item) in source order is kept; with `merge_editions`, of each
    (user, work). `raw_reviews` has the item that each source line names. Blank lines are skipped.
    Timestamps are in seconds. Reviews of users who were erased are left out.

    Raises:
        UserError: a file is missing, empty, damaged or lacks a field; too many lines are unusable;
            no row is usable; or the metadata has no title of any reviewed item.
    """
    for table in ("raw_reviews", "rejected_rows", "items"):
        create_table(con, table, replace=True)
    con.execute(_PUBLISHED_TITLES)
    reviews, metadata = source_names(domain.sources)
    review_tallies, title_tallies = _load_sources(con, domain, reviews, metadata, erased)
    tallies = [*review_tallies, *title_tallies]
    _insert_rejects(con, tallies)
    duplicates = _reject_duplicates(con, reviews, _ITEMS_REVIEWED, DUPLICATE)
    kinds = _sum(review_tallies) + Counter({DUPLICATE: duplicates})
    lines = sum(tally.lines for tally in review_tallies)
    if not _count(con, "SELECT count(*) FROM raw_reviews"):
        empty = f"there is nothing but blank lines and headers in {', '.join(reviews)}"
        hint = most_frequent_hint(kinds) if lines else empty
        message = f"no usable review in {lines} lines ({counts_text(kinds)}): {hint}"
        raise TooManyBadLines(message, review_tallies)
    _check_titles(con, metadata)
    untitled = fill_items(
        con, id_as_title=domain.untitled == "use_id", merge_editions=domain.merge_editions
    )
    con.execute("DROP TABLE published_titles")
    if domain.merge_editions:
        kinds[OTHER_EDITION] = _reject_duplicates(con, reviews, _WORKS_REVIEWED, OTHER_EDITION)
    encodings = {tally.source_file: tally.encoding for tally in tallies}
    return IngestCounts(
        lines=lines,
        reviews=_count(con, "SELECT count(*) FROM raw_reviews"),
        rejected=dict(sorted(kinds.items())),
        bad_share=bad_lines(kinds) / lines,
        metadata_lines=sum(tally.lines for tally in title_tallies),
        metadata_rejected=dict(sorted(_sum(title_tallies).items())),
        encodings={name: encoding for name, encoding in encodings.items() if encoding != UTF_8},
        items=_count(con, "SELECT count(*) FROM items"),
        works=_count(con, "SELECT count(DISTINCT work_id) FROM items"),
        untitled=untitled,
        shared_titles=_count(con, _SHARED_TITLES),
    )


def _load_sources(
    con: duckdb.DuckDBPyConnection,
    domain: Domain,
    reviews: list[str],
    metadata: list[str],
    erased: Tombstones | None,
) -> tuple[list[Tally], list[Tally]]:
    """Load all source files; return the tallies of the review and of the metadata files."""
    review_tallies: list[Tally] = []
    title_tallies: list[Tally] = []
    try:
        for order, name in enumerate(reviews):
            review_tallies.append(load_reviews(con, domain, order, name, erased))
        for order, name in enumerate(metadata):
            title_tallies.append(load_titles(con, domain, order, name))
    except TooManyBadLines as error:
        error.tallies = (*review_tallies, *title_tallies, *error.tallies)
        raise
    return review_tallies, title_tallies


def source_names(sources: Sources) -> tuple[list[str], list[str]]:
    """Return the names of the review and of the metadata files, in the domain's order.

    They are the values of `source_file`: the shortest end of the path that no other file of the
    domain has.

    Raises:
        UserError: a file is listed twice.
    """
    listed = [
        [Path(source.path).parts for source in sources.reviews],
        [Path(source.path).parts for source in sources.metadata],
    ]
    for paths in listed:
        if len(set(paths)) < len(paths):
            twice = next(path for path in paths if paths.count(path) > 1)
            raise UserError(f"{Path(*twice)} is listed twice as a source")
    all_paths = set(chain.from_iterable(listed))
    depth = 1
    while len({path[-depth:] for path in all_paths}) < len(all_paths):
        depth += 1
    reviews, metadata = (["/".join(path[-depth:]) for path in paths] for paths in listed)
    return reviews, metadata


def _check_titles(con: duckdb.DuckDBPyConnection, metadata: list[str]) -> None:
    """Raise UserError if there are metadata files without a title of any reviewed item."""
    entries, titles = con.execute(
        "SELECT count(*), count(*) FILTER (trim(title) <> '') FROM published_titles"
    ).fetchall()[0]
    if titles or not metadata:
        return
    reviewed, example = con.execute(
        "SELECT count(DISTINCT item_id), min(item_id) FROM raw_reviews"
    ).fetchall()[0]
    if entries:
        problem = (
            f"names {entries} of the {reviewed} items reviewed and has a title for none: "
            "set columns.title to the field of the titles"
        )
    else:
        problem = (
            f"names none of the {reviewed} items reviewed, such as {example!r}: "
            "check that it belongs to them, with ids written alike "
            "(columns.metadata_item is their field)"
        )
    raise UserError(f"{', '.join(metadata)} {problem}; or leave `metadata` out")


def _sum(tallies: Iterable[Tally]) -> Counter[str]:
    return sum((tally.kinds() for tally in tallies), Counter())


def store_rejected_lines(con: duckdb.DuckDBPyConnection, error: UserError) -> None:
    """Write the lines that stopped an ingest into `rejected_rows`, after it was rolled back.

    Another error, such as a missing file, leaves the table as it is.
    """
    if isinstance(error, TooManyBadLines):
        create_table(con, "rejected_rows", replace=True)
        _insert_rejects(con, error.tallies)


def _insert_rejects(con: duckdb.DuckDBPyConnection, tallies: Iterable[Tally]) -> None:
    for tally in tallies:
        rejects = sorted((line, *defect) for line, defect in tally.rejects.items())
        lines, kinds, details = list(zip(*rejects, strict=True)) or [(), (), ()]
        columns = [integers(np.array(lines, dtype=np.int64)), strings(kinds), strings(details)]
        con.register("rejects", pa.table(columns, _REJECTS))
        con.execute(
            "INSERT INTO rejected_rows SELECT $name, line, kind, detail FROM rejects",
            {"name": tally.source_file},
        )
        con.unregister("rejects")


def _reject_duplicates(
    con: duckdb.DuckDBPyConnection, files: list[str], reviewed: str, kind: str
) -> int:
    """Move all but the first review of each (user, subject) to `rejected_rows`; return the count.

    `reviewed` is the query of the reviews with their subject: an item or a work.
    """
    con.execute(_DUPLICATES.format(reviewed=reviewed), {"files": files})
    con.execute(_REJECT_DUPLICATES, {"kind": kind})
    duplicates = _count(con, "SELECT count(*) FROM later_reviews")
    if duplicates:
        con.execute("DELETE FROM raw_reviews WHERE rowid IN (SELECT row_id FROM later_reviews)")
    con.execute("DROP TABLE later_reviews")
    return duplicates


def _count(con: duckdb.DuckDBPyConnection, query: str) -> int:
    return int(con.execute(query).fetchall()[0][0])

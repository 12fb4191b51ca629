"""The ingest stage: source files to `raw_reviews`, `rejected_rows` and `items` (section 2.1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from tasks.errors import UserError
from tasks.ingest.defects import (
    DUPLICATE,
    OTHER_EDITION,
    BadLines,
    Tally,
    bad_lines,
    counts_text,
    hint_for,
)
from tasks.ingest.encodings import UTF_8
from tasks.ingest.items import fill_items
from tasks.ingest.loader import load_reviews, load_titles
from tasks.settings import Domain, Sources
from tasks.warehouse import create_table, integers, strings

_REJECTS = ["line", "kind", "detail"]
_REJECT_DUPLICATES = """
INSERT INTO rejected_rows
SELECT source_file, source_line, $kind, concat('the first is in ', first_file, ', line ', first_line) FROM later_reviews
"""
_ITEMS_REVIEWED = (
    "SELECT rowid AS row_id, user_id, item_id AS thing, source_file, source_line FROM raw_reviews"
)
_WORKS_REVIEWED = """
    SELECT r.rowid AS row_id, user_id, work_id AS thing, source_file, source_line FROM raw_reviews r JOIN items USING (item_id)
"""
_DUPLICATES = """
CREATE OR REPLACE TEMP TABLE later_reviews AS
WITH reviewed AS NOT MATERIALIZED ({reviewed}),
repeated AS (SELECT user_id, thing FROM reviewed GROUP BY ALL HAVING count(*) > 1),
placed AS (
    SELECT row_id, source_file, source_line, row_number() OVER w AS place,
           first_value(source_file) OVER w AS first_file, first_value(source_line) OVER w AS first_line
    FROM reviewed SEMI JOIN repeated USING (user_id, thing)
    WINDOW w AS (PARTITION BY user_id, thing ORDER BY list_position($files, source_file), source_line)
)
SELECT * FROM placed WHERE place > 1
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
        shared_titles: cleaned titles that stand for more than one item.
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


def ingest(con: duckdb.DuckDBPyConnection, domain: Domain) -> IngestCounts:
    """Fill `raw_reviews`, `rejected_rows` and `items` from a domain's source files.

    The first review of each (user, item) in source order stays; with `merge_editions`, of each
    (user, work). `raw_reviews` keeps the item each source line names. Blank lines are skipped.
    Timestamps are kept in seconds.

    Raises:
        UserError: a file is missing, empty, damaged or lacks a field; too many lines are unusable;
            no row is usable; or the metadata
            have no title of any item reviewed.
    """
    for table in ("raw_reviews", "rejected_rows", "items"):
        create_table(con, table, replace=True)
    con.execute(
        "CREATE OR REPLACE TEMP TABLE published_titles (file_order INTEGER, line BIGINT, item_id VARCHAR, title VARCHAR)"
    )
    reviews, metadata = source_names(domain.sources)
    read: list[Tally] = []
    read_titles: list[Tally] = []
    try:
        for order, name in enumerate(reviews):
            read.append(load_reviews(con, domain, order, name))
        for order, name in enumerate(metadata):
            read_titles.append(load_titles(con, domain, order, name))
    except BadLines as refused:
        refused.tallies = (*read, *read_titles, *refused.tallies)
        raise
    _keep_rejects(con, [*read, *read_titles])
    kinds = _sum(read) + Counter(
        {DUPLICATE: _set_duplicates_aside(con, reviews, _ITEMS_REVIEWED, DUPLICATE)}
    )
    lines = sum(tally.lines for tally in read)
    if not _count(con, "SELECT count(*) FROM raw_reviews"):
        nothing = f"there is nothing but blank lines and headers in {', '.join(reviews)}"
        hint = hint_for(kinds) if lines else nothing
        raise BadLines(f"no usable review in {lines} lines ({counts_text(kinds)}): {hint}", read)
    _check_titles(con, metadata)
    untitled = fill_items(
        con, id_as_title=domain.untitled == "use_id", merge_editions=domain.merge_editions
    )
    con.execute("DROP TABLE published_titles")
    if domain.merge_editions:
        kinds[OTHER_EDITION] = _set_duplicates_aside(con, reviews, _WORKS_REVIEWED, OTHER_EDITION)
    return IngestCounts(
        lines=lines,
        reviews=_count(con, "SELECT count(*) FROM raw_reviews"),
        rejected=dict(sorted(kinds.items())),
        bad_share=bad_lines(kinds) / lines,
        metadata_lines=sum(tally.lines for tally in read_titles),
        metadata_rejected=dict(sorted(_sum(read_titles).items())),
        encodings={
            tally.source_file: tally.encoding
            for tally in (*read, *read_titles)
            if tally.encoding != UTF_8
        },
        items=_count(con, "SELECT count(*) FROM items"),
        works=_count(con, "SELECT count(DISTINCT work_id) FROM items"),
        untitled=untitled,
        shared_titles=_count(
            con, "SELECT count(*) FROM (SELECT title FROM items GROUP BY title HAVING count(*) > 1)"
        ),
    )


def source_names(sources: Sources) -> tuple[list[str], list[str]]:
    """Return the names of the review files and of the metadata files, as `source_file` holds them, in the domain's order.

    A name is the shortest end of the path that no other file of the domain shares.

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
    everything = {path for paths in listed for path in paths}
    depth = 1
    while len({path[-depth:] for path in everything}) < len(everything):
        depth += 1
    reviews, metadata = (["/".join(path[-depth:]) for path in paths] for paths in listed)
    return reviews, metadata


def _check_titles(con: duckdb.DuckDBPyConnection, metadata: list[str]) -> None:
    """Raise UserError when there are metadata files, and not one title of a reviewed item in them."""
    entries, titles = con.execute(
        "SELECT count(*), count(*) FILTER (trim(title) <> '') FROM published_titles"
    ).fetchall()[0]
    if titles or not metadata:
        return
    reviewed, example = con.execute(
        "SELECT count(DISTINCT item_id), min(item_id) FROM raw_reviews"
    ).fetchall()[0]
    wrong = (
        f"names {entries} of the {reviewed} items reviewed and has a title for none: columns.title says where titles stand"
        if entries
        else f"names none of the {reviewed} items reviewed, such as {example!r}: see that it belongs to them, with ids written alike "
        "(columns.metadata_item says where they stand)"
    )
    raise UserError(f"{', '.join(metadata)} {wrong}; or leave `metadata` out")


def _sum(tallies: Iterable[Tally]) -> Counter[str]:
    return sum((tally.kinds() for tally in tallies), Counter())


def keep_refused(con: duckdb.DuckDBPyConnection, refused: UserError) -> None:
    """Write the lines that stopped an ingest into `rejected_rows`, after its own transaction was rolled back.

    A mistake of another kind, as a file that is not there, leaves the table as it is.
    """
    if isinstance(refused, BadLines):
        create_table(con, "rejected_rows", replace=True)
        _keep_rejects(con, refused.tallies)


def _keep_rejects(con: duckdb.DuckDBPyConnection, tallies: Iterable[Tally]) -> None:
    for tally in tallies:
        rejects = sorted((line, *defect) for line, defect in tally.rejects.items())
        lines, kinds, details = list(zip(*rejects, strict=True)) or [(), (), ()]
        con.register(
            "rejects",
            pa.table(
                [integers(np.array(lines, dtype=np.int64)), strings(kinds), strings(details)],
                _REJECTS,
            ),
        )
        con.execute(
            "INSERT INTO rejected_rows SELECT $name, line, kind, detail FROM rejects",
            {"name": tally.source_file},
        )
        con.unregister("rejects")


def _set_duplicates_aside(
    con: duckdb.DuckDBPyConnection, files: list[str], reviewed: str, kind: str
) -> int:
    """Move all but the first review of each (user, thing reviewed), in source order, to `rejected_rows`; return how many."""
    con.execute(_DUPLICATES.format(reviewed=reviewed), {"files": files})
    con.execute(_REJECT_DUPLICATES, {"kind": kind})
    found = _count(con, "SELECT count(*) FROM later_reviews")
    if found:
        con.execute("DELETE FROM raw_reviews WHERE rowid IN (SELECT row_id FROM later_reviews)")
    con.execute("DROP TABLE later_reviews")
    return found


def _count(con: duckdb.DuckDBPyConnection, query: str) -> int:
    return int(con.execute(query).fetchall()[0][0])

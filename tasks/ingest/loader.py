"""Loads one source file: DuckDB parses well-formed lines, Python checks every other line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Any

import duckdb
import pyarrow as pa
from duckdb.sqltypes import BIGINT, BOOLEAN, DOUBLE, VARCHAR

from tasks.ingest.defects import ERASED, Tally, TooManyBadLines, bad_lines
from tasks.ingest.formats import field_names, is_json, read_reviews, read_titles
from tasks.ingest.items import TITLE_SCHEMA, title_batch
from tasks.ingest.json_lines import LINE_SCHEMA, checked_line, json_contents
from tasks.ingest.reviewed_ids import ReviewedIds
from tasks.ingest.rows import SCHEMA, Batch, FieldNames
from tasks.ingest.source_file import SourceFile, open_source, reopen_source
from tasks.settings import Domain
from tasks.tombstones import Tombstones
from tasks.warehouse import sql_function, stream_into

_REVIEW_ID = """
substr(sha1(concat_ws(
    chr(31), user_id, item_id, rating, coalesce(timestamp::VARCHAR, ''), text
)), 1, 16)
"""
_INSERT_ROWS = f"""
INSERT INTO raw_reviews
SELECT {_REVIEW_ID}, user_id, item_id, rating, text, timestamp, $name, line
FROM incoming
WHERE user_id IS NOT NULL
"""
_INSERT_TITLES = """
INSERT INTO published_titles
WITH reviewed AS (SELECT DISTINCT item_id FROM raw_reviews)
SELECT $order, line, item_id, title
FROM incoming
SEMI JOIN reviewed USING (item_id)
"""
_INSERT_FIRST_TITLES = """
INSERT INTO published_titles
SELECT $order, min(line), item_id, arg_min(title, line)
FROM incoming
GROUP BY item_id
"""
# TRY parses a whole vector of lines again, one by one, when one of them is broken; most broken
# lines are cut short, so those without a closing brace are not tried at all.
_INSERT_LINES = """
INSERT INTO raw_reviews
WITH whole AS (
    SELECT
        *,
        ends_with(content, concat('}', chr(10)))
        OR ends_with(content, concat('}', chr(13), chr(10))) AS whole
    FROM incoming
),
parsed AS (
    SELECT
        line,
        content,
        TRY(json_extract_string(CASE WHEN whole THEN content END, $paths)) AS fields
    FROM whole
),
typed AS (
    SELECT
        line,
        content,
        fields[1] AS user_id,
        coalesce(fields[2], fields[3]) AS item_id,
        TRY_CAST(fields[4] AS DOUBLE) AS rating,
        fields[5] AS text,
        CASE WHEN $timed THEN coalesce(
            TRY_CAST(fields[6] AS DOUBLE),
            CASE
                WHEN regexp_full_match(fields[6], $day)
                THEN epoch(TRY_CAST(fields[6] AS TIMESTAMP))
            END
        ) END AS moment
    FROM parsed
),
judged AS (
    SELECT
        *,
        coalesce(
            regexp_full_match(user_id, $id)
            AND regexp_full_match(item_id, $id)
            AND user_id NOT IN ('true', 'false')
            AND NOT list_contains($anonymous, lower(user_id))
            AND item_id NOT IN ('true', 'false')
            AND rating BETWEEN $low AND $high
            AND NOT list_contains($spelled::DOUBLE[], rating)
            AND (NOT $timed OR moment BETWEEN 100000000 AND 99999999999999)
            AND regexp_matches(text, $start)
            AND text NOT IN ('true', 'false')
            AND TRY_CAST(text AS DOUBLE) IS NULL
            AND NOT contains(content, chr(127))
            AND (
                NOT contains(content, '\\u00')
                OR NOT regexp_matches(content, '\\\\u00(0|1|7[fF])')
            ),
            false
        ) AS plain
    FROM typed
),
checked AS (
    SELECT
        line,
        CASE
            WHEN plain THEN {
                'user_id': user_id,
                'item_id': item_id,
                'rating': rating,
                'text': text,
                'timestamp': floor(
                    CASE WHEN moment >= 100000000000 THEN moment / 1000 ELSE moment END
                )::BIGINT
            }
            ELSE check_line(line, content)
        END AS row
    FROM judged
),
rows AS (SELECT line, row.user_id, row.item_id, row.rating, row.text, row.timestamp FROM checked)
SELECT {review_id}, user_id, item_id, rating, text, timestamp, $name, line
FROM rows
WHERE user_id IS NOT NULL
"""
_TITLES_IN_MEMORY = 16 << 20  # bytes of a table's titles, before they go to a temporary file
_MAX_REJECTED = 200_000  # lines; a file with more, most of all, is not read further
_PLAIN_ID = "[A-Za-z0-9_-]{1,64}"
_PLAIN_DAY = r"[12]\d{3}-\d\d-\d\d([ T]\d\d:\d\d:\d\d)?"
_PLAIN_START = r"^[!-Z\\-z|}~[:^ascii:]]"


_ROW = duckdb.struct_type(
    {"user_id": VARCHAR, "item_id": VARCHAR, "rating": DOUBLE, "text": VARCHAR, "timestamp": BIGINT}
)


def load_reviews(
    con: duckdb.DuckDBPyConnection,
    domain: Domain,
    order: int,
    name: str,
    erased: Tombstones | None = None,
) -> Tally:
    """Load one review file, and the titles it holds into `published_titles`.

    Lines of users who were erased are left out before anything of them is written.

    Raises UserError on a file that cannot be used.
    """
    source = domain.sources.reviews[order]
    file = open_source(Path(source.path), source.encoding or domain.sources.encoding)
    tally = _load_file(con, domain, order, file, name, erased)
    if tally.reread_as:
        con.execute("DELETE FROM raw_reviews WHERE source_file = $name", {"name": name})
        con.execute("DELETE FROM published_titles WHERE file_order = $order", {"order": order})
        file = reopen_source(file, tally.reread_as)
        tally = _load_file(con, domain, order, file, name, erased)
    check_share(tally, domain)
    return tally


def load_titles(con: duckdb.DuckDBPyConnection, domain: Domain, order: int, name: str) -> Tally:
    """Load the titles of reviewed items from one metadata file into `published_titles`.

    Raises UserError as `load_reviews`.
    """
    source = domain.sources.metadata[order]
    file = open_source(Path(source.path), source.encoding or domain.sources.encoding)
    tally = _load_titles(con, domain, order, file, name)
    if tally.reread_as:
        con.execute("DELETE FROM published_titles WHERE file_order = $order", {"order": order})
        tally = _load_titles(con, domain, order, reopen_source(file, tally.reread_as), name)
    check_share(tally, domain)
    return tally


def check_share(tally: Tally, domain: Domain) -> None:
    """Raise BadLines when too large a share of a file's lines is unusable."""
    bad = bad_lines(tally.kinds())
    # A quotient is compared with the setting: 0.29 * 100 is less than 29 in floating point.
    if tally.lines and bad / tally.lines > domain.max_bad_share:
        raise TooManyBadLines(
            f"{tally.source_file}: {bad} of {tally.lines} lines are unusable, "
            f"more than max_bad_share {domain.max_bad_share:g}: {tally.summary()}; "
            f"or raise max_bad_share. `redial rejected {domain.name}` lists these lines",
            [tally],
        )


def _load_file(
    con: duckdb.DuckDBPyConnection,
    domain: Domain,
    order: int,
    file: SourceFile,
    name: str,
    erased: Tombstones | None,
) -> Tally:
    tally, names = Tally(name, encoding=file.encoding), field_names(domain.sources)
    with _without_erased(con, erased, tally) as condition:
        if names.title is None and names.timestamp_format is None and is_json(file, domain.sources):
            _load_lines(con, file, names, domain, tally, condition)
        else:
            _load_rows(con, file, domain, order, tally, condition)
    return tally


@contextmanager
def _without_erased(
    con: duckdb.DuckDBPyConnection, erased: Tombstones | None, tally: Tally
) -> Iterator[str]:
    """Yield a condition of SQL on `line` and `user_id`; lines that fail it are noted as rejected.

    It is empty where nobody was erased.
    """
    if erased is None or not erased.users:
        yield ""
        return

    def is_left_out(line: int, user_id: str) -> bool:
        left_out = erased.has_user(user_id)
        if left_out:
            tally.rejects[line] = (ERASED, "")
        return left_out

    with sql_function(con, is_left_out, [BIGINT, VARCHAR], BOOLEAN, arrow=False) as function:
        yield f" AND NOT {function}(line, user_id)"


def _load_titles(
    con: duckdb.DuckDBPyConnection, domain: Domain, order: int, file: SourceFile, name: str
) -> Tally:
    tally = Tally(name, encoding=file.encoding)
    batches = read_titles(file, domain.sources, ReviewedIds(con), tally)
    stream_into(con, TITLE_SCHEMA, batches, _INSERT_TITLES, {"order": order})
    return tally


def _stop_early(
    batches: Iterator[pa.RecordBatch], tally: Tally, domain: Domain
) -> Iterator[pa.RecordBatch]:
    """Pass batches on until very many lines, and more than half of all, have been rejected."""
    for batch in batches:
        yield batch
        last_line = batch.column(0)[-1].as_py() if batch.num_rows else 0
        if len(tally.rejects) > max(_MAX_REJECTED, last_line / 2):
            tally.lines = last_line
            check_share(tally, domain)


def _load_lines(
    con: duckdb.DuckDBPyConnection,
    file: SourceFile,
    names: FieldNames,
    domain: Domain,
    tally: Tally,
    condition: str,
) -> None:
    """Let DuckDB parse JSON lines; Python corrects or rejects every line that is not plain."""
    scale = domain.sources.rating_scale

    def check_line(number: int, content: str) -> dict[str, Any]:
        return checked_line(number, content, names, scale, tally)

    with sql_function(con, check_line, [BIGINT, VARCHAR], _ROW, arrow=False) as function:
        insert = _INSERT_LINES.replace("check_line", function).replace("{review_id}", _REVIEW_ID)
        insert += condition
        contents = _stop_early(json_contents(file, names, tally), tally, domain)
        parameters = {**_line_parameters(names, scale), "name": tally.source_file}
        stream_into(con, LINE_SCHEMA, contents, insert, parameters)
    rows = con.execute(
        "SELECT count(*) FROM raw_reviews WHERE source_file = $name", {"name": tally.source_file}
    ).fetchall()
    tally.lines = len(tally.rejects) + int(rows[0][0])


def _line_parameters(names: FieldNames, scale: tuple[float, float]) -> dict[str, Any]:
    # Two keys of an item and one of a time always, so that the query has a fixed number of fields.
    item, other_item = [*names.item, names.item[0]][:2]
    time = (names.timestamp or names.rating)[0]
    keys = [names.user[0], item, other_item, names.rating[0], names.text[0], time]
    return {
        "paths": ["/" + key.replace("~", "~0").replace("/", "~1") for key in keys],
        "timed": names.timestamp is not None,
        "id": _PLAIN_ID,
        "day": _PLAIN_DAY,
        "start": _PLAIN_START,
        "low": scale[0],
        "high": scale[1],
        "spelled": names.spelled_numbers(),
        "anonymous": [word for word in names.anonymous if word is not None],
    }


def _load_rows(
    con: duckdb.DuckDBPyConnection,
    file: SourceFile,
    domain: Domain,
    order: int,
    tally: Tally,
    condition: str,
) -> None:
    """Load a table that is read in Python, with the first title of each item if it holds titles."""
    with SpooledTemporaryFile(_TITLES_IN_MEMORY) as aside:
        with pa.ipc.new_stream(aside, TITLE_SCHEMA) as titles:

            def batches() -> Iterator[pa.RecordBatch]:
                for batch in read_reviews(file, domain.sources, tally):
                    titles.write_batch(title_batch(_first_titles(batch)))
                    yield batch.arrow()

            rows = _stop_early(batches(), tally, domain)
            stream_into(con, SCHEMA, rows, _INSERT_ROWS + condition, {"name": tally.source_file})
        aside.seek(0)
        titles_read = iter(pa.ipc.open_stream(aside))
        stream_into(con, TITLE_SCHEMA, titles_read, _INSERT_FIRST_TITLES, {"order": order})


def _first_titles(batch: Batch) -> list[tuple[int, str, str]]:
    """Return line, item and title of each item's first title in a batch."""
    titles: dict[str, tuple[int, str, str]] = {}
    for line, item_id, title in zip(batch.line, batch.item_id, batch.title, strict=True):
        if title and title.strip():
            titles.setdefault(item_id, (line, item_id, title))
    return list(titles.values())

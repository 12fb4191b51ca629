"""Releases made of releases: some of the dialogues of one, or all of several, as one release.

The tables of the releases are read into those that `publish` makes of a warehouse, with new numbers
of users and conversations; then they are written the same way. Ids of dialogues stay.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from tasks.errors import UserError
from tasks.files import write_atomically
from tasks.release.checks import check_release
from tasks.release.describing import describe
from tasks.release.files import TABLES, write_layout, write_parquet
from tasks.release.integrity import LATEST, broken_sums, content_version
from tasks.release.published import PUBLISHED
from tasks.release.writer import ReleaseInfo
from tasks.settings import Home


@dataclass(frozen=True)
class Part:
    """One of the releases that a release is made of.

    Attributes:
        name: its domain; the beginning of its items' ids where they are kept apart.
        folder: where it is.
    """

    name: str
    folder: Path


_COLUMNS: Mapping[str, str] = {
    "users": "user_number INTEGER, user_id VARCHAR",
    "items": "item_id VARCHAR, title VARCHAR, title_original VARCHAR, work_id VARCHAR",
    "preferences": "user_id VARCHAR, item_id VARCHAR, collection VARCHAR, position INTEGER, "
    "rating DOUBLE, timestamp BIGINT",
    "dialogues": "conversation_id INTEGER, dialogue_id VARCHAR, user_id VARCHAR, "
    "conversation_number INTEGER, target_item_id VARCHAR, template_id VARCHAR, "
    "recommendations INTEGER, attempt INTEGER, model VARCHAR, models_tried VARCHAR[]",
    "brief_items": "conversation_id INTEGER, dialogue_id VARCHAR, slot INTEGER, item_id VARCHAR, "
    "collection VARCHAR",
    "utterances": "conversation_id INTEGER, dialogue_id VARCHAR, turn INTEGER, role VARCHAR, "
    "text VARCHAR, goals VARCHAR[], item_ids VARCHAR[], words INTEGER",
    "template_turns": "template_id VARCHAR, recommendations INTEGER, turn INTEGER, role VARCHAR, "
    "goals VARCHAR[], introduces INTEGER[], refers INTEGER[]",
}
_READ = "INSERT INTO part_{table} BY NAME SELECT {part:d} AS part, * FROM read_parquet($path)"
# Columns that name items, by table. Those of one part get its name in front.
_ITEM_COLUMNS = (
    ("items", "item_id"),
    ("items", "work_id"),
    ("preferences", "item_id"),
    ("dialogues", "target_item_id"),
    ("brief_items", "item_id"),
)
_USER_TABLES = ("users", "preferences", "dialogues")

_CONVERSATIONS = """
CREATE TABLE release_conversations AS
WITH picked AS (
    SELECT d.*, d.part * 4294967296 + u.user_number AS first_order
    FROM part_dialogues d
    JOIN part_users u USING (part, user_id)
    SEMI JOIN chosen USING (dialogue_id)
),
ordered AS (
    SELECT *, min(first_order) OVER (PARTITION BY user_id) AS user_order
    FROM picked
)
SELECT
    (row_number() OVER (ORDER BY user_order, part, conversation_id) - 1)::INTEGER
        AS conversation_id,
    (row_number() OVER (PARTITION BY user_id ORDER BY part, conversation_id))::INTEGER
        AS conversation_number,
    (dense_rank() OVER (ORDER BY user_order) - 1)::INTEGER AS user_number,
    user_id,
    user_id AS published_user,
    dialogue_id,
    dialogue_id AS published_dialogue,
    coalesce(attempt, 1) AS attempt,
    target_item_id,
    template_id,
    recommendations,
    model,
    coalesce(models_tried, []) AS models_tried,
    part
FROM ordered
"""
_PREFERENCES = """
CREATE TABLE release_preferences AS
WITH published_users AS (
    SELECT DISTINCT part, user_id, user_number FROM release_conversations
),
history AS (
    SELECT
        u.user_number,
        p.*,
        count(DISTINCT part) OVER (PARTITION BY user_id) AS parts
    FROM part_preferences p
    JOIN published_users u USING (part, user_id)
    WHERE collection <> 'MIGHT_LIKES'
),
placed AS (
    SELECT
        * REPLACE (
            CASE
                WHEN parts = 1 THEN position
                ELSE row_number() OVER (
                    PARTITION BY user_id, collection
                    ORDER BY timestamp NULLS FIRST, part, position
                )
            END AS position
        )
    FROM history
),
recommended AS (
    SELECT c.user_number, c.user_id, c.target_item_id, c.conversation_number, p.rating, p.timestamp
    FROM release_conversations c
    JOIN part_preferences p
        ON p.part = c.part AND p.user_id = c.user_id AND p.item_id = c.target_item_id
),
together AS (
    SELECT user_number, user_id, item_id, collection, position, rating, timestamp
    FROM placed
    UNION ALL
    SELECT
        user_number, user_id, target_item_id, 'MIGHT_LIKES', conversation_number, rating, timestamp
    FROM recommended
)
SELECT
    user_number,
    user_id AS published_user,
    item_id,
    collection,
    position::INTEGER AS position,
    rating,
    timestamp,
    row_number() OVER (
        PARTITION BY user_number
        ORDER BY collection <> 'LIKES', collection <> 'DISLIKES', position
    ) AS place
FROM together
"""
_OTHERS = (
    """
CREATE TABLE release_items AS
SELECT item_id, any_value(title) AS title, any_value(title_original) AS title_original,
       any_value(work_id) AS work_id
FROM part_items
SEMI JOIN release_preferences USING (item_id)
GROUP BY item_id
""",
    """
CREATE TABLE release_utterances AS
SELECT c.conversation_id, c.published_dialogue, u.* EXCLUDE (part, conversation_id, dialogue_id)
FROM part_utterances u
JOIN release_conversations c USING (part, dialogue_id)
""",
    """
CREATE TABLE release_slots AS
SELECT c.conversation_id, c.published_dialogue, b.* EXCLUDE (part, conversation_id, dialogue_id)
FROM part_brief_items b
JOIN release_conversations c USING (part, dialogue_id)
""",
    """
CREATE TABLE release_writers AS
SELECT dialogue_id, model, models_tried FROM release_conversations
""",
    "ALTER TABLE release_conversations DROP COLUMN model",
    "ALTER TABLE release_conversations DROP COLUMN models_tried",
    """
CREATE TABLE template_turns AS
SELECT DISTINCT * EXCLUDE (part) FROM part_template_turns
""",
)
_SHARED_DIALOGUE = """
SELECT dialogue_id, min(part), max(part)
FROM part_dialogues
GROUP BY dialogue_id
HAVING count(*) > 1
ORDER BY dialogue_id
LIMIT 1
"""
_UNLIKE_TEMPLATE = """
WITH turns AS (SELECT DISTINCT * EXCLUDE (part) FROM part_template_turns)
SELECT template_id FROM turns GROUP BY template_id, turn HAVING count(*) > 1 LIMIT 1
"""


def read_parts(
    con: duckdb.DuckDBPyConnection,
    parts: Sequence[Part],
    *,
    keep_items_apart: bool = False,
    keep_users_apart: bool = False,
) -> None:
    """Read the tables of releases into `part_*`, each row with the number of its part.

    Args:
        con: an empty database.
        parts: the releases.
        keep_items_apart: put a part's name before the ids of its items.
        keep_users_apart: the same for its users, who are otherwise one person under one id.

    Raises:
        UserError: a release has no tables, two hold the same dialogue, or a template of one id is
            another one in each.
    """
    for table, columns in _COLUMNS.items():
        con.execute(f"CREATE TABLE part_{table} (part INTEGER, {columns})")
        for number, part in enumerate(parts):
            path = part.folder / TABLES / f"{table}.parquet"
            if not path.is_file():
                raise UserError(f"{part.folder} is no release with Parquet tables: no {path.name}")
            con.execute(_READ.format(table=table, part=number), {"path": str(path)})
    for number, part in enumerate(parts):
        front = {"front": f"{part.name}/", "part": number}
        if keep_items_apart:
            _keep_items_apart(con, front)
        if keep_users_apart:
            _keep_users_apart(con, front)
    _check_parts(con, parts)


def _keep_items_apart(con: duckdb.DuckDBPyConnection, front: Mapping[str, Any]) -> None:
    for table, column in _ITEM_COLUMNS:
        con.execute(
            f"UPDATE part_{table} SET {column} = $front || {column} WHERE part = $part", front
        )
    con.execute(
        "UPDATE part_utterances SET item_ids = list_transform(item_ids, lambda x: $front || x) "
        "WHERE part = $part",
        front,
    )


def _keep_users_apart(con: duckdb.DuckDBPyConnection, front: Mapping[str, Any]) -> None:
    for table in _USER_TABLES:
        con.execute(
            f"UPDATE part_{table} SET user_id = $front || user_id WHERE part = $part", front
        )


def _check_parts(con: duckdb.DuckDBPyConnection, parts: Sequence[Part]) -> None:
    for dialogue_id, one, other in con.execute(_SHARED_DIALOGUE).fetchall():
        raise UserError(
            f"{parts[one].folder} and {parts[other].folder} both hold dialogue {dialogue_id}: "
            "name each release once, and one version of a domain"
        )
    for (template_id,) in con.execute(_UNLIKE_TEMPLATE).fetchall():
        raise UserError(f"the releases have different templates of one id, {template_id}")


def write_derived(
    con: duckdb.DuckDBPyConnection,
    folder: Path,
    facts: Mapping[str, Any],
    *,
    domain: str,
    more: Callable[[Path], str] = lambda folder: "",
) -> dict[str, int]:
    """Write the dialogues named in the table `chosen` as a release, into a new folder.

    Args:
        con: the database after `read_parts`, with a table `chosen (dialogue_id)`.
        folder: the folder to make.
        facts: what the card and the facts file say of it.
        domain: the domain's name.
        more: returns Markdown for the card's end, given the folder with the data written.

    Returns:
        The rows of each published table.

    Raises:
        UserError: nothing is chosen, or the release fails its own checks.
    """
    for statement in (_CONVERSATIONS, _PREFERENCES, *_OTHERS):
        con.execute(statement)
    counts = {
        name: int(con.execute(f"SELECT count(*) FROM ({query})").fetchall()[0][0])
        for name, query in PUBLISHED.items()
    }
    if not counts["dialogues"]:
        raise UserError("no dialogue is left, so there is nothing to write")
    folder.mkdir(parents=True)
    write_layout(con, folder)
    write_parquet(con, folder / TABLES)
    told = {name: value for name, value in facts.items() if name != "languages"}
    describe(folder, counts, told, domain=domain, more=more(folder))
    faults = check_release(folder)
    if faults:
        raise UserError(f"the release fails its own checks: {'; '.join(faults[:3])}")
    return counts


def place_release(
    home: Home, domain: str, write: Callable[[Path], Mapping[str, int]], *, is_latest: bool = True
) -> ReleaseInfo:
    """Have a release written aside, and move it to its place among a domain's releases.

    Args:
        home: where the `releases` folder is.
        domain: the domain's name, or that of releases put together.
        write: writes the release into a folder that it makes; returns the rows of its tables.
        is_latest: make it the domain's latest release.

    Raises:
        UserError: as `write`, or the folder cannot be written.
    """
    releases = home.releases(domain)
    try:
        releases.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".aside-", dir=releases) as aside:
            folder = Path(aside) / "release"
            counts = write(folder)
            version = content_version(folder)
            place = releases / version
            reused = place.is_dir() and not broken_sums(place)
            if not reused:
                if place.exists():
                    place.replace(Path(aside) / "damaged")
                folder.replace(place)
        if is_latest:
            write_atomically(releases / LATEST, version + "\n")
    except OSError as error:
        raise UserError(
            f"the release cannot be written to {releases}: {error.strerror or error}"
        ) from None
    return ReleaseInfo(place, version, counts, reused)

"""Writes the published files: the four of the LLM-REDIAL layout, and every table as Parquet."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import duckdb

from tasks.release.published import PUBLISHED

ITEM_MAP, USER_IDS, FINAL_DATA, CONVERSATION = (
    "item_map.json",
    "user_ids.json",
    "final_data.jsonl",
    "Conversation.txt",
)
TABLES = "parquet"  # the folder of the published tables
ROW_GROUP = 50_000  # fixed, so that equal tables give equal Parquet files
_SPEAKER = {"user": "User", "agent": "Agent"}

_USERS = """
WITH interactions AS (
    SELECT user_number, any_value(published_user) AS user_id,
           list(item_id ORDER BY place) FILTER (collection != 'MIGHT_LIKES') AS history,
           list(item_id ORDER BY place) FILTER (collection = 'MIGHT_LIKES') AS might_like
    FROM release_preferences GROUP BY user_number
), used AS (
    SELECT conversation_id, list(item_id ORDER BY slot) FILTER (collection = 'LIKES') AS likes,
           list(item_id ORDER BY slot) FILTER (collection = 'DISLIKES') AS dislikes
    FROM release_slots GROUP BY conversation_id
)
SELECT i.user_id, coalesce(i.history, []), i.might_like,
       c.conversation_id, c.conversation_number,
       coalesce(u.likes, []), coalesce(u.dislikes, []), c.target_item_id
FROM release_conversations c
JOIN interactions i USING (user_number)
LEFT JOIN used u USING (conversation_id)
ORDER BY c.conversation_id
"""


_ITEMS = "SELECT item_id, title FROM release_items ORDER BY item_id"
_USER_NUMBERS = """
SELECT DISTINCT published_user, user_number FROM release_conversations ORDER BY user_number
"""
_TURNS = """
SELECT conversation_id, role, text FROM release_utterances ORDER BY conversation_id, turn
"""


def write_layout(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Write the four files of the published layout into a folder, from the `release_*` tables."""
    _write_json(folder / ITEM_MAP, dict(con.execute(_ITEMS).fetchall()))
    _write_json(folder / USER_IDS, dict(con.execute(_USER_NUMBERS).fetchall()))
    with (folder / FINAL_DATA).open("w", encoding="utf-8", newline="\n") as file:
        for _, rows in groupby(_rows(con, _USERS), key=lambda row: row[0]):
            file.write(json.dumps(_user_line(list(rows)), ensure_ascii=False) + "\n")
    with (folder / CONVERSATION).open("w", encoding="utf-8", newline="\n") as file:
        utterances = _rows(con, _TURNS)
        for conversation_id, turns in groupby(utterances, key=lambda row: row[0]):
            lines = "".join(f"{_SPEAKER[role]}: {text}\n\n" for _, role, text in turns)
            file.write(f"{conversation_id}\n\n{lines}")


def write_parquet(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Write every published table as `NAME.parquet` in a folder, in row groups of a fixed size."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir()
    for name, query in PUBLISHED.items():
        batches = con.sql(query).to_arrow_reader(ROW_GROUP)
        with pq.ParquetWriter(folder / f"{name}.parquet", batches.schema) as writer:
            held = batches.schema.empty_table()
            for batch in batches:
                held = pa.concat_tables([held, pa.Table.from_batches([batch])])
                while held.num_rows >= ROW_GROUP:
                    writer.write_table(held.slice(0, ROW_GROUP))
                    held = held.slice(ROW_GROUP)
            writer.write_table(held)


def _user_line(rows: list[tuple[Any, ...]]) -> dict[str, Any]:
    """Return one line of final_data.jsonl from a user's conversations in order."""
    user_id, history, might_like = rows[0][:3]
    conversations = [
        {
            f"conversation_{k}": {
                "conversation_id": number,
                "user_likes": likes,
                "user_dislikes": dislikes,
                "rec_item": [target],
            }
        }
        for _, _, _, number, k, likes, dislikes, target in rows
    ]
    return {
        user_id: {
            "history_interaction": history,
            "user_might_like": might_like,
            "Conversation": conversations,
        }
    }


def _rows(
    con: duckdb.DuckDBPyConnection, query: str, size: int = 10_000
) -> Iterator[tuple[Any, ...]]:
    con.execute(query)
    while batch := con.fetchmany(size):
        yield from batch


def _write_json(path: Path, value: Any) -> None:
    path.write_text(
        json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8", newline="\n"
    )

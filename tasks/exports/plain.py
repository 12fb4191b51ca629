"""Exports as they were released: the four files, and the tables."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from tasks.errors import UserError
from tasks.evaluation.corpora import Dialogue
from tasks.exports.files import write_parquet
from tasks.exports.source import Source
from tasks.release import CONVERSATION, FINAL_DATA, ITEM_MAP, USER_IDS

_STRINGS = pa.list_(pa.string())
_TABLES = {
    "users": pa.schema([("user_number", pa.int32()), ("user_id", pa.string())]),
    "items": pa.schema([("item_id", pa.string()), ("title", pa.string())]),
    "preferences": pa.schema([("user_id", pa.string()), ("item_id", pa.string())]),
    "dialogues": pa.schema(
        [
            ("conversation_id", pa.int32()),
            ("user_id", pa.string()),
            ("conversation_number", pa.int32()),
            ("target_item_id", pa.string()),
        ]
    ),
    "utterances": pa.schema(
        [
            ("conversation_id", pa.int32()),
            ("turn", pa.int32()),
            ("role", pa.string()),
            ("text", pa.string()),
            ("item_ids", _STRINGS),
        ]
    ),
}


def write_llm_redial(source: Source, folder: Path) -> dict[str, int]:
    """Copy the four files of the published layout as they are."""
    for name in (ITEM_MAP, USER_IDS, FINAL_DATA, CONVERSATION):
        shutil.copyfile(source.folder / name, folder / name)
    return {"dialogues": len(source.corpus.dialogues)}


def write_tables(source: Source, folder: Path) -> dict[str, int]:
    """Copy a release's own tables; make them from the four files where a published folder has none.

    Made ones lack what those files do not have: sub-goals, ratings, times, templates.
    """
    tables = source.folder / "parquet"
    if tables.is_dir():
        files = sorted(tables.glob("*.parquet"))
        for path in files:
            shutil.copyfile(path, folder / path.name)
        return {"dialogues": len(source.corpus.dialogues), "tables": len(files)}
    corpus = source.corpus
    users = list(dict.fromkeys(str(dialogue.user_id) for dialogue in corpus.dialogues))
    try:
        numbered = [(int(dialogue.dialogue_id), dialogue) for dialogue in corpus.dialogues]
    except ValueError:
        raise UserError(f"{source.folder} has conversations whose id is no number") from None
    rows: dict[str, Iterable[Mapping[str, Any]]] = {
        "users": ({"user_number": number, "user_id": user} for number, user in enumerate(users)),
        "items": (
            {"item_id": item, "title": title} for item, title in sorted(corpus.titles.items())
        ),
        "preferences": (
            {"user_id": made.user_id, "item_id": made.item_id} for made in corpus.interactions
        ),
        "dialogues": _dialogue_rows(numbered),
        "utterances": _utterance_rows(numbered),
    }
    for name, schema in _TABLES.items():
        write_parquet(folder / f"{name}.parquet", schema, rows[name])
    return {"dialogues": len(numbered), "tables": len(_TABLES)}


def _dialogue_rows(numbered: Iterable[tuple[int, Dialogue]]) -> Iterator[dict[str, Any]]:
    for number, dialogue in numbered:
        for target in dialogue.targets:
            yield {
                "conversation_id": number,
                "user_id": dialogue.user_id,
                "conversation_number": dialogue.position,
                "target_item_id": target,
            }


def _utterance_rows(numbered: Iterable[tuple[int, Dialogue]]) -> Iterator[dict[str, Any]]:
    for number, dialogue in numbered:
        for turn, utterance in enumerate(dialogue.utterances, 1):
            yield {
                "conversation_id": number,
                "turn": turn,
                "role": utterance.role,
                "text": utterance.text,
                "item_ids": list(utterance.items),
            }

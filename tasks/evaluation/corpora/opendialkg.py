"""OpenDialKG (Moon et al. 2019): one CSV row a dialogue, its messages as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from tasks.errors import UserError
from tasks.evaluation.corpora.values import Corpus, Dialogue, Utterance


def read_opendialkg(path: Path) -> Corpus:
    """Read one of OpenDialKG's CSV files.

    Only what was said is an utterance, not the walks on the knowledge graph between. The graph's entities are people, genres and works
    alike, and nothing tells which of them is recommended, so there are no items and no targets.
    """
    try:
        rows = pl.read_csv(path, columns=["Messages"], infer_schema=False)["Messages"]
    except (pl.exceptions.PolarsError, OSError):
        raise UserError(f"{path} is not a CSV file as OpenDialKG has it: a column `Messages` with JSON in it") from None
    return Corpus("OpenDialKG", tuple(_dialogue(path, number, text) for number, text in enumerate(rows)))


def _dialogue(path: Path, number: int, messages: str | None) -> Dialogue:
    """Return the dialogue of a row, counted from 0. Raises UserError."""
    try:
        said = [message for message in json.loads(messages or "[]") if message["type"] == "chat"]
        return Dialogue(str(number), tuple(_utterance(message) for message in said))
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UserError(f"{path} is not a CSV file as OpenDialKG has it: `Messages` of dialogue {number + 1} holds no messages") from None


def _utterance(message: Mapping[str, Any]) -> Utterance:
    return Utterance("user" if message["sender"] == "user" else "agent", str(message["message"] or ""))

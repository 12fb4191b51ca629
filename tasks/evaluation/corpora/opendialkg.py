"""OpenDialKG (Moon et al. 2019): one CSV row a dialogue, its messages as JSON."""

from __future__ import annotations

import json
from pathlib import Path

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
        return Corpus("OpenDialKG", tuple(_dialogue(str(number), text) for number, text in enumerate(rows)))
    except (pl.exceptions.PolarsError, ValueError, KeyError, TypeError):
        raise UserError(f"{path} is not a CSV file as OpenDialKG has it: a column `Messages` with JSON in it") from None


def _dialogue(number: str, messages: str) -> Dialogue:
    said = (message for message in json.loads(messages) if message["type"] == "chat")
    return Dialogue(number, tuple(Utterance("user" if message["sender"] == "user" else "agent", message["message"]) for message in said))

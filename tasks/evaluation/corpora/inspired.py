"""INSPIRED (Hayati et al. 2020): tab-separated, one utterance a row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from tasks.errors import UserError
from tasks.evaluation.corpora.values import Corpus, Dialogue, Utterance

_COLUMNS = ["dialog_id", "speaker", "text", "movies"]


def read_inspired(path: Path) -> Corpus:
    """Read one of INSPIRED's TSV files. The seeker is the user; an item's id is its title, as the file has no other."""
    try:
        frame = pl.read_csv(path, separator="\t", quote_char=None, columns=_COLUMNS, infer_schema=False)
    except (pl.exceptions.PolarsError, OSError):
        raise UserError(f"{path} is not a TSV file as INSPIRED has it: columns {', '.join(_COLUMNS)}") from None
    rows = frame.select(_COLUMNS).fill_null("").iter_rows()
    said: dict[str, list[Utterance]] = {}
    for row in rows:
        said.setdefault(row[0], []).append(_utterance(row))
    dialogues = tuple(Dialogue(name, tuple(utterances)) for name, utterances in said.items())
    named = (item for dialogue in dialogues for utterance in dialogue.utterances for item in utterance.items)
    return Corpus("INSPIRED", dialogues, {item: item for item in dict.fromkeys(named)})


def _utterance(row: tuple[Any, ...]) -> Utterance:
    _, speaker, text, movies = row
    items = tuple(dict.fromkeys(title.strip() for title in movies.split(";") if title.strip()))
    return Utterance("user" if speaker.strip().upper() == "SEEKER" else "agent", text.replace("QUOTATION_MARK", '"'), items)

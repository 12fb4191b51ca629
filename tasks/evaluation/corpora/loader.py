"""Finds out which layout a corpus is in, and reads it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal, get_args

from tasks.errors import UserError
from tasks.evaluation.corpora.crs_corpora import read_inspired, read_opendialkg, read_redial
from tasks.evaluation.corpora.lines import json_lines
from tasks.evaluation.corpora.llm_redial import read_llm_redial
from tasks.evaluation.corpora.plain import read_plain
from tasks.evaluation.corpora.values import Corpus
from tasks.release import FINAL_DATA

Layout = Literal["llm-redial", "redial", "opendialkg", "inspired", "plain"]

_READERS: dict[str, Callable[[Path], Corpus]] = {
    "llm-redial": read_llm_redial,
    "redial": read_redial,
    "opendialkg": read_opendialkg,
    "inspired": read_inspired,
    "plain": read_plain,
}


def read_corpus(path: Path, layout: Layout | None = None) -> Corpus:
    """Read a corpus: a release or folder, ReDial, OpenDialKG, INSPIRED or JSON lines.

    Args:
        path: a folder in the LLM-REDIAL layout, or one file of another corpus.
        layout: which layout it is; found out from the content if not given.

    Raises:
        UserError: nothing is there, the layout is not known, or the file is not in it; the message
            names file and line.
    """
    chosen = layout or _layout(path)
    if chosen not in _READERS:
        raise UserError(f"unknown layout {chosen!r}: known are {', '.join(get_args(Layout))}")
    try:
        return _READERS[chosen](path)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(
            f"{path} is not a corpus in the {chosen} layout: {type(error).__name__} "
            f"{str(error)[:80]}"
        ) from None


def _layout(path: Path) -> str:
    if not path.exists():
        raise UserError(f"there is no corpus {path}")
    if path.is_dir():
        if (path / FINAL_DATA).is_file():
            return "llm-redial"
        inside = sorted(found.parent.name for found in path.glob(f"*/{FINAL_DATA}"))
        hint = f"; it holds {', '.join(inside)}: name one of them" if inside else ""
        raise UserError(
            f"{path} is no folder in the LLM-REDIAL layout: it has no {FINAL_DATA}{hint}"
        )
    if path.suffix.lower() in {".csv", ".tsv"}:
        return "opendialkg" if path.suffix.lower() == ".csv" else "inspired"
    first = next(json_lines(path), {})
    return "redial" if {"messages", "initiatorWorkerId"} <= first.keys() else "plain"

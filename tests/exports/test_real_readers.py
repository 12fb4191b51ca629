"""RecBole's and CRSLab's own readers on our exports.

REDIAL_READERS_PYTHON names an interpreter that has them:

    python3.11 -m venv readers
    readers/bin/pip install "numpy<2" "pandas<2.3" "scipy<1.14" torch recbole==1.2.1
    readers/bin/pip install --no-deps crslab==0.1.2
    readers/bin/pip install loguru requests
    export REDIAL_READERS_PYTHON=readers/bin/python
    .venv/bin/python -m pytest tests/exports/test_real_readers.py
"""

from __future__ import annotations

import json
import os
import subprocess
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from tasks.exports import Source, export_release
from tasks.exports.crslab import tokens

PYTHON = os.environ.get("REDIAL_READERS_PYTHON", "")
pytestmark = pytest.mark.skipif(
    not PYTHON, reason="REDIAL_READERS_PYTHON names no interpreter with recbole and crslab"
)
SCRIPT = Path(__file__).resolve().parents[1] / "support" / "foreign_readers.py"


def read(tool: str, folder: Path, out: Path) -> dict[str, Any]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in ("PYTHONPATH", "VIRTUAL_ENV")
    }
    done = subprocess.run(
        [PYTHON, SCRIPT, tool, folder, out],
        cwd=out.parent,
        env=kept,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return found


def test_recbole_reads_the_same_interactions_and_items(source: Source, tmp_path: Path) -> None:
    found = read(
        "recbole", export_release(source, "recbole", tmp_path / "out").path, tmp_path / "read.json"
    )
    corpus = source.corpus
    wanted = [
        (m.user_id, m.item_id, *([] if m.rating is None else [m.rating, m.timestamp]))
        for m in corpus.interactions
    ]
    assert [
        (unquote(user), unquote(item), *rest) for user, item, *rest in found["interactions"]
    ] == wanted
    titles = {unquote(item): words for item, words in found["titles"].items() if item != "[PAD]"}
    assert titles == {
        item: title.replace('"', "'").split() for item, title in corpus.titles.items()
    }
    assert {
        unquote(user): side for user, side in found["split"].items() if user != "[PAD]"
    } == dict(source.split_of)


def test_crslab_reads_the_same_dialogues_and_items(source: Source, tmp_path: Path) -> None:
    found = read(
        "crslab", export_release(source, "crslab", tmp_path / "out").path, tmp_path / "read.json"
    )
    known = {
        token
        for dialogue in source.by_split()["train"]
        for said in dialogue.utterances
        for token in tokens(said.text)
    }
    for side, dialogues in source.by_split().items():
        wanted = []
        for dialogue in dialogues:
            turns = [
                list(group) for _, group in groupby(dialogue.utterances, key=lambda said: said.role)
            ]
            for said in turns[1:]:  # the reader takes what was said first for context alone
                words = [
                    token if token in known else "__unk__"
                    for one in said
                    for token in tokens(one.text)
                ]
                wanted.append(
                    [
                        {"user": "Seeker", "agent": "Recommender"}[said[0].role],
                        words,
                        [item for one in said for item in one.items],
                    ]
                )
        assert found["turns"][side] == wanted
    assert sorted(found["items"]) == sorted(source.corpus.titles)

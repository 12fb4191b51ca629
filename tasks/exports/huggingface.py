"""A folder for `datasets.load_dataset`: Parquet by configuration and split, with a card."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from tasks.evaluation.corpora import Dialogue
from tasks.exports.files import write_parquet
from tasks.exports.source import Source, titles_of
from tasks.exports.user_splits import SplitName
from tasks.fingerprint import fingerprint
from tasks.release import CARD, dataset_header, sums_of, without_header
from tasks.web import markdown_table

_STRINGS = pa.list_(pa.string())
_UTTERANCE = pa.struct([("role", pa.string()), ("text", pa.string()), ("items", _STRINGS)])
_DIALOGUES = pa.schema(
    [
        ("dialogue_id", pa.string()),
        ("user_id", pa.string()),
        ("position", pa.int32()),
        ("history", _STRINGS),
        ("targets", _STRINGS),
        ("target_titles", _STRINGS),
        ("utterances", pa.list_(_UTTERANCE)),
    ]
)
_ITEMS = pa.schema([("item_id", pa.string()), ("title", pa.string())])
_INTERACTIONS = pa.schema(
    [
        ("user_id", pa.string()),
        ("item_id", pa.string()),
        ("rating", pa.float64()),
        ("timestamp", pa.int64()),
        ("split", pa.string()),
    ]
)
_HUB_SPLITS: dict[SplitName, str] = {"train": "train", "valid": "validation", "test": "test"}


def write_huggingface(source: Source, folder: Path) -> dict[str, int]:
    """Write the configurations `dialogues`, `items` and `interactions`, without empty splits."""
    data = folder / "data"
    data.mkdir()
    counts: dict[str, int] = {}
    for split, dialogues in source.by_split().items():
        if dialogues:
            name = _HUB_SPLITS[split]
            counts[name] = write_parquet(
                data / f"{name}.parquet",
                _DIALOGUES,
                (_row(source, dialogue) for dialogue in dialogues),
            )
    corpus = source.corpus
    write_parquet(
        data / "items.parquet",
        _ITEMS,
        ({"item_id": item, "title": corpus.titles[item]} for item in sorted(corpus.titles)),
    )
    write_parquet(data / "interactions.parquet", _INTERACTIONS, _interactions(source))
    (folder / CARD).write_text(
        "".join(_card(source, counts, fingerprint(sums_of(data)))), encoding="utf-8", newline="\n"
    )
    return {"dialogues": sum(counts.values()), **counts}


def _row(source: Source, dialogue: Dialogue) -> dict[str, Any]:
    return {
        "dialogue_id": dialogue.dialogue_id,
        "user_id": dialogue.user_id,
        "position": dialogue.position,
        "history": list(source.corpus.history.get(str(dialogue.user_id), ())),
        "targets": list(dialogue.targets),
        "target_titles": titles_of(source, dialogue.targets),
        "utterances": [
            {"role": utterance.role, "text": utterance.text, "items": list(utterance.items)}
            for utterance in dialogue.utterances
        ],
    }


def _interactions(source: Source) -> Iterator[dict[str, Any]]:
    """Yield interactions; `split` keeps the targets of held-out dialogues out of training."""
    targets: set[tuple[str, str]] = set()
    for dialogue in source.corpus.dialogues:
        targets.update((str(dialogue.user_id), item) for item in dialogue.targets)
    for made in source.corpus.interactions:
        is_target = (made.user_id, made.item_id) in targets
        split = source.split_of.get(made.user_id, "train") if is_target else "train"
        yield {
            "user_id": made.user_id,
            "item_id": made.item_id,
            "rating": made.rating,
            "timestamp": made.timestamp,
            "split": _HUB_SPLITS[split],
        }


def _card(source: Source, counts: dict[str, int], content: str) -> Iterator[str]:
    files = {
        "dialogues": {split: f"data/{split}.parquet" for split in counts},
        "items": {"train": "data/items.parquet"},
        "interactions": {"train": "data/interactions.parquet"},
    }
    yield dataset_header(source.name, sum(counts.values()), files, content, source.language)
    released = source.folder / CARD
    if released.is_file():
        yield (
            without_header(released.read_text(encoding="utf-8", errors="replace")).rstrip() + "\n\n"
        )
    yield (
        "## This folder\n\n"
        "`dialogues` (default) has one row a dialogue, `items` the catalogue, `interactions` what "
        "users rated. A user's dialogues are\n"
        "all in one split; the users recommended to last are test, those before them validation. "
        "What held-out dialogues are made to\n"
        "recommend has their `split` in `interactions`: learn from those of `train` alone.\n\n"
        "The terms of the source reviews hold for what is drawn from them; see to them before you "
        "publish this folder.\n\n"
    )
    yield markdown_table(
        ("split", "dialogues"), ((split, f"{count:,}") for split, count in counts.items()), {1}
    )

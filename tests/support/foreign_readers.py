"""Opens an export with the reader of the tool it is for, under an interpreter that has that tool, and writes what it read as JSON.

Run by tests/exports/test_real_readers.py. RecBole and CRSLab ask for older numpy and pandas than
this project, so they need an environment of their own; nothing of the project is imported here.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any


def recbole(folder: Path) -> dict[str, Any]:
    """RecBole's `Dataset` with its own `Config`: interactions, titles as words, users."""
    from recbole.config import Config
    from recbole.data.dataset import Dataset

    name = next(path.name for path in folder.iterdir() if path.is_dir())
    columns = [
        column.split(":")[0]
        for column in (folder / name / f"{name}.inter").read_text().split("\n")[0].split("\t")
    ]
    load = {"inter": columns, "item": ["item_id", "title"], "user": ["user_id", "split"]}
    dataset = Dataset(
        Config(
            model="BPR",
            dataset=name,
            config_dict={"data_path": str(folder), "load_col": load, "use_gpu": False},
        )
    )
    told = dataset.field2id_token
    made = dataset.inter_feat
    values = [made[column].tolist() for column in columns[2:]]
    users, items = (
        [str(token) for token in dataset.id2token(field, made[field].to_numpy())]
        for field in ("user_id", "item_id")
    )
    titles = {
        str(told["item_id"][item]): [str(told["title"][word]) for word in words if word]
        for item, words in zip(
            dataset.item_feat["item_id"], dataset.item_feat["title"], strict=True
        )
    }
    sides = {
        str(told["user_id"][user]): str(told["split"][int(side)])
        for user, side in zip(dataset.user_feat["user_id"], dataset.user_feat["split"], strict=True)
    }
    return {
        "interactions": list(zip(users, items, *values, strict=True)),
        "titles": titles,
        "split": sides,
    }


def crslab(folder: Path) -> dict[str, Any]:
    """CRSLab's `ReDialDataset`: each turn it would train on or test with, as words and item ids, by split."""
    import crslab.config

    with tempfile.TemporaryDirectory() as data:
        crslab.config.DATASET_PATH = data  # beside the package otherwise
        (Path(data) / "redial").symlink_to(folder.resolve())
        from crslab.data.dataset.redial import ReDialDataset

        read = ReDialDataset({}, "nltk")
    words, entities = read.vocab["ind2tok"], read.vocab["id2entity"]
    sides = {"train": read.train_data, "valid": read.valid_data, "test": read.test_data}
    turns = {
        side: [
            [
                turn["role"],
                [words[token] for token in turn["response"]],
                [entities[item] for item in turn["items"]],
            ]
            for turn in data
        ]
        for side, data in sides.items()
    }
    return {"turns": turns, "items": [entities[item] for item in read.side_data["item_entity_ids"]]}


READERS: dict[str, Callable[[Path], dict[str, Any]]] = {"recbole": recbole, "crslab": crslab}

if __name__ == "__main__":
    Path(sys.argv[3]).write_text(
        json.dumps(READERS[sys.argv[1]](Path(sys.argv[2]))), encoding="utf-8"
    )

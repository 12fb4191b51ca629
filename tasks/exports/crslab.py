"""The files CRSLab reads for its ReDial dataset, for its repository and its last package."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tasks.evaluation.corpora import Dialogue
from tasks.exports.files import write_json
from tasks.exports.source import Source
from tasks.exports.user_splits import SplitName

PACKAGED = "nltk"
"""Folder for the package (0.1.2), which needs tokenised utterances.

The repository since 2022 tokenises them itself.
"""
BUILT = ".built"
"""Marker with a version in its second line.

Without it CRSLab deletes the folder and downloads ReDial in its place.
"""

# Of CRSLab's own ReDial, as its resources.py has them.
_REPOSITORY_VERSION, _PACKAGE_VERSION = (
    "1.0",
    "0.31",
)
_SPECIAL = ("__pad__", "__start__", "__end__", "__unk__")  # numbers 0 to 3
_ROLES = {"user": "Seeker", "agent": "Recommender"}
_TOKEN = re.compile(r"\w+(?:['\u2019]\w+)*|[^\w\s]")

Conversations = Mapping[SplitName, Sequence[Mapping[str, Any]]]


def write_crslab(source: Source, folder: Path) -> dict[str, int]:
    """Write CRSLab's data files, entity and movie ids, and empty knowledge graphs.

    The files are train_data.json, valid_data.json, test_data.json, entity2id.json and
    movie_ids.json. Entities are the catalogue's items, named by their ids and numbered from 1, as 0
    is CRSLab's padding. `item_titles.json` is ours. The folder `nltk` holds the same for the
    package, with `token2id.json`: the tokens of the training dialogues.
    """
    plain = {
        split: [_conversation(dialogue) for dialogue in dialogues]
        for split, dialogues in source.by_split().items()
    }
    titles = {item: source.corpus.titles[item] for item in sorted(source.corpus.titles)}
    _write(folder, plain, titles, _REPOSITORY_VERSION)
    packaged = folder / PACKAGED
    packaged.mkdir()
    tokenised = {
        split: [_tokenised(conversation) for conversation in conversations]
        for split, conversations in plain.items()
    }
    _write(packaged, tokenised, titles, _PACKAGE_VERSION)
    write_json(packaged / "token2id.json", _vocabulary(tokenised["train"]))
    counts: dict[str, int] = {split: len(conversations) for split, conversations in plain.items()}
    return {"dialogues": sum(counts.values()), **counts, "items": len(titles)}


def _write(
    folder: Path, conversations: Conversations, titles: Mapping[str, str], version: str
) -> None:
    for split, entries in conversations.items():
        write_json(folder / f"{split}_data.json", entries)
    write_json(folder / "entity2id.json", {item: number for number, item in enumerate(titles, 1)})
    write_json(folder / "movie_ids.json", list(range(1, len(titles) + 1)))
    write_json(folder / "item_titles.json", titles)
    write_json(folder / "dbpedia_subkg.json", {})
    # CRSLab takes the largest number of it, so it cannot be empty.
    write_json(folder / "concept2id.json", {"__pad__": 0})
    (folder / "conceptnet_subkg.txt").write_text("", encoding="utf-8")
    (folder / BUILT).write_text(f"from an LLM-REDIAL release\n{version}", encoding="utf-8")


def _conversation(dialogue: Dialogue) -> dict[str, Any]:
    return {
        "conv_id": dialogue.dialogue_id,
        "user_id": dialogue.user_id,
        "targets": list(dialogue.targets),
        "dialog": [
            {
                "utt_id": number,
                "role": _ROLES[utterance.role],
                "text": utterance.text,
                "movies": list(utterance.items),
                "entity": [],
                "word": [],
            }
            for number, utterance in enumerate(dialogue.utterances)
        ],
    }


def tokens(text: str) -> list[str]:
    """Return an utterance's words and marks, as they are written."""
    return _TOKEN.findall(text)


def _tokenised(conversation: Mapping[str, Any]) -> dict[str, Any]:
    dialog = [{**message, "text": tokens(message["text"])} for message in conversation["dialog"]]
    return {**conversation, "dialog": dialog}


def _vocabulary(training: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Return a number for special tokens and training tokens in order of appearance.

    CRSLab's own `_split_` is last.
    """
    vocabulary = dict.fromkeys(_SPECIAL)
    for conversation in training:
        for message in conversation["dialog"]:
            vocabulary.update(dict.fromkeys(message["text"]))
    vocabulary.setdefault("_split_")
    return {token: number for number, token in enumerate(vocabulary)}

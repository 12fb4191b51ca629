"""The files CRSLab reads for its ReDial dataset."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tasks.evaluation.corpora import Dialogue
from tasks.exports.files import write_json
from tasks.exports.values import Source

_ROLES = {"user": "Seeker", "agent": "Recommender"}


def write_crslab(source: Source, folder: Path) -> dict[str, int]:
    """Write train_data.json, valid_data.json, test_data.json, entity2id.json, movie_ids.json and empty knowledge graphs.

    Entities are the catalogue's items, called by their ids and numbered from 1, as 0 is CRSLab's padding. `item_titles.json` is ours.
    """
    numbers = {item: number for number, item in enumerate(sorted(source.corpus.titles), 1)}
    counts: dict[str, int] = {}
    for split, dialogues in source.parted().items():
        write_json(folder / f"{split}_data.json", [_conversation(dialogue) for dialogue in dialogues])
        counts[split] = len(dialogues)
    write_json(folder / "entity2id.json", numbers)
    write_json(folder / "movie_ids.json", list(numbers.values()))
    write_json(folder / "item_titles.json", {item: source.corpus.titles[item] for item in numbers})
    write_json(folder / "dbpedia_subkg.json", {})
    write_json(folder / "concept2id.json", {"__pad__": 0})  # CRSLab takes the largest number of it, so it cannot be empty
    (folder / "conceptnet_subkg.txt").write_text("", encoding="utf-8")
    return {"dialogues": sum(counts.values()), **counts, "items": len(numbers)}


def _conversation(dialogue: Dialogue) -> dict[str, Any]:
    return {
        "conv_id": dialogue.dialogue_id,
        "user_id": dialogue.user_id,
        "targets": list(dialogue.targets),
        "dialog": [
            {"utt_id": number, "role": _ROLES[said.role], "text": said.text, "movies": list(said.items), "entity": [], "word": []}
            for number, said in enumerate(dialogue.utterances)
        ],
    }

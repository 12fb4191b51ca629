"""Contexts cut before each recommendation, as those who use the published dataset cut them for themselves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tasks.evaluation.corpora import Dialogue
from tasks.exports.files import write_split
from tasks.exports.source import Source, titles_of


def write_contexts(source: Source, folder: Path) -> dict[str, int]:
    """Write train.jsonl, valid.jsonl and test.jsonl: one line for each item an agent's turn is the first to name.

    `final` tells whether it is the item the dialogue was made to recommend; the others were
    recommended on the way and turned down,
    or spoken of. `context` holds what was said before that turn, so nothing of the recommendation;
    nor does `history`, which in some published folders holds the very item.
    """
    counts: dict[str, int] = {
        split: write_split(
            folder, split, (row for dialogue in dialogues for row in _rows(source, dialogue))
        )
        for split, dialogues in source.parted().items()
    }
    return {"dialogues": len(source.corpus.dialogues), "contexts": sum(counts.values()), **counts}


def _rows(source: Source, dialogue: Dialogue) -> Iterator[dict[str, Any]]:
    named: set[str] = set()
    history = list(source.corpus.history.get(str(dialogue.user_id), ()))
    said = [
        {"role": one.role, "text": one.text, "items": list(one.items)}
        for one in dialogue.utterances
    ]
    for turn, utterance in enumerate(dialogue.utterances):
        new = [item for item in dict.fromkeys(utterance.items) if item not in named]
        named.update(new)
        for item in new if utterance.role == "agent" else ():
            final = item in dialogue.targets
            known = [one for one in history if not (final and one == item)]
            yield {
                "context_id": f"{dialogue.dialogue_id}-{turn}-{item}",
                "dialogue_id": dialogue.dialogue_id,
                "user_id": dialogue.user_id,
                "position": dialogue.position,
                "turn": turn,
                "context": said[:turn],
                "response": utterance.text,
                "target": item,
                "target_title": source.title(item),
                "final": final,
                "history": known,
                "history_titles": titles_of(source, known),
            }

"""Contexts cut before each recommendation, as users of the published dataset cut them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from tasks.evaluation.corpora import Dialogue
from tasks.exports.files import write_split
from tasks.exports.source import Source, titles_of


def write_contexts(source: Source, folder: Path) -> dict[str, int]:
    """Write train.jsonl, valid.jsonl and test.jsonl: one line for each newly named item.

    An item is new where an agent's turn is the first to name it. `final` is True for the item the
    dialogue was made to recommend; the others were recommended before it and turned down, or
    mentioned. `context` holds the utterances before that turn, so nothing of the recommendation;
    nor does `history`, which in some published folders holds the item itself.
    """
    counts: dict[str, int] = {}
    for split, dialogues in source.by_split().items():
        rows = chain.from_iterable(_rows(source, dialogue) for dialogue in dialogues)
        counts[split] = write_split(folder, split, rows)
    return {"dialogues": len(source.corpus.dialogues), "contexts": sum(counts.values()), **counts}


def _rows(source: Source, dialogue: Dialogue) -> Iterator[dict[str, Any]]:
    named: set[str] = set()
    history = list(source.corpus.history.get(str(dialogue.user_id), ()))
    utterances = [
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
                "context": utterances[:turn],
                "response": utterance.text,
                "target": item,
                "target_title": source.title(item),
                "final": final,
                "history": known,
                "history_titles": titles_of(source, known),
            }

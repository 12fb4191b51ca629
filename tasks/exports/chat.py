"""Messages for fine-tuning: one dialogue a line, the agent as the assistant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from tasks.evaluation.corpora import Dialogue, Interaction, Utterance
from tasks.exports.files import write_json_lines, write_split
from tasks.exports.source import Source

MOST_KNOWN = 20  # items of the history named in the system message
INDEX = "index.jsonl"
_ROLES = {"user": "user", "agent": "assistant"}
_TASK = "You recommend items in a conversation. Ask, listen, and recommend what suits the user."

_Known = Mapping[str, Sequence[Interaction]]


def write_chat(source: Source, folder: Path) -> dict[str, int]:
    """Write train.jsonl, valid.jsonl and test.jsonl of `{"messages": [...]}`, and index.jsonl.

    The index has the dialogue of each line, because providers refuse lines with extra fields. A
    line ends with the assistant: a last message of the user is the index's `closing`.
    Utterances of one speaker in a row are one message, joined by a line break; empty ones, which a
    published folder may hold, are left out, as providers refuse empty messages.
    """
    known: dict[str, list[Interaction]] = defaultdict(list)
    for made in source.corpus.interactions:
        known[made.user_id].append(made)
    index: list[dict[str, Any]] = []
    counts: dict[str, int] = {}
    for split, dialogues in source.by_split().items():
        lines = [(dialogue, *_messages(dialogue.utterances)) for dialogue in dialogues]
        kept = [(dialogue, messages, closing) for dialogue, messages, closing in lines if messages]
        opening = {dialogue.user_id: _system(source, dialogue, known) for dialogue, _, _ in kept}
        counts[split] = write_split(
            folder,
            split,
            (
                {"messages": [opening[dialogue.user_id], *messages]}
                for dialogue, messages, _ in kept
            ),
        )
        index += [
            _entry(split, number, dialogue, closing)
            for number, (dialogue, _, closing) in enumerate(kept, 1)
        ]
    write_json_lines(folder / INDEX, index)
    return {"dialogues": len(index), **counts}


def _messages(utterances: Sequence[Utterance]) -> tuple[list[dict[str, str]], str]:
    """Return the messages up to the agent's last one, and the user's text after it."""
    spoken = [utterance for utterance in utterances if utterance.text.strip()]
    merged = [
        (role, "\n".join(utterance.text for utterance in group))
        for role, group in groupby(spoken, key=lambda utterance: utterance.role)
    ]
    closing = merged.pop()[1] if merged and merged[-1][0] == "user" else ""
    return [{"role": _ROLES[role], "content": text} for role, text in merged], closing


def _system(source: Source, dialogue: Dialogue, known: _Known) -> dict[str, str]:
    history = set(source.corpus.history.get(str(dialogue.user_id), ()))
    rated = [made for made in known.get(str(dialogue.user_id), ()) if made.item_id in history]
    latest = sorted(rated, key=lambda made: made.timestamp or 0)[-MOST_KNOWN:]
    lines = "".join(f"\n- {line}" for line in _known_lines(source, latest))
    return {
        "role": "system",
        "content": f"{_TASK} The user already knows:{lines}" if lines else _TASK,
    }


def _known_lines(source: Source, latest: Sequence[Interaction]) -> Iterator[str]:
    for made in latest:
        title = " ".join(source.title(made.item_id).split())
        yield title if made.rating is None else f"{title} (rated {made.rating:g})"


def _entry(split: str, line: int, dialogue: Dialogue, closing: str) -> dict[str, Any]:
    return {
        "split": split,
        "line": line,
        "dialogue_id": dialogue.dialogue_id,
        "user_id": dialogue.user_id,
        "position": dialogue.position,
        "targets": list(dialogue.targets),
        "closing": closing,
    }

"""ReDial (Li et al. 2018): JSON lines, films written as @ids in the messages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tasks.evaluation.corpora.lines import dialogues_of
from tasks.evaluation.corpora.values import Corpus, Dialogue, Role, Utterance

_MENTION = re.compile(r"@(\d+)")


def read_redial(path: Path) -> Corpus:
    """Read one of ReDial's JSON-lines files. The one who asked is the user; each message is an utterance.

    The catalogue is what the file's dialogues name. Users are not told apart: a worker plays a part, he is no user with a history.
    """
    titles: dict[str, str] = {}
    dialogues = tuple(dialogues_of(path, lambda content: _dialogue(content, titles)))
    return Corpus("ReDial", dialogues, titles)


def _dialogue(content: Mapping[str, Any], titles: dict[str, str]) -> Dialogue:
    titles.update({item: " ".join(title.split()) for item, title in _mentioned(content.get("movieMentions")) if title})
    utterances = []
    for message in content["messages"]:
        written = message["text"] or ""
        items = tuple(dict.fromkeys(item for item in _MENTION.findall(written) if item in titles))
        text = _MENTION.sub(lambda found: titles.get(found[1], found[0]), written)
        role: Role = "user" if str(message["senderWorkerId"]) == str(content["initiatorWorkerId"]) else "agent"
        utterances.append(Utterance(role, text, items))
    return Dialogue(str(content["conversationId"]), tuple(utterances))


def _mentioned(mentions: Any) -> Iterator[tuple[str, str | None]]:
    """Walk (id, title): a mapping in the authors' files, an empty list where there are none, a list of objects on the Hugging Face hub."""
    for item, title in mentions.items() if isinstance(mentions, dict) else ((one["movieId"], one["movieName"]) for one in mentions or ()):
        yield str(item), title

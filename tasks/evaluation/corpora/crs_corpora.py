"""ReDial (Li et al. 2018): JSON lines, films written as @ids in the messages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from tasks.errors import UserError
from tasks.evaluation.corpora.lines import dialogues_of
from tasks.evaluation.corpora.values import Corpus, Dialogue, Role, Utterance

_MENTION = re.compile(r"@(\d+)")


def read_redial(path: Path) -> Corpus:
    """Read one of ReDial's JSON-lines files.

    The one who asked is the user; each message is an utterance.

    The catalogue is what the file's dialogues name. Users are unknown: workers play a part, they
    are no users with a history.
    """
    titles: dict[str, str] = {}
    dialogues = tuple(dialogues_of(path, lambda content: _dialogue(content, titles)))
    return Corpus("ReDial", dialogues, titles)


def _dialogue(content: Mapping[str, Any], titles: dict[str, str]) -> Dialogue:
    titles.update(
        {
            item: " ".join(title.split())
            for item, title in _mentioned(content.get("movieMentions"))
            if title
        }
    )
    utterances = []
    for message in content["messages"]:
        written = message["text"] or ""
        items = tuple(dict.fromkeys(item for item in _MENTION.findall(written) if item in titles))
        text = _MENTION.sub(lambda match: titles.get(match[1], match[0]), written)
        role: Role = (
            "user"
            if str(message["senderWorkerId"]) == str(content["initiatorWorkerId"])
            else "agent"
        )
        utterances.append(Utterance(role, text, items))
    return Dialogue(str(content["conversationId"]), tuple(utterances))


def _mentioned(mentions: Any) -> Iterator[tuple[str, str | None]]:
    """Yield (id, title) from any form of mentions.

    The authors' files have a mapping, or an empty list for none; the Hugging Face hub has a list of
    objects.
    """
    for item, title in (
        mentions.items()
        if isinstance(mentions, dict)
        else ((one["movieId"], one["movieName"]) for one in mentions or ())
    ):
        yield str(item), title


def read_opendialkg(path: Path) -> Corpus:
    """Read one of OpenDialKG's CSV files.

    Only what was said is an utterance, not the walks on the knowledge graph between. The graph's
    entities are people, genres and works alike, and nothing tells which of them is recommended, so
    there are no items and no targets.
    """
    try:
        rows = pl.read_csv(path, columns=["Messages"], infer_schema=False)["Messages"]
    except (pl.exceptions.PolarsError, OSError):
        raise UserError(
            f"{path} is not a CSV file as OpenDialKG has it: a column `Messages` with JSON in it"
        ) from None
    return Corpus(
        "OpenDialKG",
        tuple(_dialogue_of_opendialkg(path, number, text) for number, text in enumerate(rows)),
    )


def _dialogue_of_opendialkg(path: Path, number: int, messages: str | None) -> Dialogue:
    """Return the dialogue of a row, counted from 0. Raises UserError."""
    try:
        chat = [message for message in json.loads(messages or "[]") if message["type"] == "chat"]
        return Dialogue(str(number), tuple(_utterance(message) for message in chat))
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UserError(
            f"{path} is not a CSV file as OpenDialKG has it: `Messages` of dialogue {number + 1} "
            f"holds no messages"
        ) from None


def _utterance(message: Mapping[str, Any]) -> Utterance:
    return Utterance(
        "user" if message["sender"] == "user" else "agent", str(message["message"] or "")
    )


_COLUMNS = ["dialog_id", "speaker", "text", "movies"]


def read_inspired(path: Path) -> Corpus:
    """Read one of INSPIRED's TSV files.

    The seeker is the user; an item's id is its title, as the file has no other.
    """
    try:
        frame = pl.read_csv(
            path, separator="\t", quote_char=None, columns=_COLUMNS, infer_schema=False
        )
    except (pl.exceptions.PolarsError, OSError):
        raise UserError(
            f"{path} is not a TSV file as INSPIRED has it: columns {', '.join(_COLUMNS)}"
        ) from None
    rows = frame.select(_COLUMNS).fill_null("").iter_rows()
    by_dialogue: dict[str, list[Utterance]] = {}
    for row in rows:
        by_dialogue.setdefault(row[0], []).append(_utterance_of_inspired(row))
    dialogues = tuple(Dialogue(name, tuple(utterances)) for name, utterances in by_dialogue.items())
    named = (
        item
        for dialogue in dialogues
        for utterance in dialogue.utterances
        for item in utterance.items
    )
    return Corpus("INSPIRED", dialogues, {item: item for item in dict.fromkeys(named)})


def _utterance_of_inspired(row: tuple[Any, ...]) -> Utterance:
    _, speaker, text, movies = row
    items = tuple(dict.fromkeys(title.strip() for title in movies.split(";") if title.strip()))
    return Utterance(
        "user" if speaker.strip().upper() == "SEEKER" else "agent",
        text.replace("QUOTATION_MARK", '"'),
        items,
    )

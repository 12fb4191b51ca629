"""Folders in the LLM-REDIAL layout: our releases, and those the authors published."""

from __future__ import annotations

import html
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from tasks.errors import UserError
from tasks.evaluation.corpora.values import Corpus, Dialogue, Interaction, Utterance
from tasks.release import Release, ReleasedConversation
from tasks.titles import names


def read_llm_redial(folder: Path) -> Corpus:
    """Read a folder in the published layout.

    Where our Parquet tables lie beside the four files, they tell which utterance names which item,
    the ratings and the times; else the titles of a conversation's own items are looked for in its
    text, and there are no ratings.

    Raises:
        UserError: a file is missing or broken.
    """
    release = Release.load(folder)
    titles = {item: html.unescape(title).strip() for item, title in release.titles.items()}
    named = _named_items(folder / "parquet" / "utterances.parquet")
    return Corpus(
        folder.name,
        tuple(_dialogue(conversation, titles, named) for conversation in release.conversations),
        titles,
        {user.user_id: user.history for user in release.users},
        _interactions(folder / "parquet" / "preferences.parquet", release),
    )


def _dialogue(
    conversation: ReleasedConversation,
    titles: Mapping[str, str],
    named: Mapping[int, list[tuple[str, ...]]] | None,
) -> Dialogue:
    own = dict.fromkeys((*conversation.likes, *conversation.dislikes, *conversation.rec_items))
    items = (
        named.get(conversation.conversation_id, [])
        if named is not None
        else [
            tuple(item for item in own if item in titles and names(turn.text, titles[item]))
            for turn in conversation.turns
        ]
    )
    if len(items) != len(conversation.turns):
        raise UserError(
            f"conversation {conversation.conversation_id} has {len(conversation.turns)} turns, "
            f"its table {len(items)}"
        )
    return Dialogue(
        str(conversation.conversation_id),
        tuple(
            Utterance(turn.role, turn.text, found)
            for turn, found in zip(conversation.turns, items, strict=True)
        ),
        conversation.user_id,
        conversation.number,
        conversation.rec_items,
    )


def _named_items(path: Path) -> dict[int, list[tuple[str, ...]]] | None:
    if not path.is_file():
        return None
    named: dict[int, list[tuple[str, ...]]] = defaultdict(list)
    for conversation, items in _parquet(path, ["conversation_id", "item_ids"]).iter_rows():
        named[conversation].append(tuple(items or ()))
    return named


def _interactions(path: Path, release: Release) -> tuple[Interaction, ...]:
    if not path.is_file():
        interactions: list[Interaction] = []
        for user in release.users:
            items = (*user.history, *user.might_like)
            interactions += [Interaction(user.user_id, item) for item in items]
        return tuple(interactions)
    columns = ["user_id", "item_id", "rating", "timestamp"]
    return tuple(Interaction(*row) for row in _parquet(path, columns).iter_rows())


def _parquet(path: Path, columns: list[str]) -> pl.DataFrame:
    try:
        return pl.read_parquet(path, columns=columns)
    except (pl.exceptions.PolarsError, OSError):
        raise UserError(f"{path} is not the Parquet table of a release") from None

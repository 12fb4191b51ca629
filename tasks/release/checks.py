"""A release's own checks: sums, cross references and counts.

They also look for the faults of the published data that ours must not have.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Set
from pathlib import Path

import duckdb
import polars as pl

from tasks.errors import UserError
from tasks.release.integrity import broken_sums, links_in
from tasks.release.reader import (
    ReleasedConversation,
    ReleasedUser,
    read_titles,
    read_turns,
    read_user_numbers,
    read_users,
)

MOST_FINDINGS = 50
_TURNS = """
SELECT conversation_id::BIGINT AS conversation_id, c.dialogue_id, u.turn,
       row_number() OVER (PARTITION BY conversation_id ORDER BY u.turn) AS place
FROM release_utterances u JOIN release_conversations c USING (conversation_id)
"""


def check_release(path: Path) -> list[str]:
    """Return what is wrong with a release, one line a finding, at most 50."""
    try:
        findings = [*broken_sums(path), *links_in(path), *_cross_references(path)]
    except UserError as error:
        return [str(error)]
    if len(findings) <= MOST_FINDINGS:
        return findings
    return [*findings[:MOST_FINDINGS], f"... and {len(findings) - MOST_FINDINGS} more"]


def _cross_references(path: Path) -> Iterator[str]:
    titles, numbers = read_titles(path), read_user_numbers(path)
    yield from _titles(titles)
    lengths = {conversation: len(turns) for conversation, turns in read_turns(path)}
    seen: set[str] = set()
    users: list[str] = []
    expected = 0
    for user in read_users(path):
        users.append(user.user_id)
        yield from _user(user, titles)
        for conversation in user.conversations:
            if conversation.conversation_id != expected:
                yield (
                    f"conversation {conversation.conversation_id} of {user.user_id} stands where "
                    f"{expected} was due"
                )
            if not lengths.get(conversation.conversation_id):
                yield f"conversation {conversation.conversation_id} has no text"
            expected += 1
        seen.update(user.history, user.might_like)
    if len(lengths) != expected:
        yield f"Conversation.txt holds {len(lengths)} conversations, final_data.jsonl {expected}"
    if numbers != {user: number for number, user in enumerate(users)}:
        yield "user_ids.json does not number the users of final_data.jsonl in order of appearance"
    if unused := titles.keys() - seen:
        yield f"{len(unused)} items of item_map.json occur nowhere, such as {min(unused)}"


def _titles(titles: Mapping[str, str]) -> Iterator[str]:
    for item, title in titles.items():
        if title != " ".join(title.split()) or not title:
            yield f"the title of {item} is empty or holds stray white space"
        if html.unescape(title) != title:
            yield f"the title of {item} holds an HTML entity"


def _user(user: ReleasedUser, titles: Mapping[str, str]) -> Iterator[str]:
    history = set(user.history)
    if len(history) != len(user.history):
        yield f"the history of {user.user_id} repeats an item"
    if repeated := history & set(user.might_like):
        yield f"{user.user_id} is recommended {min(repeated)}, which is in the history"
    if unknown := (history | set(user.might_like)) - titles.keys():
        yield f"{user.user_id} has {min(unknown)}, which is not in item_map.json"
    if len(user.might_like) != len(user.conversations) or not user.conversations:
        yield (
            f"{user.user_id} has {len(user.conversations)} conversations for "
            f"{len(user.might_like)} items to recommend"
        )
    pairs = zip(user.conversations, user.might_like, strict=False)
    for place, (conversation, item) in enumerate(pairs, start=1):
        if conversation.number != place or conversation.rec_items != (item,):
            yield (
                f"conversation {place} of {user.user_id} does not recommend the item in its place "
                "of user_might_like"
            )
        for fault in _conversation_faults(conversation, history, titles):
            yield f"conversation {place} of {user.user_id} {fault}"


def _conversation_faults(
    conversation: ReleasedConversation, history: Set[str], titles: Mapping[str, str]
) -> Iterator[str]:
    used = [*conversation.likes, *conversation.dislikes]
    if len(set(used)) != len(used) or not set(used) <= history:
        yield "repeats an item or uses one that is not in the history"
    named = [titles.get(item, item).casefold() for item in {*used, *conversation.rec_items}]
    if len(set(named)) != len(named):
        yield "has two items of one title"


def released_texts(con: duckdb.DuckDBPyConnection, folder: Path) -> pl.DataFrame:
    """Return the utterances of a release as Conversation.txt has them, under the warehouse's ids.

    Args:
        con: the warehouse, with the `release_*` tables the release was written from.
        folder: the release.

    Returns:
        Columns dialogue_id, turn, role, text. A turn that the warehouse does not have carries an
        empty id.
    """
    utterances = []
    for conversation_id, turns in read_turns(folder):
        for place, turn in enumerate(turns, start=1):
            utterances.append((conversation_id, place, turn.role, turn.text))
    schema = ["conversation_id", "place", "role", "text"]
    read = pl.DataFrame(utterances, schema=schema, orient="row")
    known = con.sql(_TURNS).pl()
    joined = read.join(known, on=["conversation_id", "place"], how="left")
    return joined.select(
        pl.col("dialogue_id").fill_null(""), pl.col("turn").fill_null(0), "role", "text"
    )

"""A second reader of the released layout, written from its description alone; it shares no code with `tasks.release`.

It is strict: whatever the description does not allow is an AssertionError or a ValueError.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any


def read_release(folder: Path) -> dict[str, Any]:
    """Return {"titles", "numbers", "users", "texts"} and check on the way all that the description promises."""
    titles = json.loads((folder / "item_map.json").read_text(encoding="utf-8"))
    numbers = json.loads((folder / "user_ids.json").read_text(encoding="utf-8"))
    users: dict[str, Any] = {}
    for line in (folder / "final_data.jsonl").read_bytes().decode("utf-8").split("\n")[:-1]:
        ((user_id, content),) = json.loads(line).items()
        assert user_id not in users
        assert set(content) == {"history_interaction", "user_might_like", "Conversation"}
        users[user_id] = content
    assert list(users) == list(numbers) and list(numbers.values()) == list(range(len(numbers)))
    texts = read_texts(folder)
    check_users(users, titles, texts)
    return {"titles": titles, "numbers": numbers, "users": users, "texts": texts}


def read_texts(folder: Path) -> dict[int, list[tuple[str, str]]]:
    """Return {conversation id: [(speaker, text)]}; every line of the file must be followed by an empty one."""
    lines = (folder / "Conversation.txt").read_bytes().decode("utf-8").split("\n")
    assert lines[-1] == "" and len(lines) % 2 == 1
    assert all(line == "" for line in lines[1::2])
    texts: dict[int, list[tuple[str, str]]] = {}
    current = -1
    for line in lines[:-1:2]:
        speaker, colon, text = line.partition(": ")
        if colon:
            assert speaker in {"User", "Agent"} and text == text.strip() != ""
            texts[current].append((speaker, text))
        else:
            assert int(line) == current + 1
            current += 1
            texts[current] = []
    return texts


def check_users(
    users: dict[str, Any], titles: dict[str, str], texts: dict[int, list[tuple[str, str]]]
) -> None:
    """Check the cross references of final_data.jsonl."""
    conversation_id = 0
    for content in users.values():
        history, might_like = content["history_interaction"], content["user_might_like"]
        assert len(set(history)) == len(history) and not set(history) & set(might_like)
        assert {*history, *might_like} <= set(titles)
        assert len(content["Conversation"]) == len(might_like) > 0
        for k, entry in enumerate(content["Conversation"], 1):
            conversation = entry.pop(f"conversation_{k}")
            assert entry == {}
            entry.update(conversation)
            assert set(conversation) == {
                "conversation_id",
                "user_likes",
                "user_dislikes",
                "rec_item",
            }
            assert conversation["conversation_id"] == conversation_id
            assert conversation["rec_item"] == [might_like[k - 1]]
            assert {*conversation["user_likes"], *conversation["user_dislikes"]} <= set(history)
            named = [
                titles[item]
                for item in (
                    *conversation["user_likes"],
                    *conversation["user_dislikes"],
                    *conversation["rec_item"],
                )
            ]
            assert len(set(named)) == len(named)
            assert texts[conversation_id]
            conversation_id += 1
    assert conversation_id == len(texts)


def sums_hold(folder: Path) -> bool:
    """Return True if SHA256SUMS names every other file with its hash."""
    listed = dict(
        reversed(line.split("  ", 1))
        for line in (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    )
    found = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "SHA256SUMS"
    }
    return listed == found

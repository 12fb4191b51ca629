"""A release whose titles, ids and words try to break every format: tabs, line ends, quotes, markup, what pandas takes for nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from unittest import mock

from tasks.release import write_release
from tasks.settings import Home
from tests.support.small_warehouse import small_warehouse

TITLES = {
    "B1": 'The "Quoted"\ttab, and; more',
    "B2": "None",
    "B3": "two\nlines\r\nand \u2028 more \x85 ends",
    "B5": "---\nconfigs: [x]\n...",
    "B6": "=cmd|'/c calc'!A1 </script>{{item:1}}",
    "B7": '"',
}
USERS = {"ann": "a\tb\nc", "bob": "NA", "cat": '"100% sure" & co'}


def our_release(data: Path, titles: Sequence[str] = ()) -> Path:
    """Return a release of ours with hostile titles, or those given, users and utterances, Parquet tables included."""
    con = small_warehouse()
    for item, title in {
        **TITLES,
        **dict(zip((f"B{number}" for number in range(1, 8)), titles, strict=False)),
    }.items():
        con.execute("UPDATE items SET title = ? WHERE item_id = ?", [title, item])
    for user, wild in USERS.items():
        for table in ("preferences", "briefs"):
            con.execute(f"UPDATE {table} SET user_id = ? WHERE user_id = ?", [wild, user])
    said = 'She said "no",\tthen \\n {"role": "user"} User: </s> \u2029 \U0001f600'
    con.execute("UPDATE utterances SET text = ? WHERE dialogue_id = 'd3' AND turn = 1", [said])
    # It would refuse titles that ingest never lets through.
    with mock.patch("tasks.release.writer.check_release", return_value=[]):
        return write_release(con, Home(data=data), "demo", run={"model": "offline/writer"}).path


def published_folder(folder: Path, users: int = 40) -> Path:
    """Return a folder with the four files alone, as the authors publish them: no tables, no ratings, no times, item ids that bite."""
    folder.mkdir(parents=True)
    items = {
        "null": "None",
        "0012": "| 1e5 \U0001f600",
        "x\ty": "A  tab",
        'q"q': '"Heat"',
        "50%": "Half; off, now",
        "plain": "Solaris",
    }
    (folder / "item_map.json").write_text(json.dumps(items))
    (folder / "user_ids.json").write_text(
        json.dumps({f"u{number}": number for number in range(users)})
    )
    lines, texts = [], []
    for number in range(users):
        target = list(items)[number % 5]
        entry = {
            "conversation_id": number,
            "user_likes": ["plain"],
            "user_dislikes": [],
            "rec_item": [target],
        }
        user = {
            "history_interaction": ["plain"],
            "user_might_like": [target],
            "Conversation": [{"conversation_1": entry}],
        }
        lines.append(json.dumps({f"u{number}": user}) + "\n")
        texts.append(
            f'{number}\n\nUser: I liked Solaris.\n\nAgent: Then try {items[target]} next.\n\nUser: Thanks, "bye"!\n\n'
        )
    (folder / "final_data.jsonl").write_text("".join(lines))
    (folder / "Conversation.txt").write_text("".join(texts))
    return folder

"""A warehouse small enough to check by hand: three users, four briefs, three of them accepted."""

from __future__ import annotations

import duckdb

from tasks.warehouse import create_tables

TITLES = {
    "B1": "Solaris",
    "B2": "Elysium",
    "B3": "The Mummy",
    "B4": "1917",
    "B5": "Amélie & Co",
    "B6": "Solaris",
    "B7": "Wrecking Crew",  # codespell:ignore
}

# user, collection, items in time order
PREFERENCES = [
    ("ann", "LIKES", ["B1", "B2"]),
    ("ann", "DISLIKES", ["B3"]),
    ("ann", "MIGHT_LIKES", ["B4", "B5"]),
    ("bob", "LIKES", ["B5"]),
    ("bob", "MIGHT_LIKES", ["B6"]),
    ("cat", "LIKES", ["B1", "B7"]),
    ("cat", "MIGHT_LIKES", ["B3"]),
]

# dialogue, user, position, target, verdict, attempt, slots [(item, collection)], texts
DIALOGUES = [
    ("d1", "ann", 1, "B4", "rejected", 1, [("B1", "LIKES"), ("B4", "MIGHT_LIKES")], ["Hi.", "Bye."]),
    ("d2", "ann", 2, "B5", "accepted", 2, [("B3", "DISLIKES"), ("B2", "LIKES"), ("B5", "MIGHT_LIKES")],
     ["I did not like The Mummy.\nNot\u2028at all.", "Try  Elysium.", "I have seen it.", "Then Amélie & Co!", "1917", "Enjoy."]),
    ("d3", "bob", 1, "B6", "accepted", 1, [("B6", "MIGHT_LIKES")], ["Hello there, what is good?", "Solaris is."]),
    ("d4", "cat", 1, "B3", "accepted", 1, [("B7", "LIKES"), ("B3", "MIGHT_LIKES")],
     ["I liked Wrecking Crew.", "The Mummy is for you."]),  # codespell:ignore
]  # fmt: skip


def small_warehouse() -> duckdb.DuckDBPyConnection:
    """Return a filled warehouse in memory."""
    con = duckdb.connect()
    create_tables(con)
    fill_warehouse(con)
    return con


def fill_warehouse(con: duckdb.DuckDBPyConnection) -> None:
    """Fill the tables of an empty warehouse."""
    con.executemany(
        "INSERT INTO items VALUES (?, ?, ?, ?)",
        [(item, title, f"{title} [VHS]", item) for item, title in TITLES.items()],
    )
    for user, collection, items in PREFERENCES:
        rating = 1.0 if collection == "DISLIKES" else 5.0
        for position, item in enumerate(items, 1):
            values = [user, item, collection, position, rating, 1000 + position, f"r-{user}-{item}"]
            con.execute("INSERT INTO preferences VALUES (?, ?, ?, ?, ?, ?, ?)", values)
    for order, (dialogue, user, position, target, verdict, attempt, slots, texts) in enumerate(
        DIALOGUES
    ):
        template, recommendations = f"t{len(texts)}", max(1, len(texts) // 3)
        con.execute(
            "INSERT INTO briefs VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [dialogue, user, position, target, template, recommendations, len(texts), order],
        )
        con.execute("INSERT INTO verdicts VALUES (?, ?, ?)", [dialogue, verdict, attempt])
        for slot, (item, collection) in enumerate(slots, 1):
            con.execute(
                "INSERT INTO brief_items VALUES (?, ?, ?, ?, ?, ?, ?)",
                [dialogue, slot, item, TITLES[item], collection, None, None],
            )
        _say(con, dialogue, attempt, slots, texts)
        if attempt > 1:
            _say(con, dialogue, 1, [], ["A first try that was rejected."])
    for length in (2, 6):
        for turn in range(length):
            con.execute(
                "INSERT INTO template_turns VALUES (?, 1, ?, ?, ['g'], [], [])",
                [f"t{length}", turn, ("user", "agent")[turn % 2]],
            )


def _say(
    con: duckdb.DuckDBPyConnection,
    dialogue: str,
    attempt: int,
    slots: list[tuple[str, str]],
    texts: list[str],
) -> None:
    for turn, text in enumerate(texts):
        named = [item for item, _ in slots if TITLES[item] in text]
        values = [
            dialogue,
            attempt,
            turn,
            ("user", "agent")[turn % 2],
            text,
            ["g"],
            named,
            len(text.split()),
        ]
        con.execute("INSERT INTO utterances VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)

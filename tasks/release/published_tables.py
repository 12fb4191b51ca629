"""What each published table says: its grain, its key, and the meaning of every column.

Types are those of the Parquet files.

The data contracts and the Croissant description are made from this; `tasks/release/published.py`
holds the queries. A test holds
the three together: the same tables, the same columns, in the same order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

SHAPE_VERSION: Final = "1.1.0"
"""Semantic version of the published tables' shape.

Raise it when a column is added, removed or changes its meaning.
"""
ROLES: Final = ("user", "agent")
COLLECTIONS: Final = ("LIKES", "DISLIKES", "MIGHT_LIKES")


@dataclass(frozen=True)
class PublishedColumn:
    """One column.

    Attributes:
        about: what it holds, in one sentence.
        nullable: whether it may be empty.
        values: the values it may have, where they are few.
        least: the smallest value it may have.
        references: `table.column` that holds each of its values.
    """

    about: str
    nullable: bool = False
    values: tuple[str, ...] = ()
    least: int | None = None
    references: str = ""


@dataclass(frozen=True)
class PublishedTable:
    """One table: what one row is, the columns that name a row, and its columns in order."""

    grain: str
    key: tuple[str, ...]
    columns: Mapping[str, PublishedColumn]


_CONVERSATION = PublishedColumn(
    "Number of the conversation in the release.", least=0, references="dialogues.conversation_id"
)
_DIALOGUE = PublishedColumn(
    "Id of the dialogue, the same in every release that holds it.",
    references="dialogues.dialogue_id",
)
_USER = PublishedColumn("Id of the user, or its keyed hash.", references="users.user_id")
_ITEM = PublishedColumn("Id of the item.", references="items.item_id")
_ROLE = PublishedColumn("Who speaks.", values=ROLES)
_GOALS = PublishedColumn("Sub-goals of the turn, in the order they are to be met.")

PUBLISHED_TABLES: Final[Mapping[str, PublishedTable]] = {
    "users": PublishedTable(
        "One user with at least one released dialogue.",
        ("user_id",),
        {
            "user_number": PublishedColumn("Number of the user, in order of appearance.", least=0),
            "user_id": PublishedColumn("Id of the user, or its keyed hash."),
        },
    ),
    "items": PublishedTable(
        "One item in a published user's history, or recommended to them.",
        ("item_id",),
        {
            "item_id": PublishedColumn("Id of the item."),
            "title": PublishedColumn("Title as the dialogues say it; two items may share one."),
            "title_original": PublishedColumn("Title as the source published it."),
            "work_id": PublishedColumn(
                "Item id under which editions of one work are merged; its own where they are not."
            ),
        },
    ),
    "preferences": PublishedTable(
        "One item a published user rated: of their history, or recommended in a released dialogue.",
        ("user_id", "item_id"),
        {
            "user_id": _USER,
            "item_id": _ITEM,
            "collection": PublishedColumn("What the rating makes of the item.", values=COLLECTIONS),
            "position": PublishedColumn(
                "Place within the user and the collection, in order of time.", least=1
            ),
            "rating": PublishedColumn("Rating as given."),
            "timestamp": PublishedColumn(
                "Moment of the rating in seconds since 1970; empty with pseudonyms.", nullable=True
            ),
        },
    ),
    "dialogues": PublishedTable(
        "One released dialogue.",
        ("conversation_id",),
        {
            "conversation_id": PublishedColumn(
                "Number of the conversation in the release.", least=0
            ),
            "dialogue_id": PublishedColumn(
                "Id of the dialogue, the same in every release that holds it."
            ),
            "user_id": _USER,
            "conversation_number": PublishedColumn(
                "Place among the user's conversations.", least=1
            ),
            "target_item_id": PublishedColumn(
                "Id of the item that is recommended last.", references="items.item_id"
            ),
            "template_id": PublishedColumn(
                "Id of the dialogue template.", references="template_turns.template_id"
            ),
            "recommendations": PublishedColumn("How many items the dialogue recommends.", least=1),
            "attempt": PublishedColumn("Attempt that was accepted; from 2 on a repair.", least=1),
            "model": PublishedColumn("Model that wrote the accepted attempt.", nullable=True),
            "models_tried": PublishedColumn(
                "Model of each attempt up to the accepted one, in order."
            ),
        },
    ),
    "brief_items": PublishedTable(
        "One item that a released dialogue was to speak of.",
        ("conversation_id", "slot"),
        {
            "conversation_id": _CONVERSATION,
            "dialogue_id": _DIALOGUE,
            "slot": PublishedColumn("Number of the item slot in the template.", least=1),
            "item_id": _ITEM,
            "collection": PublishedColumn(
                "Collection the item was drawn from.", values=COLLECTIONS
            ),
        },
    ),
    "utterances": PublishedTable(
        "One utterance of a released dialogue.",
        ("conversation_id", "turn"),
        {
            "conversation_id": _CONVERSATION,
            "dialogue_id": _DIALOGUE,
            "turn": PublishedColumn("Place of the utterance in its dialogue.", least=1),
            "role": _ROLE,
            "text": PublishedColumn("What is said, on one line."),
            "goals": _GOALS,
            "item_ids": PublishedColumn("Ids of the items that the utterance names."),
            "words": PublishedColumn("Words, separated by white space.", least=0),
        },
    ),
    "template_turns": PublishedTable(
        "One turn of a dialogue template that a released dialogue follows.",
        ("template_id", "turn"),
        {
            "template_id": PublishedColumn("Id of the dialogue template."),
            "recommendations": PublishedColumn("How many items the template recommends.", least=1),
            "turn": PublishedColumn("Place of the turn in the template.", least=1),
            "role": _ROLE,
            "goals": _GOALS,
            "introduces": PublishedColumn("Item slots that the turn brings in."),
            "refers": PublishedColumn("Item slots that the turn may speak of."),
        },
    ),
}

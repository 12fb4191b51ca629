"""Good dialogues with their briefs, as the generators of defects read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import duckdb

_TALKS: Final = """
WITH said AS (
    SELECT
        dialogue_id,
        list({role: role, text: text, goals: goals} ORDER BY turn) AS turns
    FROM utterances
    JOIN verdicts USING (dialogue_id, attempt)
    WHERE verdict = 'accepted'
    GROUP BY dialogue_id
), briefed AS (
    SELECT
        dialogue_id,
        list({title: title, collection: collection} ORDER BY slot) AS items,
        list(own.text ORDER BY slot) FILTER (own.text IS NOT NULL) AS own,
        list(other.text ORDER BY slot) FILTER (other.text IS NOT NULL) AS other,
        list(own.text ORDER BY slot)
            FILTER (own.text IS NOT NULL AND collection = 'MIGHT_LIKES') AS own_of_target,
        list(other.text ORDER BY slot)
            FILTER (other.text IS NOT NULL AND collection = 'MIGHT_LIKES') AS other_of_target
    FROM brief_items
    LEFT JOIN reviews own ON own.review_id = user_review_id
    LEFT JOIN reviews other ON other.review_id = other_review_id
    GROUP BY dialogue_id
)
SELECT
    dialogue_id,
    turns,
    items,
    list_concat(coalesce(own, []), coalesce(other, [])) AS reviews,
    own,
    list_concat(coalesce(own_of_target, []), coalesce(other_of_target, [])) AS of_target
FROM said
JOIN briefed USING (dialogue_id)
ORDER BY dialogue_id
"""


@dataclass(frozen=True)
class Talk:
    """A good dialogue with its brief.

    Attributes:
        turns: role, text and sub-goals of each.
        items: title and collection of each, by slot.
        reviews: the texts of its reviews.
        own_reviews: those of them that the user wrote.
        target_reviews: those of them that are of the item to be recommended.
    """

    dialogue_id: str
    turns: tuple[tuple[str, str, tuple[str, ...]], ...]
    items: tuple[tuple[str, str], ...]
    reviews: tuple[str, ...]
    own_reviews: tuple[str, ...]
    target_reviews: tuple[str, ...] = ()

    def turns_before(self, titles: Sequence[str]) -> list[int]:
        """Return the turns before the first that names one of some titles."""
        named = (
            turn
            for turn, (_, text, _) in enumerate(self.turns, 1)
            if any(title in text for title in titles)
        )
        return list(range(1, next(named, len(self.turns) + 1)))

    def turns_with(self, goals: frozenset[str]) -> list[int]:
        """Return the turns, from 1, that have one of some sub-goals."""
        return [turn for turn, (_, _, mine) in enumerate(self.turns, 1) if goals & set(mine)]

    def turns_of(self, role: str) -> list[int]:
        """Return the turns of a speaker."""
        return [turn for turn, (who, _, _) in enumerate(self.turns, 1) if who == role]


def read_talks(con: duckdb.DuckDBPyConnection) -> list[Talk]:
    """Return the accepted dialogues of a warehouse with their briefs, in the order of ids."""
    rows = con.execute(_TALKS).fetchall()
    return [
        Talk(
            dialogue_id,
            tuple((turn["role"], turn["text"], tuple(turn["goals"])) for turn in turns),
            tuple((item["title"], item["collection"]) for item in items),
            tuple(reviews or ()),
            tuple(own or ()),
            tuple(of_target or ()),
        )
        for dialogue_id, turns, items, reviews, own, of_target in rows
    ]

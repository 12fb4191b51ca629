"""Finds dialogues by what they hold, a page at a time, and what one may look for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import duckdb

from tasks.verdicts import BRIEF_VERDICTS, VERDICTS
from tasks.warehouse import Rows, rows

PER_PAGE = 50
LONGEST = 200  # characters of one filter
MOST_CHOICES = 2_000

_CHOSEN = f"""
WITH {BRIEF_VERDICTS},
named AS (
    SELECT DISTINCT dialogue_id FROM brief_items WHERE item_id = $item OR ($item <> '' AND contains(lower(title), lower($item)))
),
fallen AS (SELECT DISTINCT dialogue_id FROM rejections WHERE rule = $rule),
chosen AS (
    SELECT b.*, v.verdict, v.attempt
    FROM briefs b JOIN brief_verdicts v USING (dialogue_id)
    WHERE ($user = '' OR b.user_id = $user)
      AND ($template = '' OR b.template_id = $template)
      AND ($status = '' OR v.verdict = $status)
      AND starts_with(b.dialogue_id, $dialogue)
      AND ($item = '' OR b.dialogue_id IN (SELECT dialogue_id FROM named))
      AND ($rule = '' OR b.dialogue_id IN (SELECT dialogue_id FROM fallen))
)
"""
_COUNT = f"{_CHOSEN} SELECT count(*) AS dialogues FROM chosen"
_PAGE = f"""{_CHOSEN}
, page AS (SELECT * FROM chosen ORDER BY brief_order LIMIT $size OFFSET $skip),
opened AS (
    SELECT u.dialogue_id, arg_min(u.text, u.turn) AS opening
    FROM utterances u JOIN page p ON p.dialogue_id = u.dialogue_id AND p.attempt = u.attempt GROUP BY u.dialogue_id
),
broken AS (
    SELECT r.dialogue_id, list(DISTINCT r.rule ORDER BY r.rule) FILTER (r.attempt = p.attempt) AS rules,
           list(DISTINCT r.rule ORDER BY r.rule) FILTER (r.attempt < p.attempt) AS earlier
    FROM rejections r JOIN page p USING (dialogue_id) GROUP BY r.dialogue_id
),
targets AS (SELECT item_id, title FROM items WHERE item_id IN (SELECT target_item_id FROM page))
SELECT p.dialogue_id, p.user_id, p.template_id, p.recommendations, p.turns, p.verdict, p.attempt, p.target_item_id,
       coalesce(t.title, p.target_item_id) AS target, o.opening, coalesce(r.rules, []) AS rules, coalesce(r.earlier, []) AS earlier
FROM page p LEFT JOIN opened o USING (dialogue_id) LEFT JOIN broken r USING (dialogue_id)
LEFT JOIN targets t ON t.item_id = p.target_item_id
ORDER BY p.brief_order
"""
_RULES = "SELECT rule, count(DISTINCT dialogue_id) AS dialogues FROM rejections SEMI JOIN briefs USING (dialogue_id) GROUP BY rule ORDER BY rule"
_TEMPLATES = "SELECT DISTINCT template_id FROM briefs ORDER BY template_id LIMIT $most"


@dataclass(frozen=True)
class Filters:
    """What is looked for; an empty text looks for everything.

    Attributes:
        user: a user's id.
        item: an item's id, or a part of its title in any letter case; in any slot of the brief.
        template: a template's id.
        rule: a rule broken at any attempt.
        status: how the brief ended.
        dialogue: the first digits of a dialogue's id.
    """

    user: str = ""
    item: str = ""
    template: str = ""
    rule: str = ""
    status: str = ""
    dialogue: str = ""

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Filters:
        """Take filters from the parameters of an address; others are passed over."""
        return cls(**{one.name: given.get(one.name, "").strip()[:LONGEST] for one in fields(cls)})

    def set(self) -> dict[str, str]:
        """Return the filters that look for something, by name."""
        return {one.name: value for one in fields(self) if (value := getattr(self, one.name))}


@dataclass(frozen=True)
class Page:
    """One page of what was found: rows of dialogues, how many there are in all, and which page of how many this is, from 1."""

    dialogues: Rows
    found: int
    page: int
    pages: int


@dataclass(frozen=True)
class Choices:
    """What the filters can be set to."""

    rules: Rows
    templates: list[str]
    statuses: tuple[str, ...] = VERDICTS


def search(con: duckdb.DuckDBPyConnection, filters: Filters, page: int) -> Page:
    """Return a page of the dialogues that meet every filter, in the order of the briefs; beyond the last page, the last."""
    values: dict[str, Any] = {one.name: getattr(filters, one.name) for one in fields(filters)}
    found = rows(con, _COUNT, values)[0]["dialogues"]
    pages = max(1, -(-found // PER_PAGE))
    at = min(max(1, page), pages)
    return Page(
        rows(con, _PAGE, {**values, "size": PER_PAGE, "skip": (at - 1) * PER_PAGE}),
        found,
        at,
        pages,
    )


def choices(con: duckdb.DuckDBPyConnection) -> Choices:
    """Return the rules that were broken and the templates in use."""
    return Choices(
        rows(con, _RULES),
        [row["template_id"] for row in rows(con, _TEMPLATES, {"most": MOST_CHOICES})],
    )

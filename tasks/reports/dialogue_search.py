"""Finds dialogues by what is in them, a page at a time in a chosen order."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

import duckdb

from tasks.marks import MARKS
from tasks.verdicts import BRIEF_VERDICTS, VERDICTS
from tasks.warehouse import Rows, rows

PER_PAGE = 50
LONGEST = 200  # characters of one filter
MOST_TERMS = 8  # words or phrases of one search
MOST_CHOICES = 2_000
_TERM = re.compile(r'"([^"]+)"|(\S+)')
MARK_CHOICES: Final = ("any", "none", *MARKS)
SORTS: Final[Mapping[str, str]] = {
    "order": "brief_order",
    "words": "words",
    "turns": "turns",
    "status": "verdict",
    "attempts": "attempt",
    "rules": "broken_rules",
    "rule": "first_rule",
    "template": "template_id",
    "user": "user_id",
    "item": "target",
}
"""What a list can be sorted by, and the column of `sortable` that it is."""

_CHOSEN = f"""
WITH {BRIEF_VERDICTS},
named AS (
    SELECT DISTINCT dialogue_id FROM brief_items
    WHERE item_id = $item OR ($item <> '' AND contains(lower(title), lower($item)))
),
fallen AS (SELECT DISTINCT dialogue_id FROM rejections WHERE rule = $rule),
terms AS (SELECT unnest($terms::VARCHAR[]) AS term),
said AS (SELECT dialogue_id, lower(text) AS text FROM utterances WHERE len($terms::VARCHAR[]) > 0),
worded AS (
    SELECT s.dialogue_id FROM said s JOIN terms t ON contains(s.text, t.term)
    GROUP BY s.dialogue_id HAVING count(DISTINCT t.term) = len($terms::VARCHAR[])
),
chosen AS (
    SELECT b.*, v.verdict, v.attempt
    FROM briefs b JOIN brief_verdicts v USING (dialogue_id)
    WHERE ($user = '' OR b.user_id = $user)
      AND ($template = '' OR b.template_id = $template)
      AND ($status = '' OR v.verdict = $status)
      AND starts_with(b.dialogue_id, $dialogue)
      AND ($item = '' OR b.dialogue_id IN (SELECT dialogue_id FROM named))
      AND ($rule = '' OR b.dialogue_id IN (SELECT dialogue_id FROM fallen))
      AND (len($terms::VARCHAR[]) = 0 OR b.dialogue_id IN (SELECT dialogue_id FROM worded))
      AND ($mark = '' OR list_contains($marked::VARCHAR[], b.dialogue_id) <> ($mark = 'none'))
)
"""
_COUNT = f"{_CHOSEN} SELECT count(*) AS dialogues FROM chosen"
_PAGE = f"""{_CHOSEN}
, lengths AS (
    SELECT u.dialogue_id, sum(u.words)::BIGINT AS words
    FROM utterances u JOIN chosen c ON c.dialogue_id = u.dialogue_id AND c.attempt = u.attempt
    GROUP BY u.dialogue_id
),
faults AS (
    SELECT r.dialogue_id, count(DISTINCT r.rule) AS broken_rules, min(r.rule) AS first_rule
    FROM rejections r SEMI JOIN chosen USING (dialogue_id) GROUP BY r.dialogue_id
),
titles AS (SELECT item_id, any_value(title) AS title FROM items GROUP BY item_id),
sortable AS (
    SELECT c.*, l.words, coalesce(f.broken_rules, 0) AS broken_rules, f.first_rule,
           coalesce(t.title, c.target_item_id) AS target
    FROM chosen c LEFT JOIN lengths l USING (dialogue_id) LEFT JOIN faults f USING (dialogue_id)
    LEFT JOIN titles t ON t.item_id = c.target_item_id
),
page AS (
    SELECT *, row_number() OVER (ORDER BY {{order}}) AS place
    FROM sortable ORDER BY place LIMIT $size OFFSET $skip
),
opened AS (
    SELECT u.dialogue_id, arg_min(u.text, u.turn) AS opening,
           arg_min(u.text, u.turn) FILTER (contains(lower(u.text), $terms[1])) AS hit
    FROM utterances u JOIN page p ON p.dialogue_id = u.dialogue_id AND p.attempt = u.attempt
    GROUP BY u.dialogue_id
),
broken AS (
    SELECT r.dialogue_id,
           list(DISTINCT r.rule ORDER BY r.rule) FILTER (r.attempt = p.attempt) AS rules,
           list(DISTINCT r.rule ORDER BY r.rule) FILTER (r.attempt < p.attempt) AS earlier
    FROM rejections r JOIN page p USING (dialogue_id) GROUP BY r.dialogue_id
)
SELECT p.dialogue_id, p.user_id, p.template_id, p.recommendations, p.turns, p.words, p.verdict,
       p.attempt, p.target_item_id, p.target,
       coalesce(o.hit, o.opening) AS opening, coalesce(r.rules, []) AS rules,
       coalesce(r.earlier, []) AS earlier
FROM page p LEFT JOIN opened o USING (dialogue_id) LEFT JOIN broken r USING (dialogue_id)
ORDER BY p.place
"""
_RULES = """
SELECT rule, count(DISTINCT dialogue_id) AS dialogues
FROM rejections SEMI JOIN briefs USING (dialogue_id)
GROUP BY rule
ORDER BY rule
"""
_TEMPLATES = "SELECT DISTINCT template_id FROM briefs ORDER BY template_id LIMIT $most"


@dataclass(frozen=True)
class Filters:
    """What is looked for, an empty text for everything, and the order.

    Attributes:
        user: a user's id.
        item: an item's id, or a part of its title in any letter case; in any slot of the brief.
        template: a template's id.
        rule: a rule broken at any attempt.
        status: how the brief ended.
        dialogue: the first digits of a dialogue's id.
        words: words, or phrases in quotes, that are all said in some utterance of some attempt, in
            any letter case.
        mark: what people marked it as; `any` for any mark, `none` for no mark.
        sort: a key of `SORTS`, with a minus before it for the largest first; else the order of the
            briefs.
    """

    user: str = ""
    item: str = ""
    template: str = ""
    rule: str = ""
    status: str = ""
    dialogue: str = ""
    words: str = ""
    mark: str = ""
    sort: str = ""

    @classmethod
    def of(cls, parameters: Mapping[str, str]) -> Filters:
        """Take filters from the parameters of an address; others are passed over."""
        names = (field.name for field in fields(cls))
        return cls(**{name: parameters.get(name, "").strip()[:LONGEST] for name in names})

    def set(self) -> dict[str, str]:
        """Return the filters that look for something, and the order if one is chosen, by name."""
        return {name: value for name, value in asdict(self).items() if value}

    def terms(self) -> list[str]:
        """Return the words and phrases to look for, in small letters, each once."""
        terms: dict[str, None] = {}
        for phrase, word in _TERM.findall(self.words):
            term = phrase or word
            if term.strip('" '):
                terms[term.strip('"').lower()] = None
        return list(terms)[:MOST_TERMS]

    def order(self) -> str:
        """Return the SQL that orders `sortable`; it is made of names of columns alone."""
        column = SORTS.get(self.sort.removeprefix("-"), "brief_order")
        direction = "DESC" if self.sort.startswith("-") else "ASC"
        return f"{column} {direction} NULLS LAST, brief_order"


@dataclass(frozen=True)
class Page:
    """One page of the dialogues that were found.

    Attributes:
        dialogues: the page's rows.
        found: how many dialogues there are on all pages.
        page: which page this is, from 1.
        pages: how many there are.
    """

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
    marks: tuple[str, ...] = MARK_CHOICES
    sorts: tuple[str, ...] = tuple(SORTS)


def search(
    con: duckdb.DuckDBPyConnection,
    filters: Filters,
    page: int,
    marks: Mapping[str, set[str]] | None = None,
) -> Page:
    """Return a page of the dialogues that meet every filter, in the order that is chosen.

    Beyond the last page it is the last. `marks` has what people marked dialogues as, by dialogue
    id.
    """
    named = ("user", "item", "template", "rule", "status", "dialogue", "mark")
    values: dict[str, Any] = {name: getattr(filters, name) for name in named}
    values |= {"terms": filters.terms(), "marked": _marked(filters.mark, marks or {})}
    total = rows(con, _COUNT, values)[0]["dialogues"]
    pages = max(1, -(-total // PER_PAGE))
    number = min(max(1, page), pages)
    query = _PAGE.format(order=filters.order())
    dialogues = rows(con, query, {**values, "size": PER_PAGE, "skip": (number - 1) * PER_PAGE})
    return Page(dialogues, total, number, pages)


def _marked(mark: str, marks: Mapping[str, set[str]]) -> list[str]:
    """Return the dialogues that people marked so; all marked ones for `any` and `none`."""
    if mark in ("any", "none"):
        return list(marks)
    return [dialogue_id for dialogue_id, given in marks.items() if mark in given]


def choices(con: duckdb.DuckDBPyConnection) -> Choices:
    """Return the rules that were broken and the templates in use."""
    return Choices(
        rows(con, _RULES),
        [row["template_id"] for row in rows(con, _TEMPLATES, {"most": MOST_CHOICES})],
    )

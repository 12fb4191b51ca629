"""The briefs stage: `preferences` and templates to `briefs`, every slot filled (2.5.1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, groupby, islice
from operator import itemgetter

import duckdb

from tasks.briefs.growth import keep_briefs, restore_briefs
from tasks.briefs.reader import load_templates
from tasks.briefs.slot_filling import Draft, HistoryItem, Unplanned, draft_user
from tasks.briefs.template_choice import Choice, Pattern, make_choice
from tasks.briefs.writer import (
    create_brief_tables,
    store_beyond_plan,
    store_briefs,
    store_templates,
    store_unplanned,
)
from tasks.errors import UserError
from tasks.settings import Domain
from tasks.templates import Template, pattern
from tasks.tombstones import Tombstones

_ORDERED = """
CREATE OR REPLACE TEMP TABLE brief_users AS
WITH first_seen AS (
    SELECT user_id, min(source_order) AS first_order
    FROM reviews
    WHERE core
    GROUP BY user_id
),
wanted AS (
    SELECT DISTINCT user_id
    FROM preferences
    WHERE collection = 'MIGHT_LIKES'
)
SELECT user_id, row_number() OVER (ORDER BY first_order NULLS LAST, user_id) - 1 AS user_order
FROM wanted
LEFT JOIN first_seen USING (user_id)
"""
_PREFERRED = """
CREATE OR REPLACE TEMP TABLE brief_preferences AS
SELECT u.user_order, p.user_id, p.item_id, p.collection, i.title, i.work_id, p.rating, p.review_id
FROM preferences p
JOIN brief_users u USING (user_id)
LEFT JOIN items i USING (item_id)
ORDER BY u.user_order, p.collection, p.position, p.item_id
"""
_PAGE = """
SELECT user_id, item_id, collection, title, work_id, rating, review_id
FROM brief_preferences
WHERE user_order >= $first AND user_order < $upto
ORDER BY rowid
"""


def make_users(con: duckdb.DuckDBPyConnection) -> None:
    """Create temporary tables of users in order of their first core review, and preferences."""
    con.execute(_ORDERED)
    con.execute(_PREFERRED)


def drop_users(con: duckdb.DuckDBPyConnection) -> None:
    """Drop the tables of `make_users`."""
    con.execute("DROP TABLE IF EXISTS brief_preferences")
    con.execute("DROP TABLE IF EXISTS brief_users")


def user_pages(
    con: duckdb.DuckDBPyConnection, users: int
) -> Iterator[list[tuple[str, list[HistoryItem]]]]:
    """Yield pages of `users` users, each with their preferences: collections in time order."""
    total = con.execute("SELECT count(*) FROM brief_users").fetchall()[0][0]
    for first in range(0, total, users):
        # Fetched whole, so that the connection is free for writes before the next page.
        rows = con.execute(_PAGE, {"first": first, "upto": first + users}).fetchall()
        yield [
            (user_id, [HistoryItem._make(row[1:]) for row in group])
            for user_id, group in groupby(rows, key=itemgetter(0))
        ]


# Few, because Python's garbage collector visits all rows of a page again and again.
USERS_PER_PAGE = 300
BRIEFS_PER_WRITE = 5_000  # many, because each write searches the reviews


@dataclass(frozen=True)
class BriefCounts:
    """The numbers of a plan.

    Attributes:
        might_likes: MIGHT_LIKES items; each has either a brief or a row of `unplanned`.
        briefs: rows of `briefs`.
        unplanned: MIGHT_LIKES items without a brief, by reason (the keys of `REASONS`).
        by_recommendations: briefs by number of recommendations.
        by_pattern: briefs by liked and disliked items of the history they use.
        mean_utterances: mean utterances of the briefs, 0 without any.
        expected_utterances: the mean by the templates' chances, for users with enough items.
        templates_used: distinct templates of the briefs.
    """

    might_likes: int
    briefs: int
    unplanned: Mapping[str, int]
    by_recommendations: Mapping[int, int]
    by_pattern: Mapping[Pattern, int]
    mean_utterances: float
    expected_utterances: float
    templates_used: int


def plan_briefs(
    con: duckdb.DuckDBPyConnection,
    domain: Domain,
    templates: Sequence[Template],
    erased: Tombstones | None = None,
) -> BriefCounts:
    """Plan one dialogue for each MIGHT_LIKES item of each user.

    Fills `briefs`, `brief_items`, `template_turns` and `template_slots`; an item without a brief
    goes into `unplanned`, with the reason. Users are in the order of their first core review in the
    source, their dialogues in the order of their MIGHT_LIKES. With `briefs.grow`, briefs that were
    asked or released before stay and are the first. Each draw depends on the seed, the
    user, the position and the user's own preferences only (`Choice.draw`, `fill`); other people's
    reviews are drawn by a hash of each (`pick_others`). Reads `preferences`, `reviews` and `items`.

    Raises:
        UserError: no template has a number of recommendations that the domain gives weight to.
    """
    choice = make_choice(templates, domain.briefs)
    if not any(choice.weights.values()):
        raise UserError(
            "no template has a number of recommendations with a weight above 0: "
            "change `briefs.weights` or `briefs.templates`"
        )
    kept = _make_tables(con, templates, grow=bool(domain.briefs.grow))
    make_users(con)
    tally = _Tally(Counter(kept.values()))
    users = chain.from_iterable(user_pages(con, USERS_PER_PAGE))
    drafts = _drafts(choice, domain, users, tally, kept, erased)
    while batch := list(islice(drafts, BRIEFS_PER_WRITE)):
        store_briefs(con, domain, batch, first_order=tally.briefs - len(batch))
        store_unplanned(con, tally.pop_unplanned())
    store_unplanned(con, tally.pop_unplanned())
    tally.reasons["max_dialogues"] += store_beyond_plan(con, "max_dialogues")
    drop_users(con)
    return _counts(choice, load_templates(con).values(), tally)


def _make_tables(
    con: duckdb.DuckDBPyConnection, templates: Sequence[Template], *, grow: bool
) -> dict[tuple[str, int], str]:
    """Create this stage's tables with the templates and, to grow, the briefs that stay.

    Returns:
        The template's id of each brief that stays, by user and position.
    """
    if grow:
        keep_briefs(con)
    create_brief_tables(con)
    store_templates(con, templates)
    return restore_briefs(con) if grow else {}


@dataclass(frozen=True)
class _Tally:
    """Counts so far: templates used by id, unplanned items by reason; and those not stored yet."""

    used: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    unplanned: list[Unplanned] = field(default_factory=list)

    @property
    def briefs(self) -> int:
        return self.used.total()

    def add(self, outcome: Draft | Unplanned) -> None:
        if isinstance(outcome, Draft):
            self.used[outcome.template.template_id] += 1
        else:
            self.reasons[outcome.reason] += 1
            self.unplanned.append(outcome)

    def pop_unplanned(self) -> list[Unplanned]:
        """Return the items without a brief since the last call."""
        unplanned = list(self.unplanned)
        self.unplanned.clear()
        return unplanned


def _drafts(
    choice: Choice,
    domain: Domain,
    users: Iterable[tuple[str, Sequence[HistoryItem]]],
    tally: _Tally,
    kept: Collection[tuple[str, int]],
    erased: Tombstones | None,
) -> Iterator[Draft]:
    """Yield users' drafts until there are `max_dialogues`, and add each outcome to the tally.

    Positions that are `kept` have a brief already.
    """
    most = domain.briefs.max_dialogues
    for user_id, preferred in users:
        for outcome in draft_user(choice, domain.seed, user_id, preferred, kept, erased):
            if most is not None and tally.briefs >= most:
                return
            tally.add(outcome)
            if isinstance(outcome, Draft):
                yield outcome


def _counts(choice: Choice, templates: Iterable[Template], tally: _Tally) -> BriefCounts:
    recommendations: Counter[int] = Counter()
    patterns: Counter[Pattern] = Counter()
    utterances = 0
    for template in templates:
        count = tally.used[template.template_id]
        recommendations[template.recommendations] += count
        patterns[pattern(template)] += count
        utterances += len(template.turns) * count
    return BriefCounts(
        might_likes=tally.briefs + tally.reasons.total(),
        briefs=tally.briefs,
        unplanned={reason: count for reason, count in sorted(tally.reasons.items()) if count},
        by_recommendations=dict(sorted(recommendations.items())),
        by_pattern=dict(sorted(patterns.items())),
        mean_utterances=utterances / max(1, tally.briefs),
        expected_utterances=choice.expected_utterances,
        templates_used=sum(count > 0 for count in tally.used.values()),
    )

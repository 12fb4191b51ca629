"""The briefs stage: `preferences` and templates to `briefs`, every slot filled (2.5.1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

import duckdb

from tasks.briefs.choosing import Choice, Pattern, make_choice
from tasks.briefs.drafting import Draft, draft_user
from tasks.briefs.filling import Preferred
from tasks.briefs.reviews import drop_pool, make_pool
from tasks.briefs.storing import create_brief_tables, store_briefs, store_templates
from tasks.briefs.users import drop_users, make_users, user_pages
from tasks.errors import UserError
from tasks.settings import Domain
from tasks.templates import Template, pattern

USERS_PER_PAGE = 300  # few, because a page's rows are looked over again and again by Python's garbage collector
BRIEFS_PER_WRITE = 5_000  # many, because each write searches the reviews


@dataclass(frozen=True)
class BriefCounts:
    """What was planned.

    Attributes:
        might_likes: MIGHT_LIKES items looked at; each is either a brief or unplannable.
        briefs: rows of `briefs`.
        unplannable: MIGHT_LIKES items without a brief, by reason: `untitled`, `target_in_history` (the same work under another id)
            or `no_template_fits` (the user's history has too few items for every template).
        by_recommendations: briefs by number of recommendations.
        by_pattern: briefs by liked and disliked items of the history they use.
        mean_utterances: mean utterances of the briefs, 0 without any.
        expected_utterances: the mean the templates' chances give for users who have enough of everything.
        templates_used: distinct templates of the briefs.
    """

    might_likes: int
    briefs: int
    unplannable: Mapping[str, int]
    by_recommendations: Mapping[int, int]
    by_pattern: Mapping[Pattern, int]
    mean_utterances: float
    expected_utterances: float
    templates_used: int


def plan_briefs(con: duckdb.DuckDBPyConnection, domain: Domain, templates: Sequence[Template]) -> BriefCounts:
    """Plan one dialogue for each MIGHT_LIKES item of each user and fill `briefs`, `brief_items`, `template_turns`, `template_slots`.

    Users come in the order in which their first core review stands in the source, their dialogues in the order of their MIGHT_LIKES.
    Each draw depends on the seed, the user, the position and the user's own preferences alone; see `Choice.draw`, `fill` and
    `make_pool`. Reads `preferences`, `reviews` and `items`.

    Raises:
        UserError: no template has a number of recommendations that the domain gives weight to.
    """
    choice = make_choice(templates, domain.briefs)
    if not any(choice.weights.values()):
        raise UserError("no template has a number of recommendations with a weight above 0: change `briefs.weights` or `briefs.templates`")
    create_brief_tables(con)
    store_templates(con, templates)
    make_users(con)
    make_pool(con, domain.preprocess)
    tally = _Tally()
    users = (user for page in user_pages(con, USERS_PER_PAGE) for user in page)
    drafts = _drafts(choice, domain, users, tally)
    while batch := list(islice(drafts, BRIEFS_PER_WRITE)):
        store_briefs(con, domain, batch, first_order=tally.briefs - len(batch))
    drop_pool(con)
    drop_users(con)
    return _counts(choice, templates, tally)


@dataclass(frozen=True)
class _Tally:
    """What has been planned so far, counted: templates used by id, targets without a brief by reason."""

    used: Counter[str] = field(default_factory=Counter)
    unplannable: Counter[str] = field(default_factory=Counter)

    @property
    def briefs(self) -> int:
        return self.used.total()


def _drafts(choice: Choice, domain: Domain, users: Iterable[tuple[str, Sequence[Preferred]]], tally: _Tally) -> Iterator[Draft]:
    """Yield users' drafts until there are `max_dialogues`, and note each outcome in the tally."""
    most = domain.briefs.max_dialogues
    for outcome in (outcome for user_id, preferred in users for outcome in draft_user(choice, domain.seed, user_id, preferred)):
        if not isinstance(outcome, Draft):
            tally.unplannable[outcome] += 1
            continue
        tally.used[outcome.template.template_id] += 1
        yield outcome
        if tally.briefs == most:
            return


def _counts(choice: Choice, templates: Sequence[Template], tally: _Tally) -> BriefCounts:
    many: Counter[int] = Counter()
    patterns: Counter[Pattern] = Counter()
    utterances = 0
    for template in templates:
        count = tally.used[template.template_id]
        many[template.recommendations] += count
        patterns[pattern(template)] += count
        utterances += len(template.turns) * count
    return BriefCounts(
        might_likes=tally.briefs + tally.unplannable.total(),
        briefs=tally.briefs,
        unplannable=dict(sorted(tally.unplannable.items())),
        by_recommendations=dict(sorted(many.items())),
        by_pattern=dict(sorted(patterns.items())),
        mean_utterances=utterances / max(1, tally.briefs),
        expected_utterances=choice.expected_utterances,
        templates_used=sum(count > 0 for count in tally.used.values()),
    )

"""The briefs stage: `preferences` and templates to `briefs`, every slot filled (2.5.1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

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

USERS_PER_PAGE = 2_000


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
    most = domain.briefs.max_dialogues
    for users in user_pages(con, USERS_PER_PAGE):
        drafts = _draft_page(choice, domain.seed, users, None if most is None else most - tally.briefs, tally)
        store_briefs(con, domain, drafts, first_order=tally.briefs)
        tally.used.update(draft.template.template_id for draft in drafts)
        if tally.briefs == most:
            break
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


def _draft_page(
    choice: Choice, seed: int, users: Iterable[tuple[str, Sequence[Preferred]]], room: int | None, tally: _Tally
) -> list[Draft]:
    """Draft users' dialogues until there is no room for one more; note in the tally what cannot be planned."""
    page: list[Draft] = []
    for outcome in (outcome for user_id, preferred in users for outcome in draft_user(choice, seed, user_id, preferred)):
        if len(page) == room:
            break
        if isinstance(outcome, Draft):
            page.append(outcome)
        else:
            tally.unplannable[outcome] += 1
    return page


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

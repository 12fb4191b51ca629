"""The briefs stage on small warehouses worked out by hand and on a larger made-up one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.briefs import REASONS, load_briefs, plan_briefs
from tasks.errors import UserError
from tasks.templates import Template
from tests.support.examples import examples
from tests.support.preferred_users import (
    MadeUser,
    append_users,
    bulk_warehouse,
    made_domain,
    made_warehouse,
)

ANNA = MadeUser("anna", likes=["i1", "i2", "i3", "i4"], dislikes=["i5"], might_likes=["i6", "i7"])
BERT = MadeUser("bert", likes=["i2", "i6"], might_likes=["i8"])
CARL = MadeUser("carl", likes=["i1", "i6", "i7", "i8"], dislikes=["i2", "i3"])
EVERY_TABLE = ("briefs", "brief_items", "template_turns", "template_slots", "unplanned")


def everything(con: duckdb.DuckDBPyConnection, table: str, where: str = "true") -> list[Any]:
    return con.execute(f"SELECT * FROM {table} WHERE {where} ORDER BY ALL").fetchall()


def test_each_might_likes_item_of_each_user_gets_one_dialogue_in_order(
    templates: tuple[Template, ...],
) -> None:
    con = made_warehouse([BERT, ANNA, CARL])
    counts = plan_briefs(con, made_domain(), templates)
    found = con.execute(
        "SELECT brief_order, user_id, position, target_item_id FROM briefs ORDER BY brief_order"
    ).fetchall()
    assert found == [(0, "bert", 1, "i8"), (1, "anna", 1, "i6"), (2, "anna", 2, "i7")]
    assert (counts.might_likes, counts.briefs, counts.unplanned) == (3, 3, {})
    assert sum(counts.by_recommendations.values()) == sum(counts.by_pattern.values()) == 3
    assert counts.mean_utterances == pytest.approx(
        sum(row[0] for row in con.execute("SELECT turns FROM briefs").fetchall()) / 3
    )
    assert not con.execute(
        "SELECT * FROM briefs b JOIN brief_items i USING (dialogue_id) WHERE i.collection = 'DISLIKES' AND user_id = 'bert'"
    ).fetchall()


def test_the_brief_worked_out_by_hand(templates: tuple[Template, ...]) -> None:
    # dora knows one item and it is disliked, so the only pattern that fits is (0, 1); others wrote
    # one review of each item.
    greet = next(
        t
        for t in templates
        if [s.collection for s in t.slots] == ["DISLIKES", "MIGHT_LIKES"]
        and t.slots[1].other_review
    )
    con = made_warehouse(
        [
            MadeUser("dora", dislikes=["i1"], might_likes=["i2"]),
            MadeUser("emil", likes=["i1", "i2"]),
        ]
    )
    counts = plan_briefs(con, made_domain(), [greet])
    (brief,) = load_briefs(con, made_domain())
    assert counts.by_pattern == {(0, 1): 1}
    assert brief.template == greet
    assert [
        (entry.slot, entry.item_id, entry.title, entry.collection, entry.rating)
        for entry in brief.items
    ] == [
        (1, "i1", "Title of i1", "DISLIKES", 1.0),
        (2, "i2", "Title of i2", "MIGHT_LIKES", 4.0),
    ]
    assert brief.items[0].user_review == "dora on i1"
    assert brief.items[0].other_review == ("emil on i1" if greet.slots[0].other_review else None)
    assert brief.items[1].user_review is None
    assert brief.items[1].other_review == "emil on i2"
    assert (brief.user_id, brief.position, brief.target_item_id, brief.noun, brief.verb) == (
        "dora",
        1,
        "i2",
        "movie",
        "watched",
    )


def test_what_cannot_be_planned_is_counted_by_reason(templates: tuple[Template, ...]) -> None:
    users = [
        MadeUser("anna", likes=["i1"], might_likes=["i2", "i3", "i4"]),
        MadeUser("bert", might_likes=["i5"]),
    ]
    con = made_warehouse(users, titles={"i3": "", "i4": "title OF i1"})
    counts = plan_briefs(con, made_domain(), templates)
    assert counts.unplanned == {"no_history": 1, "target_in_history": 1, "untitled": 1}
    assert everything(con, "unplanned") == [
        ("anna", "i3", "untitled"),
        ("anna", "i4", "target_in_history"),
        ("bert", "i5", "no_history"),
    ]
    assert (counts.might_likes, counts.briefs) == (4, 1)
    assert con.execute("SELECT position, target_item_id FROM briefs").fetchall() == [(1, "i2")]


def test_a_history_too_short_for_the_templates_given_is_a_reason(
    templates: tuple[Template, ...],
) -> None:
    long = [template for template in templates if template.recommendations == 3]
    con = made_warehouse([MadeUser("anna", likes=["i1", "i2"], might_likes=["i3"])])
    counts = plan_briefs(con, made_domain(), long)
    assert (counts.briefs, everything(con, "unplanned")) == (
        0,
        [("anna", "i3", "no_template_fits")],
    )


def test_what_lies_beyond_max_dialogues_is_counted_too(templates: tuple[Template, ...]) -> None:
    con = made_warehouse([BERT, ANNA, MadeUser("dora", might_likes=["i1"])])
    counts = plan_briefs(con, made_domain(max_dialogues=2), templates)
    assert (counts.might_likes, counts.briefs, counts.unplanned) == (4, 2, {"max_dialogues": 2})
    assert everything(con, "unplanned") == [
        ("anna", "i7", "max_dialogues"),
        ("dora", "i1", "max_dialogues"),
    ]


def test_a_reviewer_less_item_has_no_other_review(templates: tuple[Template, ...]) -> None:
    told = next(
        t
        for t in templates
        if [s.collection for s in t.slots] == ["LIKES", "MIGHT_LIKES"] and t.slots[1].other_review
    )
    con = made_warehouse([MadeUser("anna", likes=["i1"], might_likes=["i2"])])
    plan_briefs(con, made_domain(), [told])
    (brief,) = load_briefs(con, made_domain())
    assert brief.items[1].other_review is None and brief.template.slots[1].other_review


def test_recommended_items_are_spoken_of_by_those_who_like_them(
    templates: tuple[Template, ...],
) -> None:
    told = next(
        t
        for t in templates
        if [s.collection for s in t.slots] == ["LIKES", "MIGHT_LIKES"] and t.slots[1].other_review
    )
    haters = [MadeUser(f"hater {n}", dislikes=["i2"]) for n in range(5)]
    con = made_warehouse(
        [*haters, MadeUser("fan", likes=["i2"]), MadeUser("anna", likes=["i1"], might_likes=["i2"])]
    )
    plan_briefs(con, made_domain(), [told])
    assert next(load_briefs(con, made_domain())).items[1].other_review == "fan on i2"
    con = made_warehouse([*haters, MadeUser("anna", likes=["i1"], might_likes=["i2"])])
    plan_briefs(con, made_domain(), [told])
    assert str(next(load_briefs(con, made_domain())).items[1].other_review).startswith("hater")


def test_others_reviews_are_others_and_of_the_item(
    bulk: duckdb.DuckDBPyConnection, templates: tuple[Template, ...]
) -> None:
    plan_briefs(bulk, made_domain(), templates)
    own = "SELECT count(*) FROM brief_items i JOIN briefs b USING (dialogue_id) JOIN reviews r ON r.review_id = i.other_review_id WHERE "
    assert bulk.execute(f"{own} r.user_id = b.user_id").fetchall() == [(0,)]
    assert bulk.execute(f"{own} r.item_id <> i.item_id").fetchall() == [(0,)]
    missing = bulk.execute(
        "SELECT count(*) FILTER (s.other_review <> (i.other_review_id IS NOT NULL)), "
        "count(*) FILTER (s.user_review <> (i.user_review_id IS NOT NULL)) "
        "FROM brief_items i JOIN briefs b USING (dialogue_id) JOIN template_slots s ON s.template_id = b.template_id AND s.slot = i.slot "
        "WHERE i.item_id IN (SELECT item_id FROM reviews GROUP BY item_id HAVING count(*) > 1)"
    ).fetchall()
    assert missing == [(0, 0)]


def test_the_shares_are_near_the_published_ones(
    bulk: duckdb.DuckDBPyConnection, templates: tuple[Template, ...]
) -> None:
    counts = plan_briefs(bulk, made_domain(), templates)
    assert counts.briefs == counts.might_likes > 2_000
    assert [counts.by_recommendations[many] / counts.briefs for many in (1, 2, 3)] == pytest.approx(
        [0.27, 0.31, 0.42], abs=0.03
    )
    assert counts.mean_utterances == pytest.approx(10.13, abs=0.15)
    assert counts.templates_used == 168
    assert bulk.execute(
        "SELECT count(DISTINCT dialogue_id), min(length(dialogue_id)), max(brief_order) + 1 FROM briefs"
    ).fetchall() == [(counts.briefs, 16, counts.briefs)]


def test_the_same_seed_plans_the_same_and_another_another(
    bulk: duckdb.DuckDBPyConnection, templates: tuple[Template, ...]
) -> None:
    plan_briefs(bulk, made_domain(), templates)
    first = {table: everything(bulk, table) for table in EVERY_TABLE}
    plan_briefs(bulk, made_domain(), templates[::-1])
    assert {table: everything(bulk, table) for table in EVERY_TABLE} == first
    plan_briefs(bulk, made_domain().model_copy(update={"seed": 5}), templates)
    assert everything(bulk, "briefs") != first["briefs"]


def test_fewer_dialogues_are_the_first_of_all(
    bulk: duckdb.DuckDBPyConnection, templates: tuple[Template, ...]
) -> None:
    plan_briefs(bulk, made_domain(), templates)
    whole = bulk.execute("SELECT * FROM briefs ORDER BY brief_order LIMIT 123").fetchall()
    counts = plan_briefs(bulk, made_domain(max_dialogues=123), templates)
    assert counts.briefs == 123
    assert bulk.execute("SELECT * FROM briefs ORDER BY brief_order").fetchall() == whole


made_users = st.lists(
    st.tuples(
        st.sets(st.integers(0, 11), max_size=6),
        st.sets(st.integers(0, 11), max_size=3),
        st.sets(st.integers(0, 11), max_size=2),
    ),
    min_size=2,
    max_size=6,
)


def named(numbers: set[int]) -> list[str]:
    return [f"i{number}" for number in sorted(numbers)]


def others_drawn(con: duckdb.DuckDBPyConnection) -> dict[tuple[Any, ...], str | None]:
    """Return the review by others of each slot that has one, by user, position and slot."""
    rows = con.execute(
        "SELECT user_id, position, slot, template_id, item_id, other_review_id "
        "FROM briefs JOIN brief_items USING (dialogue_id) WHERE other_review_id IS NOT NULL"
    ).fetchall()
    return {row[:-1]: row[-1] for row in rows}


@settings(max_examples=15, deadline=None)
@given(drawn=made_users)
def test_a_user_more_changes_only_the_briefs_that_draw_their_reviews(
    templates: tuple[Template, ...], drawn: list[tuple[set[int], set[int], set[int]]]
) -> None:
    users = [
        MadeUser(f"u{n}", named(liked), named(disliked - liked), named(might - liked - disliked))
        for n, (liked, disliked, might) in enumerate(drawn)
    ]
    # Every item has a like by others from the start.
    base = [MadeUser(f"critic {n}", [f"i{i}" for i in range(12)]) for n in range(2)]
    con = made_warehouse([*base, *users[:-1]])
    plan_briefs(con, made_domain(), templates)
    before = others_drawn(con)
    append_users(con, users[-1:])
    plan_briefs(con, made_domain(), templates)
    after = others_drawn(con)
    changed = {key for key in before if before[key] != after[key]}
    assert all(str(after[key]).startswith(f"{users[-1].user_id}/") for key in changed)
    # And back again: only what drew them changes.
    con.execute("DELETE FROM reviews WHERE user_id = ?", [users[-1].user_id])
    con.execute("DELETE FROM preferences WHERE user_id = ?", [users[-1].user_id])
    plan_briefs(con, made_domain(), templates)
    assert others_drawn(con) == before


_EXPECTED = """
WITH writers AS (SELECT item_id, count(*) - 1 AS others FROM reviews GROUP BY item_id),
theirs AS (SELECT DISTINCT item_id FROM reviews WHERE user_id = $user),
slots AS (
    SELECT item_id
    FROM brief_items
    JOIN briefs USING (dialogue_id)
    SEMI JOIN theirs USING (item_id)
    WHERE other_review_id IS NOT NULL AND user_id <> $user
)
SELECT sum(1 / others) FROM slots JOIN writers USING (item_id)
"""


def test_a_user_less_changes_at_most_twice_the_expected_share(
    templates: tuple[Template, ...],
) -> None:
    con = duckdb.connect(":memory:")
    bulk_warehouse(con, users=700, items=600)
    plan_briefs(con, made_domain(), templates)
    before = others_drawn(con)
    ((most,),) = con.execute(
        "SELECT user_id FROM reviews GROUP BY user_id ORDER BY count(*) DESC, user_id LIMIT 1"
    ).fetchall()
    expected = con.execute(_EXPECTED, {"user": most}).fetchall()[0][0]
    theirs = {
        row[0]
        for row in con.execute("SELECT review_id FROM reviews WHERE user_id = ?", [most]).fetchall()
    }
    for table in ("reviews", "preferences"):
        con.execute(f"DELETE FROM {table} WHERE user_id = ?", [most])
    plan_briefs(con, made_domain(), templates)
    after = others_drawn(con)
    kept = [key for key in before if key[0] != most]
    changed = [key for key in kept if before[key] != after.get(key)]
    assert all(before[key] in theirs for key in changed)
    assert 0 < len(changed) <= 2 * expected < len(kept) / 20
    con.close()


def test_the_docs_name_every_reason() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "explanation" / "briefs.md").read_text(
        encoding="utf-8"
    )
    assert dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", page, re.MULTILINE)) == REASONS


@settings(max_examples=examples(25), deadline=None)
@given(drawn=made_users, untitled=st.sets(st.integers(0, 11)), most=st.none() | st.integers(1, 5))
def test_every_might_likes_item_has_one_brief_or_one_reason(
    templates: tuple[Template, ...],
    drawn: list[tuple[set[int], set[int], set[int]]],
    untitled: set[int],
    most: int | None,
) -> None:
    users = [
        MadeUser(f"u{n}", named(liked), named(disliked - liked), named(might - liked - disliked))
        for n, (liked, disliked, might) in enumerate(drawn)
    ]
    con = made_warehouse(
        users, titles={name: "" for name in named(untitled)} | {"i0": "Same", "i1": "same"}
    )
    counts = plan_briefs(con, made_domain(max_dialogues=most), templates)
    wanted = con.execute(
        "SELECT user_id, item_id FROM preferences WHERE collection = 'MIGHT_LIKES' ORDER BY ALL"
    ).fetchall()
    accounted = con.execute(
        "SELECT user_id, target_item_id FROM briefs UNION ALL SELECT user_id, item_id FROM unplanned ORDER BY ALL"
    ).fetchall()
    assert accounted == wanted  # each once
    reasons = dict(con.execute("SELECT reason, count(*) FROM unplanned GROUP BY reason").fetchall())
    assert reasons == counts.unplanned and set(reasons) <= set(REASONS)
    assert counts.might_likes == counts.briefs + sum(reasons.values()) == len(wanted)


def test_another_review_text_or_word_is_another_dialogue(templates: tuple[Template, ...]) -> None:
    con = made_warehouse([ANNA, BERT, CARL])
    plan_briefs(con, made_domain(), templates)
    first = {brief.dialogue_id for brief in load_briefs(con, made_domain())}
    plan_briefs(con, made_domain().model_copy(update={"noun": "book"}), templates)
    assert not first & {brief.dialogue_id for brief in load_briefs(con, made_domain())}
    con.execute("UPDATE reviews SET text = text || '!'")
    plan_briefs(con, made_domain(), templates)
    assert not first & {brief.dialogue_id for brief in load_briefs(con, made_domain())}


def test_ids_from_outside_are_data(templates: tuple[Template, ...]) -> None:
    odd = "x'; DROP TABLE briefs; --"
    con = made_warehouse(
        [MadeUser(odd, likes=["<i>", '"q"'], might_likes=["{{item:1}}"])],
        titles={"<i>": "{{item:2}} $text"},
    )
    counts = plan_briefs(con, made_domain(), templates)
    (brief,) = load_briefs(con, made_domain())
    assert counts.briefs == 1 and brief.user_id == odd and brief.target_item_id == "{{item:1}}"


def test_templates_without_weight_are_one_clear_line(templates: tuple[Template, ...]) -> None:
    con = made_warehouse([ANNA])
    only_one = [template for template in templates if template.recommendations == 1]
    with pytest.raises(UserError, match="no template has a number of recommendations"):
        plan_briefs(con, made_domain(weights={1: 0, 2: 1, 3: 1}), only_one)


def test_nobody_to_plan_for_is_an_empty_plan(templates: tuple[Template, ...]) -> None:
    con = made_warehouse([CARL])
    counts = plan_briefs(con, made_domain(), templates)
    assert (counts.briefs, counts.mean_utterances) == (0, 0)
    assert list(load_briefs(con, made_domain())) == []

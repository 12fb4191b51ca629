"""What goes into the slots."""

from __future__ import annotations

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tasks.briefs.slot_filling import Draft, HistoryItem, Unplanned, draft_user, fill, user_history
from tasks.briefs.template_choice import make_choice
from tasks.settings import Briefs
from tasks.templates import Collection, Template


def item(
    item_id: str, collection: Collection, title: str | None = None, work_id: str | None = None
) -> HistoryItem:
    return HistoryItem(
        item_id,
        collection,
        title or f"Title {item_id}",
        work_id or item_id,
        5.0,
        f"review of {item_id}",
    )


def untitled(item_id: str, collection: Collection) -> HistoryItem:
    return item(item_id, collection)._replace(title=None)


def of(templates: tuple[Template, ...], *collections: Collection) -> Template:
    return next(
        template
        for template in templates
        if tuple(slot.collection for slot in template.slots) == collections
    )


def test_items_of_one_title_or_one_work_are_one_work() -> None:
    history = user_history(
        [
            item("a", "LIKES", "The Mummy"),
            item("b", "LIKES", "THE  mummy"),
            item("c", "LIKES", "Mumie", "w"),
            item("d", "LIKES", "x", "w"),
        ]
    )
    assert history.works["a"] == history.works["b"] != history.works["c"] == history.works["d"]
    assert history.works_of("LIKES") == 2


def test_works_are_tied_through_others() -> None:
    history = user_history(
        [
            item("a", "LIKES", "One", "w1"),
            item("b", "LIKES", "Two", "w2"),
            item("c", "LIKES", "one", "w2"),
        ]
    )
    assert len(set(history.works.values())) == 1


def test_what_is_both_liked_and_disliked_is_left_out_and_still_known() -> None:
    history = user_history(
        [item("a", "LIKES", "Same"), item("b", "DISLIKES", "SAME"), item("c", "LIKES")]
    )
    assert (history.works_of("LIKES"), history.works_of("DISLIKES")) == (1, 0)
    assert history.works["a"] in history.known


def test_untitled_items_are_no_candidates() -> None:
    history = user_history([untitled("a", "LIKES"), item("b", "LIKES")])
    assert history.works_of("LIKES") == 1
    assert [entry.item_id for entry, _ in history.history["LIKES"]] == ["b"]


def test_the_hand_checked_fill(templates: tuple[Template, ...]) -> None:
    # One liked and one disliked item: there is only one way to fill the slots, whatever the seed.
    preferred = [item("good", "LIKES"), item("bad", "DISLIKES"), item("target", "MIGHT_LIKES")]
    history = user_history(preferred)
    filled = fill(
        history, of(templates, "DISLIKES", "LIKES", "MIGHT_LIKES"), preferred[2], 1, "user", 1
    )
    assert [entry.item_id for entry in filled] == ["bad", "good", "target"]
    filled = fill(
        history, of(templates, "LIKES", "DISLIKES", "MIGHT_LIKES"), preferred[2], 1, "user", 1
    )
    assert [entry.item_id for entry in filled] == ["good", "bad", "target"]


def test_reasons_why_there_is_no_dialogue(templates: tuple[Template, ...]) -> None:
    choice = make_choice(templates, Briefs())
    nothing = list(draft_user(choice, 1, "user", [item("t", "MIGHT_LIKES")]))
    assert nothing == [Unplanned("user", "t", "no_history")]
    known = [
        item("a", "LIKES", "The Mummy"),
        item("b", "MIGHT_LIKES", "the mummy"),
        untitled("c", "MIGHT_LIKES"),
        item("d", "MIGHT_LIKES"),
    ]
    first, second, third = draft_user(choice, 1, "user", known)
    assert (first, second) == (
        Unplanned("user", "b", "target_in_history"),
        Unplanned("user", "c", "untitled"),
    )
    assert (
        isinstance(third, Draft)
        and third.position == 3
        and [entry.item_id for entry in third.items] == ["a", "d"]
    )


preferences = st.lists(
    st.builds(
        item,
        st.integers(0, 40).map(str),
        st.sampled_from(["LIKES", "DISLIKES", "MIGHT_LIKES"]),
        st.sampled_from([None, "Same", "same ", "Other", "Straße", "STRASSE"]),
        st.sampled_from([None, "w1", "w2"]),
    ),
    max_size=25,
    unique_by=lambda entry: entry.item_id,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(preferred=preferences, seed=st.integers(0, 2**40), user_id=st.text(max_size=5))
def test_no_dialogue_has_a_work_twice_and_every_slot_its_collection(
    templates: tuple[Template, ...], preferred: list[HistoryItem], seed: int, user_id: str
) -> None:
    assume(any(entry.collection == "MIGHT_LIKES" for entry in preferred))
    outcomes = list(draft_user(make_choice(templates, Briefs()), seed, user_id, preferred))
    assert len(outcomes) == sum(entry.collection == "MIGHT_LIKES" for entry in preferred)
    history = [entry for entry in preferred if entry.collection != "MIGHT_LIKES"]
    for draft in (outcome for outcome in outcomes if isinstance(outcome, Draft)):
        assert [entry.collection for entry in draft.items] == [
            slot.collection for slot in draft.template.slots
        ]
        assert len({entry.item_id for entry in draft.items}) == len(draft.items)
        assert len({entry.work_id for entry in draft.items}) == len(draft.items)
        assert len(
            {" ".join((entry.title or "").casefold().split()) for entry in draft.items}
        ) == len(draft.items)
        assert draft.target not in history and draft.items[-1] == draft.target
        assert draft.target.work_id not in {entry.work_id for entry in history}
    for outcome, target in zip(
        outcomes, (entry for entry in preferred if entry.collection == "MIGHT_LIKES"), strict=True
    ):
        usable = user_history(preferred).works_of("LIKES") + user_history(preferred).works_of(
            "DISLIKES"
        )
        if isinstance(outcome, Unplanned):
            assert outcome.item_id == target.item_id
            assert outcome.reason in ("no_history", "untitled", "target_in_history")
            assert (outcome.reason == "untitled") == (target.title is None)
            assert outcome.reason != "no_history" or usable == 0
        else:
            assert outcome.target == target

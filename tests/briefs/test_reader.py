"""Briefs read back."""

from __future__ import annotations

import duckdb
import pytest

from tasks.briefs import ReadAhead, load_briefs, plan_briefs, reader
from tasks.errors import UserError
from tasks.templates import Template
from tests.support.preferred_users import made_domain


@pytest.fixture(scope="module")
def planned(
    bulk: duckdb.DuckDBPyConnection, templates: tuple[Template, ...]
) -> duckdb.DuckDBPyConnection:
    plan_briefs(bulk, made_domain(), templates)
    return bulk


def test_all_come_whole_and_in_order(
    planned: duckdb.DuckDBPyConnection, templates: tuple[Template, ...]
) -> None:
    known = {template.template_id: template for template in templates}
    briefs = list(load_briefs(planned, made_domain()))
    ordered = planned.execute(
        "SELECT dialogue_id, template_id FROM briefs ORDER BY brief_order"
    ).fetchall()
    assert [(brief.dialogue_id, brief.template.template_id) for brief in briefs] == ordered
    for brief in briefs:
        assert brief.template == known[brief.template.template_id]
        assert [item.slot for item in brief.items] == [slot.number for slot in brief.template.slots]
        assert [item.collection for item in brief.items] == [
            slot.collection for slot in brief.template.slots
        ]
        assert [item.user_review is not None for item in brief.items] == [
            slot.user_review for slot in brief.template.slots
        ]
        assert brief.items[-1].item_id == brief.target_item_id


def test_pages_make_no_difference(
    planned: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = list(load_briefs(planned, made_domain(), range(100)))
    monkeypatch.setattr(reader, "BRIEFS_PER_PAGE", 7)
    assert list(load_briefs(planned, made_domain(), range(100))) == whole
    ids = [brief.dialogue_id for brief in whole]
    assert list(load_briefs(planned, made_domain(), ids)) == whole


def test_a_range_and_ids_choose(planned: duckdb.DuckDBPyConnection) -> None:
    whole = list(load_briefs(planned, made_domain()))
    assert list(load_briefs(planned, made_domain(), range(10, 15))) == whole[10:15]
    assert (
        list(load_briefs(planned, made_domain(), range(len(whole) - 2, len(whole) + 50)))
        == whole[-2:]
    )
    assert list(load_briefs(planned, made_domain(), range(0))) == []
    assert list(load_briefs(planned, made_domain(), [])) == []
    backwards = [brief.dialogue_id for brief in reversed(whole[:20])]
    assert [
        brief.dialogue_id for brief in load_briefs(planned, made_domain(), backwards)
    ] == backwards


def test_the_connection_is_free_between_two_briefs(planned: duckdb.DuckDBPyConnection) -> None:
    seen = 0
    for brief in load_briefs(planned, made_domain(), range(50)):
        seen += planned.execute(
            "SELECT count(*) FROM briefs WHERE dialogue_id = ?", [brief.dialogue_id]
        ).fetchall()[0][0]
    assert seen == 50


def test_an_unknown_id_is_one_clear_line(planned: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(UserError, match="there is no brief 'nothing'"):
        list(load_briefs(planned, made_domain(), ["nothing"]))


def test_reading_ahead_gives_the_same_briefs_in_any_order(
    planned: duckdb.DuckDBPyConnection,
) -> None:
    whole = {brief.dialogue_id: brief for brief in load_briefs(planned, made_domain())}
    ids = list(whole)
    reader = ReadAhead(planned, made_domain(), page=50)
    for asked in (
        ids[:20],
        ids[20:40],
        ids[40:70],
        ids[65:60:-1],
        [ids[500], ids[3], ids[501]],
        ids[-3:],
        [],
    ):
        assert reader.fetch(asked) == [whole[dialogue_id] for dialogue_id in asked]


def test_reading_ahead_searches_once_for_a_page(planned: duckdb.DuckDBPyConnection) -> None:
    ids = [
        row[0]
        for row in planned.execute(
            "SELECT dialogue_id FROM briefs ORDER BY brief_order LIMIT 60"
        ).fetchall()
    ]
    reader = ReadAhead(planned, made_domain(), page=50)
    reader.fetch(ids[:10])
    # What is read from now on would be noticed.
    planned.execute("ALTER TABLE briefs RENAME TO briefs_hidden")
    try:
        assert [brief.dialogue_id for brief in reader.fetch(ids[10:50])] == ids[10:50]
        with pytest.raises(duckdb.CatalogException):
            reader.fetch(ids[50:60])
    finally:
        planned.execute("ALTER TABLE briefs_hidden RENAME TO briefs")


def test_reading_ahead_of_an_unknown_id_is_one_clear_line(
    planned: duckdb.DuckDBPyConnection,
) -> None:
    with pytest.raises(UserError, match="there is no brief 'nothing'"):
        ReadAhead(planned, made_domain()).fetch(["nothing"])

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest

from tasks.calibration import (
    ALL_RULES,
    RELEASED,
    Agreement,
    Reading,
    left_by_judges,
    left_text,
    store_calibration,
)
from tasks.goals import load_goals
from tasks.intervals import PairedCounts
from tasks.reports import gather, render_report, write_pages
from tasks.reports.bias import rating_bias, rating_step
from tasks.reports.builds import last_build
from tasks.reports.popularity import popularity
from tasks.reports.samples import samples
from tasks.settings import Home
from tasks.warehouse import create_tables
from tests.support.chromium import CHROMIUM, opened
from tests.support.report_warehouse import HOSTILE, domain, fill

MOST_BYTES = 5_000_000


@pytest.fixture
def con() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def reviewed(con: duckdb.DuckDBPyConnection, rows: list[tuple[str, str, float]]) -> None:
    create_tables(con)
    for number, (user, item, rating) in enumerate(rows):
        con.execute(
            "INSERT INTO reviews VALUES (?, ?, ?, ?, 'words', 1, ?, ?, true)",
            [f"r{number}", user, item, rating, number, number],
        )


def test_the_funnel_adds_up_and_every_rule_has_its_sentence(
    con: duckdb.DuckDBPyConnection, home: Home
) -> None:
    fill(con, 120)
    found = gather(con, home, "made")
    stages = {row["stage"]: row["rows"] for row in found.funnel.stages}
    # of each 20 dialogues one is rejected, one failed, 18 are accepted
    assert (stages["briefs"], stages["briefs answered"], stages["accepted dialogues"]) == (
        120,
        114,
        108,
    )
    assert stages["source lines"] == 60 * 12 + 3
    assert found.funnel.set_aside == [{"source": "reviews", "kind": "broken_line", "lines": 3}]
    assert [row["briefs"] for row in found.funnel.verdicts] == [108, 6, 6, 0]
    assert found.funnel.attempts == [
        {"attempt": 1, "asked": 120, "accepted": 108, "rejected": 6, "failed": 6, "unjudged": 0}
    ]
    rules = {row["rule"]: row for row in found.rules}
    assert rules["readable"]["dialogues"] == 6
    assert rules["readable"]["percent"] == pytest.approx(100 * 6 / 114)
    assert rules["completely-generated"]["dialogues"] == 2
    assert rules["completely-generated"]["says"] == "The dialogue was generated to its end."
    assert rules["slots-filled"]["dialogues"] == 0
    assert all(row["says"] for row in rules.values())


def test_the_cost_is_told_per_call_and_per_accepted_dialogue(
    con: duckdb.DuckDBPyConnection, home: Home
) -> None:
    fill(con, 40)
    con.execute(
        "UPDATE responses SET cost_usd = NULL WHERE dialogue_id IN (SELECT dialogue_id FROM "
        "briefs WHERE brief_order IN (2, 3))"
    )
    spent = gather(con, home, "made").spending
    assert spent.totals["answers"] == 38
    assert spent.totals["unpriced"] == 2
    assert spent.totals["dollars"] == pytest.approx(36 * 0.0005)
    assert spent.totals["dollars per call"] == pytest.approx(0.0005)
    assert spent.totals["dollars per accepted dialogue"] == pytest.approx(36 * 0.0005 / 36)
    assert spent.totals["dollars per accepted, discard-only"] == pytest.approx(36 * 0.0005 / 36)
    assert spent.totals["tokens per accepted dialogue"] == pytest.approx(38 * 1300 / 36)
    assert spent.models[0]["model"] == "openai/gpt-4o-mini"
    assert spent.models[0]["prompt_tokens"] == 38_000


def test_repair_stands_beside_throwing_away(con: duckdb.DuckDBPyConnection, home: Home) -> None:
    # 18 accepted at the first attempt, dialogue 0 rejected, dialogue 1 failed without an answer.
    fill(con, 20)
    con.execute("""
        INSERT INTO transcripts
        SELECT * REPLACE (2 AS attempt, ['second'] AS request_keys) FROM transcripts
        WHERE dialogue_id = (SELECT dialogue_id FROM briefs WHERE brief_order = 0)
    """)
    con.execute(
        "INSERT INTO responses SELECT * REPLACE ('second' AS request_key, 400 AS prompt_tokens, "
        "0.0001 AS cost_usd) FROM responses LIMIT 1"
    )
    con.execute("UPDATE verdicts SET verdict = 'accepted', attempt = 2 WHERE verdict = 'rejected'")
    spent = gather(con, home, "made").spending.totals
    assert spent["dollars per accepted dialogue"] == pytest.approx((19 * 0.0005 + 0.0001) / 19)
    assert spent["dollars per accepted, discard-only"] == pytest.approx(19 * 0.0005 / 18)
    assert spent["tokens per accepted dialogue"] == pytest.approx((19 * 1300 + 700) / 19)
    assert spent["tokens per accepted, discard-only"] == pytest.approx(19 * 1300 / 18)


def test_goals_and_templates_by_hand(con: duckdb.DuckDBPyConnection, home: Home) -> None:
    fill(con, 1)  # not number 1 of 20, but number 0: rejected
    con.execute("UPDATE verdicts SET verdict = 'accepted'")
    template = con.execute("SELECT template_id FROM briefs").fetchall()[0][0]
    turns = con.execute(
        "SELECT turn, goals FROM template_turns WHERE template_id = ? ORDER BY turn", [template]
    ).fetchall()
    found = gather(con, home, "made")
    assert found.goal_use.turns == [turn for turn, _ in turns]
    assert found.goal_use.distinct == 1
    assert found.goal_use.coverage == [100.0]
    assert sum(row["times"] for row in found.goal_use.sub_goals) == sum(
        len(goals) for _, goals in turns
    )
    assert len(found.goal_use.sub_goals) == 30
    assert all(
        sum(column) == pytest.approx(100)
        for column in zip(*found.goal_use.grid.values(), strict=True)
    )
    assert sum(row["templates"] for row in found.templates.by_recommendations) == 168
    assert sum(row["accepted"] for row in found.templates.by_recommendations) == 1
    assert found.templates.uses[:2] == [1, 0]


def test_both_ways_to_judge_a_rating_by_hand(con: duckdb.DuckDBPyConnection) -> None:
    # means: ann 4.5, bob 2.5, all 3.5; per user ann's become 4, 3 and bob's 4, 3
    reviewed(con, [("ann", "a", 5.0), ("ann", "b", 4.0), ("bob", "a", 3.0), ("bob", "b", 2.0)])
    found = rating_bias(con, domain(bias={"normalise_ratings": "user_mean"}))
    given, judged = found.shift
    assert (given["judged"], given["likes"], given["neither"], given["dislikes"]) == (
        "as given",
        50,
        25,
        25,
    )
    assert (judged["judged"], judged["likes"], judged["neither"], judged["dislikes"]) == (
        "per user",
        50,
        50,
        0,
    )
    assert (given["with_dislikes"], judged["with_likes"], judged["with_dislikes"]) == (1, 2, 0)
    assert found.in_force == "per user"
    assert rating_bias(con, domain()).in_force == "as given"
    assert found.user_means["spread"] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("scale", "step"),
    [
        ((1, 5), 0.5),
        ((0.5, 5), 0.5),
        ((1, 10), 1),
        ((0, 10), 1),
        ((0, 1), 0.1),
        ((-1, 1), 0.2),
        ((0, 100), 10),
        ((1, 7), 1),
    ],
)
def test_half_stars_thumbs_and_percentages_have_bars_of_their_own(
    scale: tuple[float, float], step: float
) -> None:
    assert rating_step(*scale) == pytest.approx(step)


def test_popularity_by_hand(con: duckdb.DuckDBPyConnection) -> None:
    reviewed(con, [*(("ann", item, 5.0) for item in "abcd"), ("bob", "a", 1.0)])
    con.execute(
        "INSERT INTO items SELECT x, x, x, x FROM (SELECT unnest(['a', 'b', 'c', 'd']) AS x)"
    )
    con.execute(
        "INSERT INTO preferences SELECT 'u' || i, 'a', 'LIKES', 1, 5, 1, 'r' FROM range(3) t(i)"
    )
    con.execute(
        "INSERT INTO preferences VALUES ('u', 'b', 'DISLIKES', 1, 1, 1, 'r'), ('u', 'c', "
        "'MIGHT_LIKES', 1, 5, 1, 'r')"
    )
    for number, item in enumerate("abcd"):
        con.execute(
            "INSERT INTO briefs VALUES (?, 'u', 1, ?, 't', 1, 6, ?)", [f"d{number}", item, number]
        )
        con.execute("INSERT INTO verdicts VALUES (?, 'accepted', 1)", [f"d{number}"])
    con.execute(
        "INSERT INTO brief_items SELECT 'd' || i, 1, 'a', 'a', 'MIGHT_LIKES', NULL, NULL FROM "
        "range(4) t(i)"
    )
    con.execute(
        "INSERT INTO brief_items VALUES ('d0', 2, 'b', 'b', 'DISLIKES', NULL, NULL), ('other', "
        "1, 'b', 'b', 'LIKES', NULL, NULL)"
    )
    found = popularity(con, domain())
    # 3, 1, 0, 0: sorted up 0 0 1 3, 2 * (3*1 + 4*3) / (4*4) - 5/4 = 0.625; the recommended are even
    assert found.gini == {
        "what users did": pytest.approx(0.625),
        "what is recommended": pytest.approx(0.0),
    }
    assert found.curves["what users did"][25] == pytest.approx(75)
    assert found.curves["what is recommended"][25] == pytest.approx(25)
    assert [row["recommended"] for row in found.top] == [1, 1, 1, 1]
    assert found.sides[0]["times"] == 4
    # of a's two reviews one is positive; users dealt with a three times of four, dialogues
    # recommend it once of four
    did, recommended = found.sides
    assert (did["positive"], did["negative"]) == (pytest.approx(62.5), pytest.approx(37.5))
    assert (recommended["positive"], recommended["negative"]) == (
        pytest.approx(87.5),
        pytest.approx(12.5),
    )
    polarity = [
        (row["times"], row["likes"], row["dislikes"], row["might_likes"])
        for row in found.collections
    ]
    assert polarity == [(5, 60, 20, 20), (5, 0, 20, 80)]


def test_titles_with_markup_and_shared_titles_are_told(
    con: duckdb.DuckDBPyConnection, home: Home
) -> None:
    fill(con, 20)
    con.execute(
        "UPDATE items SET title = 'Twice', title_original = 'Twice <i>[VHS]</i>' WHERE item_id "
        "IN ('I0', 'I1')"
    )
    con.execute("UPDATE items SET title_original = title WHERE item_id = 'I2'")
    found = gather(con, home, "made").catalogue
    assert (
        found.counts["items"],
        found.counts["entities"],
        found.counts["tags"],
        found.counts["changed"],
    ) == (20, 17, 2, 19)
    assert found.doubles == {"titles": 1, "items": 2}
    assert found.doubled[0]["item_ids"] == [
        "I0",
        "I1",
    ]


def test_the_settings_are_those_of_the_build_not_of_the_file(
    con: duckdb.DuckDBPyConnection, home: Home
) -> None:
    fill(con, 20, chosen=domain("demo", like_min=4.5))
    build = last_build(con, home, "demo")
    assert build.domain.preprocess.like_min == 4.5
    assert build.domain.title == "Made up"
    assert build.run_id == "run-1"
    # Written by a version this one cannot read.
    con.execute("UPDATE runs SET config = '{\"name\": 3}'")
    assert last_build(con, home, "demo").domain.title == "Demo movies"


def test_a_warehouse_with_nothing_in_it_has_a_report(
    con: duckdb.DuckDBPyConnection, home: Home
) -> None:
    create_tables(con)
    page = render_report(gather(con, home, "demo"))
    assert "Demo movies" in page
    assert "None yet." in page
    assert "nan" not in page


def test_the_same_warehouse_gives_the_same_bytes(
    hostile: duckdb.DuckDBPyConnection, hostile_page: Path, home: Home
) -> None:
    pages = write_pages(hostile, home, "made")
    assert (
        pages.latest["report"].read_bytes()
        == pages.run["report"].read_bytes()
        == hostile_page.read_bytes()
    )
    names = sorted(
        path.relative_to(home.data).as_posix() for path in home.data.rglob("*") if path.is_file()
    )
    assert names == [
        "docs/made/index.html",
        "docs/made/run-run-1.html",
        "reports/made/index.html",
        "reports/made/run-run-1.html",
        "reports/made/run-run-1.json",
        "reports/made/runs.html",
    ]


def test_nothing_hostile_gets_through(hostile_page: Path) -> None:
    page = hostile_page.read_text(encoding="utf-8")
    assert "owned" in page  # it is shown
    assert HOSTILE not in page
    assert not re.search(r"<script|<img|\bonerror=\"", page)
    assert not re.search("[\x00-\x08\x0b-\x1f\u200b\u202a-\u202e]", page)
    assert "&lt;U+202E&gt;" in page
    assert "{{ 7 * 7 }}" in page


@pytest.mark.skipif(not CHROMIUM.is_file(), reason="no Chromium here")
def test_it_opens_with_the_network_cut(hostile_page: Path) -> None:
    assert hostile_page.stat().st_size < MOST_BYTES
    seen = opened(hostile_page)
    assert seen.problems == []
    assert seen.requests == []
    assert seen.title == "Made up: report"
    assert "Sample dialogues" in seen.text
    assert "4,500" in seen.text


def test_samples_do_not_grow_with_the_dialogues(
    hostile: duckdb.DuckDBPyConnection, hostile_home: Home
) -> None:
    shown = samples(hostile, load_goals(hostile_home))
    assert [told.brief["recommendations"] for told in shown.accepted] == [1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert len(shown.rejected) == 2
    assert all(told.turns for told in shown.accepted)
    marks = {piece.kind for told in shown.accepted for turn in told.turns for piece in turn.pieces}
    assert marks == {"plain", "item", "shared"}


def test_what_rules_and_judges_see_stands_beside_how_far_judges_agree(
    con: duckdb.DuckDBPyConnection, home: Home
) -> None:
    fill(con, 40)
    page = render_report(gather(con, home, "made"))
    assert "redial calibrate made" in page and 'id="calibrated"' not in page
    readings = [
        Reading("no-near-copy", "planted", "D7 near-copy", 90, 88),
        Reading(ALL_RULES, "planted", "D7 near-copy", 90, 89),
        Reading("a/<b>judge", "planted", "D7 near-copy", 20, 12),
        Reading("a/<b>judge", "released", RELEASED, 100, 6),
    ]
    pair = Agreement("a/<b>judge", "b/judge", PairedCounts(12, 2, 3, 63))
    store_calibration(con, readings, "run", [pair])
    page = render_report(gather(con, home, "made"))
    assert "redial calibrate made" not in page and "<b>judge" not in page
    table = page.partition('<table id="calibrated">')[2].partition("</table>")[0]
    planted = table.partition("D7 near-copy")[2].partition("</tr>")[0]
    assert re.findall(r">([0-9.]+) % \[", planted) == ["98.9", "60.0"]
    agreed = page.partition('<table id="agreements">')[2].partition("</table>")[0]
    assert re.findall(r'class="n">([0-9.]+)', agreed) == ["12", "2", "3", "63", "93.8", "0.79"]
    left = left_text(left_by_judges(readings)[0], 36)
    assert left.partition(", by ")[0] in page and "<code>readable</code>" in page

"""A domain's history: recorded at a run's end, kept over re-builds, shown in every place."""

from __future__ import annotations

import json
import re
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
from prefect.states import StateType

from flows.artifacts import result_tables
from flows.build_ending import end_lost_build
from flows.build_result import BuildResult
from flows.run_states import ALERT, BUDGET, COMPLETED, FINE, outcome
from flows.specifications import specifications_of
from flows.stages import new_context
from tasks.history import (
    broken_thresholds,
    change_lines,
    history_json,
    history_rows,
    read_history,
    record_figures,
    write_history,
)
from tasks.history.changes import Change
from tasks.history.values import ACCEPTANCE, FIRST, Distribution, Mean, Share
from tasks.runs import config_hash
from tasks.settings import Alert, Domain, Home, YamlFiles
from tasks.warehouse import open_warehouse, read_warehouse
from tests.support.axe import grave_findings
from tests.support.chromium import CHROMIUM, Opened, browser_page
from tests.support.report_warehouse import domain, fill


@pytest.fixture
def con() -> duckdb.DuckDBPyConnection:
    """120 dialogues: of each 20, one fails, one is rejected and 18 are accepted."""
    made = duckdb.connect()
    fill(made, 120)
    return made


def another_run(
    con: duckdb.DuckDBPyConnection, number: int, chosen: Domain, code: str = "0.1+test"
) -> str:
    """Write a further run down, which asked again for all that the run before did."""
    run_id = f"run-{number}"
    con.execute(
        "INSERT INTO runs VALUES ($id, $id, 'build', 'c', $config, $code, '{}', TIMESTAMP "
        "'2026-02-01' + to_days($day), "
        "TIMESTAMP '2026-02-01 00:05:00' + to_days($day), 'completed', '{}')",
        {"id": run_id, "day": number, "config": chosen.model_dump_json(), "code": code},
    )
    con.execute("UPDATE responses SET run_id = ?", [run_id])
    con.execute("UPDATE transcripts SET run_id = ?", [run_id])
    return run_id


def test_the_figures_of_a_run_are_those_counted_by_hand(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        "UPDATE dialogue_facts SET longest_words = CASE WHEN dialogue_id < '8' THEN 20 ELSE 104 END"
    )
    ((short,),) = con.execute(
        "SELECT count(*) FROM dialogue_facts WHERE longest_words = 20"
    ).fetchall()
    assert record_figures(con, "run-1")
    (point,) = read_history(con, "made").points
    figures = point.figures
    assert figures.shares[ACCEPTANCE] == Share(108, 120)
    assert figures.shares[FIRST] == Share(108, 114)
    assert figures.shares["failed"] == Share(6, 120)
    assert figures.shares["rule readable"] == Share(6, 114)
    assert figures.shares["rule completely-generated"] == Share(2, 114)
    assert figures.means["tokens a first attempt"] == Mean(1300.0, 0.0, 114)
    assert figures.amounts["requests"] == 120  # 114 answers, and 6 that brought none
    assert figures.amounts["prompt tokens"] == 114_000
    assert figures.amounts["completion tokens"] == 34_200
    assert figures.amounts["dollars"] == pytest.approx(0.057)
    assert figures.amounts["seconds"] == 610
    assert figures.facts == {
        "dialogue longest_words": Distribution({20: short, 100: 114 - short}, 114)
    }


def test_a_run_that_asked_for_nothing_is_no_point(con: duckdb.DuckDBPyConnection) -> None:
    record_figures(con, "run-1")
    con.execute("INSERT INTO runs SELECT * REPLACE ('run-2' AS run_id) FROM runs")
    assert not record_figures(con, "run-2")
    assert [point.run_id for point in read_history(con, "made").points] == ["run-1"]


def test_a_run_counts_what_it_asked_for_alone(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        "UPDATE responses SET run_id = 'before' WHERE dialogue_id IN (SELECT dialogue_id FROM "
        "briefs WHERE brief_order < 100)"
    )
    con.execute(
        "UPDATE transcripts SET run_id = 'before' WHERE dialogue_id IN (SELECT dialogue_id FROM "
        "briefs WHERE brief_order < 100)"
    )
    record_figures(con, "run-1")
    (point,) = read_history(con, "made").points
    assert point.figures.shares[ACCEPTANCE] == Share(18, 20)
    assert point.figures.shares[FIRST] == Share(18, 19)
    assert point.figures.amounts["requests"] == 20


def test_figures_stay_when_everything_is_built_anew_and_are_not_doubled(
    con: duckdb.DuckDBPyConnection,
) -> None:
    record_figures(con, "run-1")
    record_figures(con, "run-1")
    before = read_history(con, "made")
    for table in (
        "briefs",
        "verdicts",
        "transcripts",
        "dialogue_facts",
        "utterance_facts",
        "rejections",
    ):
        con.execute(f"DELETE FROM {table}")
    assert read_history(con, "made") == before
    ((rows, keys),) = con.execute(
        "SELECT count(*), count(DISTINCT (run_id, kind, name, bin)) FROM run_figures"
    ).fetchall()
    assert rows == keys > 5


def test_an_old_warehouse_opens_and_has_no_history(tmp_path: Path) -> None:
    path = tmp_path / "made.duckdb"
    with open_warehouse(path) as con:
        con.execute("DROP TABLE run_figures")
    with read_warehouse(path) as con:
        assert read_history(con, "made").points == ()
    with open_warehouse(path) as con:
        assert con.execute("SELECT count(*) FROM run_figures").fetchall() == [(0,)]


def test_what_changed_between_runs_is_named_at_the_point(con: duckdb.DuckDBPyConnection) -> None:
    record_figures(con, "run-1")
    chosen = domain()
    other = chosen.model_copy(
        update={
            "generate": chosen.generate.model_copy(
                update={"model": "openai/new", "profile": "paper"}
            )
        }
    )
    record_figures(con, another_run(con, 2, other, "0.2+other"))
    history = read_history(con, "made")
    assert history.points[0].settings_changes == ()
    assert history.points[1].settings_changes == (
        "generate.model: offline/writer -> openai/new",
        "generate.profile: grounded -> paper",
        "code: 0.1+test -> 0.2+other",
    )
    assert change_lines(history)[0] == "#2 with: generate.model: offline/writer -> openai/new"
    (first, second) = history_json(history)["runs"]
    assert first["shares"][ACCEPTANCE]["value"] == 0.9
    assert second["settings_changes"][2].startswith("code")
    json.dumps(history_json(history), allow_nan=False)


def marked_history(con: duckdb.DuckDBPyConnection, runs: int = 4) -> None:
    """Record equal runs, the last of which rejects half of what it asked for."""
    record_figures(con, "run-1")
    for number in range(2, runs + 1):
        run_id = another_run(con, number, domain())
        if number == runs:
            con.execute("UPDATE verdicts SET verdict = 'rejected' WHERE dialogue_id < '8'")
        record_figures(con, run_id)


def test_a_fall_is_marked_on_the_page_and_in_the_rows(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    marked_history(con)
    history = write_history(con, Home(data=tmp_path), "made")
    assert [row["marks"] for row in history_rows(history)] == [0, 0, 0, 1]
    (line,) = [line for line in change_lines(history) if "changed" in line]
    assert line.startswith("#4 changed: acceptance: 90.0% -> ")
    page = (tmp_path / "reports" / "made" / "history.html").read_text(encoding="utf-8")
    assert re.findall(r"<b>(.*?)</b>", page)[0].startswith("acceptance: 90.0%")
    assert page.count("<svg") == 5  # no fact was measured here


def test_one_run_is_no_trend(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    record_figures(con, "run-1")
    write_history(con, Home(data=tmp_path), "made")
    page = (tmp_path / "reports" / "made" / "history.html").read_text(encoding="utf-8")
    assert "<svg" not in page
    assert "Charts are drawn from the second run on." in page


def test_texts_of_settings_cannot_act_on_the_page(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    record_figures(con, "run-1")
    record_figures(
        con, another_run(con, 2, domain().model_copy(update={"title": "<script>alert(1)</script>"}))
    )
    con.execute("UPDATE run_figures SET name = 'rule <img src=x>' WHERE name = 'rule readable'")
    write_history(con, Home(data=tmp_path), "made")
    page = (tmp_path / "reports" / "made" / "history.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium here")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_passes_axe_and_fits_narrow_screens(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, scheme: str
) -> None:
    pytest.importorskip("axe_playwright_python")
    marked_history(con)
    write_history(con, Home(data=tmp_path), "made")
    with browser_page(Opened(), offline=False, color_scheme=scheme, bypass_csp=True) as page:
        page.goto((tmp_path / "reports" / "made" / "history.html").as_uri())
        for width in (1280, 800, 360):
            page.set_viewport_size({"width": width, "height": 800})
            assert grave_findings(page) == []
            assert not page.evaluate("document.documentElement.scrollWidth > innerWidth"), width


def test_a_lost_run_is_recorded_by_the_next(tmp_path: Path) -> None:
    home = Home(data=tmp_path)
    with open_warehouse(home.warehouse("made")) as con:
        fill(con, 120)
        con.execute("UPDATE runs SET state = 'running', finished_at = NULL")
    context = new_context(home, specifications_of(home, domain(), YamlFiles()), "next")
    with closing(context.warehouse):
        end_lost_build(context)
    with read_warehouse(home.warehouse("made")) as con:
        (point,) = read_history(con, "made").points
    assert (point.run_id, point.state) == ("run-1", "lost")
    assert point.figures.shares[FIRST] == Share(108, 114)
    assert "seconds" not in point.figures.amounts
    reports = tmp_path / "reports" / "made"
    assert "run-run-1.html" in (reports / "history.html").read_text(encoding="utf-8")


CHANGE = Change("run-1", "share", ACCEPTANCE, 0.95, 0.9, -0.05, 0.03)


@pytest.mark.parametrize(
    ("alert", "found"),
    [
        ({}, []),
        (
            {
                "acceptance_below": 0.9,
                "cost_above_usd": 0.06,
                "minutes_above": 10.2,
                "rules_above": {"readable": 0.06, "unknown": 0},
            },
            [],
        ),
        ({"acceptance_below": 0.91}, ["acceptance 90.0% is below 91.0%"]),
        ({"cost_above_usd": 0.05}, ["cost of $0.0570 is above $0.0500"]),
        ({"minutes_above": 10}, ["10.2 minutes are above 10.0"]),
        (
            {"rules_above": {"readable": 0.05}},
            ["rule readable broken by 5.3% of first attempts is above 5.0%"],
        ),
        ({"changes": True}, ["acceptance: 95.0% -> 90.0% (-5.0 points, bound 3.0)"]),
    ],
)
def test_a_threshold_is_broken_beyond_it(
    con: duckdb.DuckDBPyConnection, alert: dict[str, Any], found: list[str]
) -> None:
    record_figures(con, "run-1")
    (point,) = read_history(con, "made").points
    assert list(broken_thresholds(point, (CHANGE,), Alert.model_validate(alert))) == found


def test_thresholds_change_no_hash() -> None:
    assert config_hash(domain()) == config_hash(
        domain().model_copy(update={"alert": Alert(acceptance_below=0.5)})
    )


def ended(state: str, alerts: tuple[str, ...]) -> BuildResult:
    rows = [{"verdict": "accepted", "briefs": 3}]
    nothing: dict[str, Any] = dict.fromkeys(
        ("rules", "stages", "set_aside", "might_likes", "attempts"), []
    )
    return BuildResult(
        domain="made", run_id="run-1", state=state, message="", release=None, version="v",
        config_hash="", code_version="",
        funnel=rows, statistics={}, cost={}, pages={}, history=[{"#": 1}], alerts=alerts, **nothing,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("state", "alerts", "name", "kind"),
    [
        ("completed", (), COMPLETED, StateType.COMPLETED),
        ("completed", ("too low",), ALERT, StateType.COMPLETED),
        ("budget", ("too low",), BUDGET, StateType.CANCELLED),
    ],
)
def test_a_broken_threshold_is_a_state_of_its_own(
    state: str, alerts: tuple[str, ...], name: str, kind: StateType
) -> None:
    made = outcome(ended(state, alerts))
    assert (made.name, made.type) == (name, kind)
    assert (made.message == "too low") == (name == ALERT)
    assert ALERT in FINE


def test_the_runs_are_an_artifact() -> None:
    tables = {name: rows for name, rows, _ in result_tables(ended("completed", ()))}
    assert tables["trends"] == [{"#": 1}]


async def test_an_alert_is_posted_to_the_webhook(monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    from flows.notices import ADDRESS
    from flows.server.webhooks import notify

    received: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = int(re.findall(r"content-length: (\d+)", head, re.IGNORECASE)[0])
        received.append((await reader.readexactly(length)).decode())
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    monkeypatch.setenv(ADDRESS, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    flow: Any = SimpleNamespace(name="build")
    run: Any = SimpleNamespace(name="build-made", id=None)
    monkeypatch.setattr("flows.server.webhooks.url_for", lambda _: "")
    async with server:
        await notify(flow, run, outcome(ended("completed", ("acceptance 85.0% is below 90.0%",))))
        await notify(flow, run, outcome(ended("completed", ())))
    (sent,) = map(json.loads, received)
    assert (sent["state"], sent["message"]) == ("Alert", "acceptance 85.0% is below 90.0%")

"""Command line, report, artifacts, --json and the record of runs show the same funnel.

They do in every state of a warehouse.
"""

from __future__ import annotations

import json
import re
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import example, given, settings
from starlette.testclient import TestClient
from typer.testing import CliRunner

from flows.artifacts import result_tables
from flows.build_ending import finish_build
from flows.build_result import BuildResult
from flows.cli import app
from flows.pipeline import INGEST, PLAN, PREPROCESS
from flows.rounds import Written
from flows.specifications import load_specifications
from flows.stages import Context, Stage, new_context
from tasks.release import ReleaseInfo
from tasks.reports import browser_app, pages_from_warehouse
from tasks.settings import Home
from tasks.statistics import warehouse_statistics
from tasks.warehouse import open_warehouse, read_warehouse, transaction
from tests.support.random_warehouse import BY_HAND, DrawnWarehouse, drawn_warehouses, fill

DOMAIN_FILE = "noun: film\nverb: seen\nsources: {format: amazon_2014, reviews: [reviews.json.gz]}\n"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(data=tmp_path_factory.mktemp("same"))
    (home.data / "domains").mkdir()
    (home.data / "domains" / "made.yaml").write_text(DOMAIN_FILE, encoding="utf-8")
    return home


def finished(home: Home, drawn: DrawnWarehouse) -> BuildResult:
    """Fill the domain's warehouse again and end a build of it."""
    path = home.warehouse("made")
    path.unlink(missing_ok=True)
    context = new_context(home, load_specifications(home, "made"), "run-1")
    with open_warehouse(path) as con:
        fill(con, drawn, context.domain, context.run_id)
    with closing(context.warehouse):
        return finish_build(context, Written(), ReleaseInfo(home.data / "releases", "v1", {}))


def command(home: Home, *arguments: str) -> str:
    done = CliRunner().invoke(app, ["--data", str(home.data), *arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


def table(page: str, name: str) -> list[list[str]]:
    """Return the cells of a table of the report, without notes and bars."""
    body = page.partition(f'id="{name}"')[2].partition("</table>")[0].partition("<tbody>")[2]
    without_notes = re.sub(r'<span class="note">.*?</span>', "", body)
    rows = re.findall(r"<tr>(.*?)</tr>", without_notes, re.DOTALL)
    return [
        [
            re.sub(r"<[^>]*>", "", cell).strip()
            for cell in re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL)
        ]
        for row in rows
    ]


def shown_in_page(page: str) -> dict[str, list[tuple[str, ...]]]:
    """Return the report's funnel: names and counts, its shares apart."""
    chosen = {
        "stages": (0, 1),
        "verdicts": (0, 1),
        "attempts": (0, 1, 2, 3, 4, 5),
        "might-likes": (0, 1),
        "set-aside": (0, 1, 2),
        "broken-rules": (0, 1, 2, 3),
    }
    return {
        name: [tuple(row[place] for place in places) for row in table(page, name)]
        for name, places in chosen.items()
    }


def expected_in_page(result: BuildResult) -> dict[str, list[tuple[str, ...]]]:
    def words(code: str) -> str:
        return code.replace("_", " ")

    return {
        "stages": [(row["stage"], str(row["rows"])) for row in result.stages],
        "verdicts": [(row["verdict"], str(row["briefs"])) for row in result.funnel],
        "attempts": [tuple(str(value) for value in row.values()) for row in result.attempts],
        "might-likes": [(words(row["outcome"]), str(row["items"])) for row in result.might_likes],
        "set-aside": [
            (words(row["kind"]), row["source"], str(row["lines"])) for row in result.set_aside
        ],
        "broken-rules": [
            (row["rule"], str(row["attempt"]), row["severity"], str(row["dialogues"]))
            for row in result.rules
        ],
    }


def counts_of(con: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    (row,) = con.execute("SELECT state, counts FROM runs").fetchall()
    assert row[0] == "completed"
    counts: dict[str, Any] = json.loads(row[1])
    return counts


@settings(max_examples=5, deadline=None)
@example(drawn=BY_HAND)
@given(drawn=drawn_warehouses)
def test_whatever_shows_the_funnel_shows_the_same(home: Home, drawn: DrawnWarehouse) -> None:
    result = finished(home, drawn)
    assert {row["verdict"]: row["briefs"] for row in result.funnel} == drawn.verdicts()
    # --json of the build, and the command line's
    assert json.loads(json.dumps(result.as_json()))["funnel"] == result.funnel
    told = json.loads(command(home, "funnel", "made", "--json"))
    pairs = {
        "verdicts": result.funnel,
        "stages": result.stages,
        "set_aside": result.set_aside,
        "might_likes": result.might_likes,
    }
    assert {name: told[name] for name in pairs} == pairs
    assert (told["attempts"], told["rules"]) == (result.attempts, result.rules)
    assert told["causes"] == result.causes == json.loads(json.dumps(result.as_json()))["causes"]
    verdicts = drawn.verdicts()
    for verdict in ("failed", "rejected"):
        caused = [row["briefs"] for row in result.causes if row["verdict"] == verdict]
        assert sum(caused) == verdicts[verdict]
    # artifacts
    tables = {name: rows for name, rows, _ in result_tables(result)}
    assert (tables["funnel"], tables["might-likes"], tables["set-aside"]) == (
        result.funnel,
        result.might_likes,
        result.set_aside,
    )
    assert tables["causes"] == result.causes
    assert (tables["stages"], tables["attempts"], tables["rules"]) == (
        result.stages,
        result.attempts,
        result.rules,
    )
    # the record of runs
    with read_warehouse(home.warehouse("made")) as con:
        counts = counts_of(con)
    assert {name: counts[name] for name in drawn.verdicts()} == drawn.verdicts()
    assert counts["briefs"] == len(drawn.planned)
    assert counts["might_likes"] == drawn.might_likes()
    assert counts["set_aside"] == {
        f"{source} {kind}": lines for (source, kind), lines in drawn.set_aside().items()
    }
    assert counts["stages"] == {row["stage"]: row["rows"] for row in result.stages}
    # the report
    for name in ("report", "data-docs"):
        shown_causes = table(result.pages[name].read_text(encoding="utf-8"), "causes")
        assert [tuple(row[:3]) for row in shown_causes] == [
            (row["verdict"], row["cause"], str(row["briefs"])) for row in result.causes
        ]
    shown = shown_in_page(result.pages["report"].read_text(encoding="utf-8"))
    expected = expected_in_page(result)
    assert shown["broken-rules"][: len(expected["broken-rules"])] == expected["broken-rules"]
    assert {**shown, "broken-rules": []} == {**expected, "broken-rules": []}


def test_the_command_prints_the_same_figures(home: Home) -> None:
    finished(
        home,
        DrawnWarehouse(
            briefs=[], reasons=["untitled", "no_history", None], review_defects=["unrated"] * 3
        ),
    )
    lines = [line.split() for line in command(home, "funnel", "made").splitlines()]
    assert ["reviews", "unrated", "3"] in lines
    assert ["source", "lines", "4", "-"] in lines
    assert ["untitled", "1", "33.33"] in lines
    assert ["unasked", "0", "0"] in lines


def run(stage: Stage, context: Context) -> None:
    with open_warehouse(context.home.warehouse(context.domain.name)) as con, transaction(con):
        stage.work(con, context, 1)


def test_after_a_plan_all_say_that_nothing_was_asked(tmp_path: Path) -> None:
    """In a fresh folder, and over verdicts of an earlier plan that are no longer wanted."""
    home = Home(data=tmp_path)
    context = new_context(home, load_specifications(home, "demo"), "run")
    for stage in (INGEST, PREPROCESS, PLAN):
        run(stage, context)
    assert_all_say_unasked(home, 187)
    with open_warehouse(home.warehouse("demo")) as con:
        con.execute("INSERT INTO verdicts SELECT dialogue_id, 'accepted', 1 FROM briefs")
    chosen = {"seed": 99, "briefs": {"max_dialogues": 50}}
    other = new_context(home, load_specifications(home, "demo", chosen), "run")
    run(PLAN, other)
    assert_all_say_unasked(home, 50, {"max_dialogues": 137})


def assert_all_say_unasked(home: Home, briefs: int, without: dict[str, int] | None = None) -> None:
    told = json.loads(command(home, "funnel", "demo", "--json"))
    verdicts = {"accepted": 0, "rejected": 0, "failed": 0, "unasked": briefs}
    assert {row["verdict"]: row["briefs"] for row in told["verdicts"]} == verdicts
    outcomes = {row["outcome"]: row["items"] for row in told["might_likes"]}
    assert outcomes == {"planned": briefs, **(without or {})}
    assert sum(outcomes.values()) == 187
    page = pages_from_warehouse(home, "demo").latest["report"].read_text(encoding="utf-8")
    assert [tuple(row[:2]) for row in table(page, "verdicts")] == [
        (name, str(count)) for name, count in verdicts.items()
    ]
    assert f"of {briefs} briefs" in page
    assert "<b>0</b><span>dialogues accepted</span>" in page
    assert "<dt>build</dt>" not in page
    listed = TestClient(browser_app(home), base_url="http://127.0.0.1:8766").get("/").text
    assert re.findall(r'<td class="n">(\d+)</td>', listed) == ["0", "0", "0", str(briefs)]
    with read_warehouse(home.warehouse("demo")) as con:
        assert warehouse_statistics(con).dialogues == 0

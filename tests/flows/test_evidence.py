"""However a build that came to asking ends, it leaves its funnel, rules, cost, report and Data Docs, and these name one run."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tasks.reports import list_runs
from tasks.settings import Home
from tests.support.builds_in_turn import prefect_server
from tests.support.ended_builds import PAGES, EndedBuild, end_builds

pytestmark = pytest.mark.heavy  # a server and seven builds
EVIDENCE = {
    "attempts",
    "browse",
    "data-docs",
    "funnel",
    "history",
    "might-likes",
    "report",
    "rules",
    "runs",
    "set-aside",
    "stages",
    "summary",
    "trends",
}
WAYS = ("whole", "refused", "between", "stopped", "budget", "unreadable")


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Home, dict[str, EndedBuild]]]:
    """The builds by the way they ended, the last of which lost its process and was followed by one that ended well."""
    home = Home(data=tmp_path_factory.mktemp("data"))
    with prefect_server(tmp_path_factory.mktemp("prefect")) as server:
        found = dict(zip(WAYS, end_builds(server, home.data, WAYS), strict=True))
        assert end_builds(server, home.data, ["killed"]) == []
        (found["after"],) = end_builds(server, home.data, ["whole"])
    yield home, found


def facts(page: Path) -> dict[str, str]:
    """Return what a page says of its run, by name."""
    found = re.findall(r"<div><dt>(.*?)</dt><dd>(.*?)</dd></div>", page.read_text(encoding="utf-8"))
    return {name: html.unescape(re.sub(r"<[^>]*>", "", value)) for name, value in found}


def judged(page: Path, table: str) -> dict[str, tuple[str, str]]:
    """Return for each attempt when it was judged and how many dialogues were rejected, as a page's table has it."""
    bodies = re.findall(
        rf'<table id="{table}">.*?<tbody>(.*?)</table>', page.read_text(encoding="utf-8"), re.DOTALL
    )
    rows = [
        re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.DOTALL)
        for body in bodies
        for row in body.split("<tr>")[1:]
    ]
    at, rejected = (6, 3) if table == "attempts" else (1, 3)
    return {
        row[0].removeprefix("Attempt "): (row[at], row[rejected])
        for row in rows
        if row[0] != "Published"
    }


@pytest.mark.parametrize("way", ["whole", "refused", "between", "stopped", "budget"])
def test_the_evidence_stands_whatever_way_it_ended(
    ended: tuple[Home, dict[str, EndedBuild]], way: str
) -> None:
    home, builds = ended
    build = builds[way]
    names = {key.removeprefix("demo-") for key in build.artifacts}
    assert names >= EVIDENCE
    assert ("lineage" in names) == (way == "whole")
    for name, folder in (("report", "reports"), ("data-docs", "docs")):
        page = f"{folder}/demo/run-{build.run_id}.html"
        assert f"{PAGES}/{page}" in build.artifacts[f"demo-{name}"]
        assert facts(home.data / page)["run"] == build.run_id


@pytest.mark.parametrize("way", ["whole", "refused", "between", "stopped", "budget", "after"])
def test_report_and_data_docs_of_a_run_say_the_same(
    ended: tuple[Home, dict[str, EndedBuild]], way: str
) -> None:
    home, builds = ended
    run_id = builds[way].run_id
    report, docs = (
        home.data / folder / "demo" / f"run-{run_id}.html" for folder in ("reports", "docs")
    )
    assert facts(report) == facts(docs)
    assert judged(report, "attempts") == judged(docs, "gates")
    assert bool(judged(docs, "gates")) == (way != "budget")  # which stopped before its first answer
    assert facts(report)["build"].split()[0] == (
        "completed" if way in {"whole", "after"} else "ended" if way == "budget" else "failed"
    )


def test_what_a_refused_gate_found_is_in_its_data_docs(
    ended: tuple[Home, dict[str, EndedBuild]],
) -> None:
    home, builds = ended
    page = home.data_docs("demo") / f"run-{builds['refused'].run_id}" / "published-grounded.html"
    assert "As an AI language model" in page.read_text(encoding="utf-8")
    assert (
        facts(home.data_docs("demo") / f"run-{builds['refused'].run_id}.html")["release"] == "none"
    )


def test_a_build_that_asked_for_nothing_leaves_the_pages_as_they_are(
    ended: tuple[Home, dict[str, EndedBuild]],
) -> None:
    home, builds = ended
    assert not [
        key for key in builds["unreadable"].artifacts if key.endswith(("report", "data-docs"))
    ]
    assert builds["unreadable"].run_id not in {run.run_id for run in list_runs(home, "demo")}


def test_a_killed_builds_pages_are_written_by_the_next(
    ended: tuple[Home, dict[str, EndedBuild]],
) -> None:
    home, builds = ended
    with duckdb.connect(str(home.warehouse("demo")), read_only=True) as con:
        ((lost,),) = con.execute("SELECT run_id FROM runs WHERE state = 'lost'").fetchall()
    report, docs = (
        home.data / folder / "demo" / f"run-{lost}.html" for folder in ("reports", "docs")
    )
    assert facts(report) == facts(docs)
    assert (
        facts(report)["build"].endswith("was lost with its process")
        and facts(report)["seed"] == "13"
    )
    assert judged(report, "attempts") == judged(docs, "gates") != {}
    newest = [home.data / folder / "demo" / "index.html" for folder in ("reports", "docs")]
    assert {facts(page)["run"] for page in newest} == {builds["after"].run_id}

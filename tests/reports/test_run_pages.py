"""Pages of every run are kept beside the newest ones, and none contradicts another."""

from __future__ import annotations

import json
import re
from pathlib import Path

import duckdb
import pytest

from tasks.errors import UserError
from tasks.quality import store_gate
from tasks.quality.gate_records import (
    Example,
    RuleRecord,
    SuiteRecord,
    attempt_gate,
    published_gate,
)
from tasks.reports import drafted_pages, list_runs, publish_pages, render_served_index, write_pages
from tasks.settings import Domain, Home
from tests.support.report_warehouse import domain, fill


def run(con: duckdb.DuckDBPyConnection, number: int, chosen: Domain, release: str = "") -> None:
    """Write a further run down."""
    con.execute(
        "INSERT INTO runs VALUES ($id, $id, 'build', repeat($digit, 64), $config, '0.1+test', "
        "'{}', "
        "TIMESTAMP '2026-02-01 00:00:00' + to_days($day), TIMESTAMP '2026-02-01 00:05:00' + "
        "to_days($day), 'completed', $counts)",
        {
            "id": f"run-{number}",
            "digit": str(number),
            "day": number,
            "config": chosen.model_dump_json(),
            "counts": json.dumps({"release": release} if release else {}),
        },
    )


def gate(con: duckdb.DuckDBPyConnection) -> None:
    """Write down gates that agree with the warehouse: 114 judged, 6 rejected, 108 accepted."""
    ids = [
        row[0]
        for row in con.execute("SELECT dialogue_id FROM rejections ORDER BY ALL LIMIT 2").fetchall()
    ]
    rule = RuleRecord(
        "readable",
        "reject",
        "Says it.",
        "Read there.",
        6,
        tuple(Example(name, 2, "<b>piece</b>") for name in ids),
    )
    store_gate(
        con,
        attempt_gate(
            1,
            114,
            6,
            [SuiteRecord("paper", "About.", (rule,), (("dialogue_facts", "<p>result</p>"),))],
        ),
    )
    store_gate(con, published_gate(108, 0, [SuiteRecord("paper", "About.", (), ())]))


@pytest.fixture
def con() -> duckdb.DuckDBPyConnection:
    made = duckdb.connect()
    fill(made, 120)
    gate(made)
    return made


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_each_run_keeps_its_pages_and_the_list_names_them(
    con: duckdb.DuckDBPyConnection, home: Home
) -> None:
    first = write_pages(con, home, "made")
    before = {name: page.read_bytes() for name, page in first.run.items() if name != "runs"}
    run(con, 2, domain(like_min=4.5), release="v2")
    second = write_pages(con, home, "made")
    assert {name: page.read_bytes() for name, page in first.run.items() if name != "runs"} == before
    assert (
        second.latest["report"].read_bytes()
        == second.run["report"].read_bytes()
        != before["report"]
    )
    entries = list_runs(home, "made")
    assert [(entry.run_id, entry.release, entry.settings_hash) for entry in entries] == [
        ("run-2", "v2", "2" * 12), ("run-1", "", "c" * 12),
    ]  # fmt: skip
    listed = second.run["runs"].read_text(encoding="utf-8")
    for entry in list_runs(home, "made"):
        assert entry.run_id in listed
        assert entry.ending in listed
        assert entry.settings_hash in listed
    for link in re.findall(r'href="([^"#]*html)"', listed):
        assert (second.run["runs"].parent / link).is_file(), link


def test_every_link_between_the_pages_of_a_run_leads_somewhere(
    con: duckdb.DuckDBPyConnection, home: Home
) -> None:
    run(con, 2, domain(), release="v1")
    card = home.releases("made") / "v1" / "README.md"
    card.parent.mkdir(parents=True)
    card.touch()
    write_pages(con, home, "made")
    pages = [*home.data_docs("made").rglob("*.html"), *(home.data / "reports").rglob("*.html")]
    links = [
        (page, link)
        for page in pages
        for link in re.findall(r'href="([^"#:]+)"', page.read_text(encoding="utf-8"))
    ]
    assert len(pages) == 7
    assert len(links) > 15
    assert [(str(page), link) for page, link in links if not (page.parent / link).exists()] == []


def test_old_runs_go_and_those_of_a_release_that_is_there_stay(
    con: duckdb.DuckDBPyConnection, home: Home
) -> None:
    chosen = domain().model_copy(update={"pages": domain().pages.model_copy(update={"keep": 2})})
    (home.releases("made") / "v2").mkdir(parents=True)
    for number in range(2, 8):
        run(con, number, chosen, release={2: "v2", 3: "v2", 4: "deleted"}.get(number, ""))
        write_pages(con, home, "made")
    assert [entry.run_id for entry in list_runs(home, "made")] == ["run-7", "run-6", "run-3"]
    kept = {f"run-run-{number}" for number in (3, 6, 7)}
    assert files(home.data_docs("made")) == {
        "index.html",
        *kept,
        *(f"{name}.html" for name in kept),
    }
    reports = {f"{name}.{kind}" for name in kept for kind in ("html", "json")}
    assert files(home.data / "reports" / "made") == {"index.html", "runs.html", *reports}


def test_report_and_data_docs_say_the_same_of_run_and_judging(
    con: duckdb.DuckDBPyConnection, home: Home
) -> None:
    pages = write_pages(con, home, "made").latest
    report, docs = (pages[name].read_text(encoding="utf-8") for name in ("report", "data-docs"))
    facts = [
        re.findall(r"<div><dt>(.*?)</dt><dd>(.*?)</dd></div>", page) for page in (report, docs)
    ]
    assert dict(facts[0])["run"] == "<code>run-1</code>"
    assert dict(facts[0])["build"] == "completed 2026-01-02 03:14 UTC"
    assert facts[0] == facts[1]
    ((at,),) = con.execute(
        "SELECT strftime(judged_at, '%Y-%m-%d %H:%M UTC') FROM gates WHERE gate = 'attempt-1'"
    ).fetchall()
    assert '<td>1</td><td class="n">120</td>' in report
    assert f"<td>{at}</td></tr>" in report
    assert f'<th scope="row">Attempt 1</th><td>{at}</td>' in docs


def test_a_gate_whose_dialogues_are_gone_is_not_shown(
    con: duckdb.DuckDBPyConnection, home: Home
) -> None:
    con.execute(
        "DELETE FROM dialogue_facts WHERE dialogue_id IN (SELECT dialogue_id FROM dialogue_facts "
        "LIMIT 1)"
    )
    docs = write_pages(con, home, "made").latest["data-docs"].read_text(encoding="utf-8")
    assert "Attempt 1" not in docs
    assert "Published" in docs


def test_totals_are_said_once_and_suites_beside_them(
    con: duckdb.DuckDBPyConnection, home: Home
) -> None:
    suites = [SuiteRecord(name, "About.", (), ()) for name in ("paper", "grounded")]
    store_gate(con, attempt_gate(1, 114, 6, suites))
    docs = write_pages(con, home, "made").latest["data-docs"].read_text(encoding="utf-8")
    assert docs.count('<td class="n">114</td>') == 1
    assert docs.count("all 0 rules held") == 2


def test_rules_and_ids_are_marked_for_the_browser_and_no_dead_link(
    con: duckdb.DuckDBPyConnection, home: Home
) -> None:
    pages = write_pages(con, home, "made")
    (dialogue_id,) = con.execute(
        "SELECT dialogue_id FROM rejections WHERE rule = 'readable' ORDER BY ALL LIMIT 1"
    ).fetchall()[0]
    docs = (home.data_docs("made") / "run-run-1" / "attempt-1-paper.html").read_text(
        encoding="utf-8"
    )
    report = pages.latest["report"].read_text(encoding="utf-8")
    for page in (docs, report):
        assert f'<a data-browse="/domains/made/{dialogue_id}">' in page
        assert '<a data-browse="/domains/made?rule=readable">' in page
        assert 'href="/domains' not in page
    assert "&lt;b&gt;piece&lt;/b&gt;" in docs


def test_a_row_that_cannot_be_read_is_left_out(con: duckdb.DuckDBPyConnection, home: Home) -> None:
    write_pages(con, home, "made")
    folder = home.data / "reports" / "made"
    good = json.loads((folder / "run-run-1.json").read_text(encoding="utf-8"))
    spoiled = {
        "a": "{",
        "b": "[]",
        "c": json.dumps({**good, "accepted": "<b>"}),
        "d": json.dumps(good),
    }
    for name, text in spoiled.items():
        (folder / f"run-{name}.json").write_text(text, encoding="utf-8")
    assert [entry.run_id for entry in list_runs(home, "made")] == ["run-1"]


def test_an_id_that_is_no_file_name_gets_one(con: duckdb.DuckDBPyConnection, home: Home) -> None:
    con.execute("UPDATE runs SET run_id = '../../out'")
    pages = write_pages(con, home, "made")
    assert re.fullmatch(r"run-[0-9a-f]{16}\.html", pages.run["report"].name)
    assert not (home.data.parent / "out.html").exists()


def test_what_is_not_published_leaves_nothing(con: duckdb.DuckDBPyConnection, home: Home) -> None:
    with drafted_pages(con, home, "made") as draft:
        assert not (home.data / "reports").exists()
        publish_pages(home, "made", draft)
    before = sorted(home.data.rglob("*"))
    run(con, 2, domain())
    with drafted_pages(con, home, "made"):
        pass
    assert sorted(home.data.rglob("*")) == before


def test_a_folder_that_cannot_be_written_is_one_line(
    con: duckdb.DuckDBPyConnection, home: Home
) -> None:
    (home.data / "docs").mkdir()
    (home.data / "docs" / "made").write_text("in the way", encoding="utf-8")
    with pytest.raises(
        UserError, match="the pages cannot be written to .*: Not a directory|File exists"
    ):
        write_pages(con, home, "made")


def test_a_warehouse_of_before_gates_were_kept_has_pages(
    con: duckdb.DuckDBPyConnection, home: Home
) -> None:
    con.execute("DROP TABLE gates")
    assert "No gate has judged" in write_pages(con, home, "made").latest["data-docs"].read_text(
        encoding="utf-8"
    )


def test_the_first_page_leads_to_every_domain(con: duckdb.DuckDBPyConnection, home: Home) -> None:
    assert "No page yet." in render_served_index(home)
    write_pages(con, home, "made")
    page = render_served_index(home)
    for link in ("/reports/made/index.html", "/docs/made/index.html", "/reports/made/runs.html"):
        assert f'href="{link}"' in page
    assert "/domains/made" not in page  # there is no warehouse file to look through


def test_pages_settings_are_no_part_of_what_is_made() -> None:
    from tasks.runs import config_hash

    few = Domain.model_validate({**domain().model_dump(), "pages": {"keep": 3}})
    assert config_hash(few) == config_hash(domain())
    with pytest.raises(ValueError, match="greater than or equal to 1"):
        Domain.model_validate({**domain().model_dump(), "pages": {"keep": 0}})

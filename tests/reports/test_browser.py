from __future__ import annotations

import multiprocessing
import re
import time
from multiprocessing.synchronize import Event
from pathlib import Path

import duckdb
import pytest
from starlette.testclient import TestClient

from tasks.briefs import load_briefs
from tasks.goals import load_goals
from tasks.llm import make_request
from tasks.marks import read_log
from tasks.prompts import load_profile, render, render_repair
from tasks.quality import load_suites
from tasks.repair import load_repairs
from tasks.reports import browser_app
from tasks.reports.dialogue_search import PER_PAGE, Filters, search
from tasks.reports.request_replay import replay
from tasks.settings import Home
from tasks.warehouse import open_warehouse
from tests.support.chromium import CHROMIUM, Opened, browser_page, follow
from tests.support.report_warehouse import HOSTILE, domain, fill
from tests.support.served_app import served_app, slowly


def client(home: Home) -> TestClient:
    return TestClient(browser_app(home), base_url="http://127.0.0.1:8766")


def an_id(con: duckdb.DuckDBPyConnection, order: int) -> str:
    return str(
        con.execute("SELECT dialogue_id FROM briefs WHERE brief_order = ?", [order]).fetchall()[0][
            0
        ]
    )


@pytest.fixture
def con() -> duckdb.DuckDBPyConnection:
    made = duckdb.connect()
    fill(made, 120)
    return made


def test_every_filter_finds_what_a_plain_query_finds(con: duckdb.DuckDBPyConnection) -> None:
    template = con.execute("SELECT template_id FROM briefs WHERE brief_order = 7").fetchall()[0][0]
    whole = an_id(con, 7)
    plain = {
        Filters(): "SELECT count(*) FROM briefs",
        Filters(user="U3"): "SELECT count(*) FROM briefs WHERE user_id = 'U3'",
        Filters(
            item="I5"
        ): "SELECT count(DISTINCT dialogue_id) FROM brief_items WHERE item_id = 'I5'",
        Filters(
            item="FILM NUMBER 1"
        ): "SELECT count(DISTINCT dialogue_id) FROM brief_items WHERE title LIKE 'Film number 1%'",
        Filters(item="100%_"): "SELECT 0",
        Filters(template=template): f"SELECT count(*) FROM briefs WHERE template_id = '{template}'",
        Filters(
            rule="readable"
        ): "SELECT count(DISTINCT dialogue_id) FROM rejections WHERE rule = 'readable'",
        Filters(status="failed"): "SELECT count(*) FROM verdicts WHERE verdict = 'failed'",
        Filters(
            dialogue=whole[:6]
        ): f"SELECT count(*) FROM briefs WHERE starts_with(dialogue_id, '{whole[:6]}')",
        Filters(
            status="rejected", rule="completely-generated"
        ): "SELECT count(*) FROM rejections WHERE rule = 'completely-generated'",
        Filters(user="' OR 1 = 1 --"): "SELECT 0",
        Filters(
            words="MOTIF12 of"
        ): "SELECT count(DISTINCT dialogue_id) FROM utterances WHERE text ILIKE '%motif12%'",
        Filters(
            words='"motif12 of it"'
        ): "SELECT count(DISTINCT dialogue_id) FROM utterances WHERE text ILIKE '%motif12 of it%'",
        Filters(words='"motif12 it"'): "SELECT 0",
        Filters(words="motif12 film nowhere"): "SELECT 0",
        Filters(words="100% '; DROP TABLE briefs --"): "SELECT 0",
        Filters(words='" " "'): "SELECT count(*) FROM briefs",
        Filters(mark="any"): "SELECT 0",
        Filters(mark="none"): "SELECT count(*) FROM briefs",
        Filters(mark="excellent"): "SELECT 0",
    }
    for filters, query in plain.items():
        assert search(con, filters, 1).found == con.execute(query).fetchall()[0][0], filters
    assert search(con, Filters(dialogue=whole), 1).dialogues[0]["dialogue_id"] == whole


def test_pages_hold_every_dialogue_once_in_order(con: duckdb.DuckDBPyConnection) -> None:
    pages = [search(con, Filters(), number) for number in (1, 2, 3)]
    assert [len(page.dialogues) for page in pages] == [PER_PAGE, PER_PAGE, 20]
    assert pages[0].pages == 3
    shown = [row["dialogue_id"] for page in pages for row in page.dialogues]
    assert shown == [
        row[0]
        for row in con.execute("SELECT dialogue_id FROM briefs ORDER BY brief_order").fetchall()
    ]
    assert search(con, Filters(), 99).page == 3
    assert search(con, Filters(), 0).page == 1


@pytest.mark.parametrize(
    ("sort", "column"),
    [
        (
            "words",
            "(SELECT sum(words) FROM utterances u WHERE u.dialogue_id = b.dialogue_id AND "
            "u.attempt = v.attempt)",
        ),
        ("turns", "b.turns"),
        ("status", "v.verdict"),
        (
            "rules",
            "(SELECT count(DISTINCT rule) FROM rejections r WHERE r.dialogue_id = b.dialogue_id)",
        ),
        ("rule", "(SELECT min(rule) FROM rejections r WHERE r.dialogue_id = b.dialogue_id)"),
        ("template", "b.template_id"),
        ("user", "b.user_id"),
        ("item", "(SELECT title FROM items i WHERE i.item_id = b.target_item_id)"),
        ("brief_order; DROP TABLE briefs", "b.brief_order"),
    ],
)
@pytest.mark.parametrize("way", ["", "-"])
def test_every_order_is_that_of_a_plain_query(
    con: duckdb.DuckDBPyConnection, sort: str, column: str, way: str
) -> None:
    direction = "DESC" if way else "ASC"
    plain = f"""
        SELECT b.dialogue_id FROM briefs b JOIN verdicts v USING (dialogue_id)
        ORDER BY {column} {direction} NULLS LAST, brief_order
    """
    filters = Filters(sort=way + sort)
    shown = [
        row["dialogue_id"] for number in (1, 2, 3) for row in search(con, filters, number).dialogues
    ]
    wanted = [row[0] for row in con.execute(plain).fetchall()]
    assert shown == wanted


def test_ten_thousand_dialogues_are_searched_within_a_second() -> None:
    many = duckdb.connect(config={"threads": 2})
    fill(many, 10_000)
    began = time.process_time()
    page = search(many, Filters(words='motif12 "film number"', sort="-words"), 1)
    assert page.found > 0
    assert "motif12" in page.dialogues[0]["opening"]
    assert time.process_time() - began < 2.0  # of two threads


def test_a_list_is_sorted_searched_and_jumped_through(hostile_home: Home) -> None:
    shown = client(hostile_home).get("/domains/made?sort=-words&words=motif&page=3").text
    assert "page 3 of 95" in shown
    assert 'rel="first"' in shown
    assert 'rel="last" href="?words=motif&amp;sort=-words&amp;page=95"' in shown
    assert '<input type="hidden" name="words" value="motif">' in shown
    assert 'max="95"' in shown
    assert 'aria-sort="descending"' in shown


def form_of(page: str) -> dict[str, str]:
    return dict(
        re.findall(r'<input type="hidden" name="(token|attempt|text_hash)" value="(\w*)">', page)
    )


@pytest.fixture
def marked(tmp_path: Path) -> tuple[Home, str]:
    """A data folder, and the address of a dialogue in it."""
    home = Home(data=tmp_path)
    with open_warehouse(home.warehouse("made")) as con:
        fill(con, 20)
        return home, f"/domains/made/{an_id(con, 3)}"


def test_a_mark_is_kept_shown_found_and_its_name_remembered(marked: tuple[Home, str]) -> None:
    home, address = marked
    browser = client(home)
    form = {
        **form_of(browser.get(address).text),
        "mark": "bad",
        "comment": "a <b>comment</b> \u202e",
        "who": "Ann <i>",
    }
    kept = browser.post(f"{address}/marks", data=form, follow_redirects=False)
    assert (kept.status_code, kept.headers["location"]) == (303, f"{address}?attempt=1#marks")
    assert "HttpOnly" in kept.headers["set-cookie"]
    assert "SameSite=strict" in kept.headers["set-cookie"]
    shown = browser.get(address).text
    assert "a &lt;b&gt;comment&lt;/b&gt; &lt;U+202E&gt;" in shown
    assert 'value="Ann &lt;i&gt;"' in shown
    assert "its words have changed since" not in shown
    assert "1 dialogue\n" in browser.get("/domains/made?mark=bad").text.replace("</p>", "\n")
    assert "19 dialogues" in browser.get("/domains/made?mark=none").text
    with open_warehouse(home.warehouse("made")) as con:
        con.execute(
            "UPDATE utterances SET text = 'other words' WHERE dialogue_id = ?",
            [address.split("/")[-1]],
        )
    assert "its words have changed since" in browser.get(address).text


def test_a_mark_is_of_what_was_shown_also_while_a_build_holds_the_warehouse(
    marked: tuple[Home, str],
) -> None:
    home, address = marked
    browser = client(home)
    form = form_of(browser.get(address).text)
    spawn = multiprocessing.get_context("spawn")
    writing, done = spawn.Event(), spawn.Event()
    build = spawn.Process(target=_build, args=(home.warehouse("made"), writing, done))
    build.start()
    try:
        assert writing.wait(30)
        assert (
            browser.post(
                f"{address}/marks", data={**form, "mark": "good"}, follow_redirects=False
            ).status_code
            == 303
        )
        assert [mark.text_hash for mark in read_log(home, "made").marks] == [form["text_hash"]]
    finally:
        done.set()
        build.join(30)


@pytest.mark.parametrize(
    ("changes", "headers", "status"),
    [
        ({"token": ""}, {}, 400),
        ({"token": "0" * 64}, {}, 400),
        ({"token": "\u00e9"}, {}, 400),
        ({"text_hash": "f" * 16}, {}, 400),
        ({"attempt": "2"}, {}, 400),
        ({"attempt": "9" * 5000}, {}, 400),
        ({"mark": "great"}, {}, 400),
        ({"mark": ""}, {}, 400),
        ({"comment": "x" * 30_000}, {}, 400),
        ({}, {"Origin": "http://evil.example"}, 403),
        ({}, {"Origin": "null"}, 403),
        ({}, {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, 403),
        ({}, {"Host": "evil.example"}, 400),
    ],
)
def test_a_mark_of_another_page_is_refused(
    marked: tuple[Home, str], changes: dict[str, str], headers: dict[str, str], status: int
) -> None:
    home, address = marked
    form = {**form_of(client(home).get(address).text), "mark": "good"}
    # Of another start: its key differs.
    browser = TestClient(browser_app(home), base_url="http://127.0.0.1:8766")
    assert browser.post(f"{address}/marks", data=form).status_code == 400
    form = {**form_of(browser.get(address).text), "mark": "good", **changes}
    answer = browser.post(f"{address}/marks", data=form, headers=headers, follow_redirects=False)
    assert answer.status_code == status
    assert "Traceback" not in answer.text
    assert read_log(home, "made").marks == ()


def test_without_marking_nothing_can_be_changed(marked: tuple[Home, str]) -> None:
    home, address = marked
    browser = TestClient(browser_app(home, marking=False), base_url="http://127.0.0.1:8766")
    shown = browser.get(address)
    assert shown.status_code == 200
    assert 'method="post"' not in shown.text
    assert "None yet." in shown.text
    assert browser.post(f"{address}/marks", data={"mark": "good"}).status_code in (404, 405)


def test_filters_come_from_an_address_and_are_cut() -> None:
    filters = Filters.of({"user": "  x ", "item": "y" * 900, "drop": "table"})
    assert filters.user == "x"
    assert len(filters.item) == 200
    assert set(filters.set()) == {"user", "item"}


def test_a_rule_broken_before_the_repair_is_told_apart(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        "UPDATE verdicts SET verdict = 'accepted', attempt = 2 WHERE dialogue_id = ?",
        [an_id(con, 20)],
    )
    (row,) = search(con, Filters(dialogue=an_id(con, 20)), 1).dialogues
    assert row["rules"] == []
    assert row["earlier"] == ["readable"]


def test_the_prompt_shown_is_the_one_that_was_sent(con: duckdb.DuckDBPyConnection) -> None:
    home, settings, dialogue = Home(), domain(), an_id(con, 20)
    profile, goals = load_profile(home, "grounded"), load_goals(home).worded("film", "seen")
    (brief,) = load_briefs(con, settings, [dialogue])
    sent = render(profile, goals, brief)
    first = make_request(settings.generate, sent.messages, sent.response_format, 1)
    says = {
        rule.rule: rule.says
        for suite in load_suites(home, settings.quality.suites)
        for rule in suite.rules
    }
    again = render_repair(profile, goals, *_to_repair(con, brief, says))
    second = make_request(settings.generate, again.messages, again.response_format, 2)
    answer = "SELECT * REPLACE (? AS request_key) FROM responses WHERE dialogue_id = ?"
    for request in (first, second):
        con.execute(f"INSERT INTO responses {answer} LIMIT 1", [request.key, dialogue])
    con.execute(
        "UPDATE transcripts SET request_keys = [?] WHERE dialogue_id = ?", [first.key, dialogue]
    )
    con.execute(
        "INSERT INTO transcripts SELECT * REPLACE (2 AS attempt, [?] AS request_keys, 'repair' "
        "AS rollout) "
        "FROM transcripts WHERE dialogue_id = ?",
        [second.key, dialogue],
    )
    for attempt, request in ((1, first), (2, second)):
        (asked,) = replay(con, home, settings, dialogue, attempt)
        assert asked.same
        assert asked.request_key == request.key
        assert asked.messages == request.messages
        assert asked.answer is not None
        assert asked.answer.text == "raw "
    warmer = settings.model_copy(
        update={"generate": settings.generate.model_copy(update={"temperature": 1.3})}
    )
    assert not replay(con, home, warmer, dialogue, 1)[0].same
    assert replay(con, home, settings, dialogue, 3) == []


def _to_repair(
    con: duckdb.DuckDBPyConnection, brief: object, says: dict[str, str]
) -> tuple[object, str, tuple[object, ...]]:
    (repair,) = load_repairs(con, [brief], 2, says)  # type: ignore[list-item]
    return brief, repair.previous, repair.findings


def test_a_failed_attempt_shows_what_would_be_asked(con: duckdb.DuckDBPyConnection) -> None:
    (asked,) = replay(con, Home(), domain(), an_id(con, 1), 1)
    assert (asked.request_key, asked.same, asked.answer) == ("", False, None)
    assert len(asked.messages) == 2


def test_hostile_texts_are_shown_and_do_nothing(
    hostile_home: Home, hostile: duckdb.DuckDBPyConnection
) -> None:
    browser = client(hostile_home)
    pages = [f"/domains/made/{an_id(hostile, order)}" for order in (0, 1, 2)]
    for path in (
        "/domains/made",
        "/domains/made?user=%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
        *pages,
    ):
        shown = browser.get(path)
        assert shown.status_code == 200
        assert HOSTILE not in shown.text
        assert not re.search(r"<script|<img", shown.text)
        assert not re.search("[\x00-\x08\x0b-\x1f\u200b\u202a-\u202e]", shown.text)
        assert "default-src 'none'" in shown.headers["content-security-policy"]


@pytest.mark.parametrize(
    "path",
    [
        "/domains/none",
        "/domains/made/xyz",
        "/domains/made/0000000000000000",
        "/domains/..%2fmade",
        "/domains/MADE",
        "/nothing",
    ],
)
def test_what_is_not_there_is_told_plainly(hostile_home: Home, path: str) -> None:
    shown = client(hostile_home).get(path)
    assert shown.status_code == 404
    assert "Traceback" not in shown.text
    assert not list((hostile_home.data / "warehouse").glob("none*"))


def test_only_this_machine_is_answered_and_nothing_can_be_changed(hostile_home: Home) -> None:
    assert (
        TestClient(browser_app(hostile_home), base_url="http://evil.example").get("/").status_code
        == 400
    )
    assert client(hostile_home).post("/domains/made").status_code == 405
    assert (
        client(hostile_home).get("/", headers={"Origin": "http://evil.example"}).status_code == 403
    )
    for path in ("/", "/shared/base.css", "/domains/none"):
        assert (
            "script-src 'self'" in client(hostile_home).get(path).headers["content-security-policy"]
        )


def test_a_data_folder_with_nothing_in_it(home: Home) -> None:
    assert "There is no warehouse" in client(home).get("/").text


def _build(path: Path, writing: Event, done: Event) -> None:
    with open_warehouse(path):
        writing.set()
        done.wait(30)


def test_a_build_can_run_beside_the_browser_and_is_told(home: Home) -> None:
    path = home.warehouse("made")
    with open_warehouse(path) as con:
        fill(con, 20)
    browser = client(home)
    assert browser.get("/domains/made").status_code == 200
    spawn = multiprocessing.get_context("spawn")
    writing, done = spawn.Event(), spawn.Event()
    build = spawn.Process(target=_build, args=(path, writing, done))
    build.start()
    try:
        assert writing.wait(30)  # the browser that is open did not keep the build out
        assert "another process is working" in browser.get("/domains/made").text
        assert "another process is working" in browser.get("/").text
    finally:
        done.set()
        build.join(30)
    assert browser.get("/domains/made").status_code == 200


@pytest.mark.skipif(not CHROMIUM.is_file(), reason="no Chromium here")
def test_a_walk_through_it_in_a_browser(hostile_home: Home) -> None:
    seen = Opened()
    with (
        served_app(slowly(browser_app(hostile_home))) as address,
        browser_page(seen, offline=False) as page,
    ):
        page.goto(address)
        follow(page, "text=made")
        assert "5,000 dialogues" in page.inner_text("#found")
        page.select_option("select[name=rule]", "readable")
        page.select_option("select[name=status]", "rejected")
        follow(page, "button")
        assert "250 dialogues, page 1 of 5" in page.inner_text("#found")
        follow(page, "a[rel=next]")
        assert "page 2 of 5" in page.inner_text("#found")
        follow(page, "td a >> nth=0")
        assert page.locator("#dialogue li").count() >= 6
        assert "readable" in page.inner_text("#evidence")
        assert page.locator("#prompt pre").count() == 3
        assert "raw" in page.inner_text("#prompt")
        page.check("input[value=unsure]")
        page.fill("textarea", "read twice")
        page.fill("input[name=who]", "Ann")
        follow(page, "text=Keep")
        assert "read twice" in page.inner_text("#marks")
        assert page.input_value("input[name=who]") == "Ann"
        assert page.title() != "owned"
        assert {url.split("/")[2] for url in seen.requests} == {address.split("/")[2]}
    assert seen.problems == []

"""The pages server shows pages, and nothing else of the data folder."""

from __future__ import annotations

import socket
from pathlib import Path

import httpx
import pytest

from flows.pages import ADDRESS, address_of, browse_address, pages_app
from tasks.reports import write_pages
from tasks.settings import Home
from tasks.warehouse import domain_lock, open_warehouse
from tests.support.report_warehouse import fill


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(data=tmp_path)
    page = home.data_docs("demo") / "index.html"
    page.parent.mkdir(parents=True)
    page.write_text("<p>Data Docs</p>", encoding="utf-8")
    home.warehouse("demo").parent.mkdir()
    home.warehouse("demo").write_text("secret", encoding="utf-8")
    return home


def browsing(home: Home, login: str = "") -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(pages_app(home, login)), base_url="http://127.0.0.1:4201")


async def test_pages_are_listed_and_open(home: Home) -> None:
    client = browsing(home)
    assert 'href="/docs/demo/index.html"' in (await client.get("/")).text
    assert (await client.get("/docs/demo/index.html")).text == "<p>Data Docs</p>"
    assert (await client.get("/docs/demo/")).text == "<p>Data Docs</p>"


@pytest.mark.parametrize("path", ["/warehouse/demo.duckdb", "/docs/../warehouse/demo.duckdb", "/docs/%2e%2e/warehouse/demo.duckdb"])
async def test_nothing_else_opens(home: Home, path: str) -> None:
    answer = await browsing(home).get(path)
    assert answer.status_code == 404
    assert "secret" not in answer.text


async def test_a_link_out_of_the_folder_is_not_followed(home: Home) -> None:
    (home.data / "docs" / "out").symlink_to(home.data / "warehouse")
    assert (await browsing(home).get("/docs/out/demo.duckdb")).status_code == 404


async def test_a_file_name_that_is_markup_is_none_on_the_first_page(home: Home) -> None:
    page = home.data / "docs" / "<script>alert(1)<" / "index.html"
    card = home.releases("demo") / "<script>alert(2)<" / "README.md"
    for file in (page, card):
        file.parent.mkdir(parents=True)
        file.touch()
    shown = (await browsing(home).get("/")).text
    assert "<script>" not in shown and "&lt;script&gt;alert(2)" in shown


async def test_a_password_is_asked_for(home: Home) -> None:
    client = browsing(home, "ann:open sesame")
    assert (await client.get("/")).status_code == 401
    assert (await client.get("/docs/demo/index.html", auth=("ann", "wrong"))).status_code == 401
    assert (await client.get("/docs/demo/index.html", auth=("ann", "open sesame"))).status_code == 200


async def test_no_page_runs_a_script_or_stands_in_a_frame(home: Home) -> None:
    for path in ("/", "/docs/demo/index.html", "/docs/none"):
        policy = (await browsing(home).get(path)).headers["content-security-policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
        assert "script-src" not in policy


@pytest.mark.parametrize("headers", [{"Host": "evil.test:4201"}, {"Origin": "http://evil.test"}, {"Origin": "http://127.0.0.1:4200"}])
@pytest.mark.parametrize("login", ["", "ann:open sesame"])
async def test_pages_of_others_read_nothing(home: Home, headers: dict[str, str], login: str) -> None:
    answer = await browsing(home, login).get("/docs/demo/index.html", headers=headers, auth=("ann", "open sesame"))
    assert answer.status_code in {400, 403}
    assert "Data Docs" not in answer.text


async def test_a_link_from_the_ui_opens(home: Home) -> None:
    followed = {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate"}
    assert (await browsing(home).get("/docs/demo/index.html", headers=followed)).status_code == 200


def test_the_address_of_a_page(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that is not served is named by its file: a link to that would be dead, as a browser opens no file from another page."""
    page = home.data_docs("demo") / "index.html"
    monkeypatch.delenv(ADDRESS, raising=False)
    assert address_of(home, page) == str(page)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        pages = f"http://127.0.0.1:{listening.getsockname()[1]}"
        monkeypatch.setenv(ADDRESS, f"{pages}/")
        assert address_of(home, page) == f"{pages}/docs/demo/index.html"
        assert address_of(home, Path("/elsewhere/x.html")) == "/elsewhere/x.html"
    assert address_of(home, page) == str(page)  # nobody listens there any more
    monkeypatch.setenv(ADDRESS, "https://pages.example.org")
    assert address_of(home, page) == "https://pages.example.org/docs/demo/index.html"
    for broken in ("pages", "http://[::1", "http://127.0.0.1:x"):
        monkeypatch.setenv(ADDRESS, broken)
        assert address_of(home, page) == str(page)


@pytest.fixture
def built(tmp_path: Path) -> tuple[Home, str]:
    """A domain with pages and a warehouse, and a dialogue of it that was rejected."""
    home = Home(data=tmp_path / "built")
    with open_warehouse(home.warehouse("made")) as con:
        fill(con, 40)
        write_pages(con, home, "made")
        ((dialogue_id,),) = con.execute("SELECT dialogue_id FROM rejections WHERE rule = 'readable' ORDER BY ALL LIMIT 1").fetchall()
    return home, dialogue_id


async def test_rules_and_ids_lead_to_the_dialogues_where_pages_are_served(built: tuple[Home, str]) -> None:
    home, dialogue_id = built
    report = (await browsing(home).get("/reports/made/index.html")).text
    assert f'<a href="/domains/made/{dialogue_id}">' in report and "data-browse" not in report
    assert f'<a data-browse="/domains/made/{dialogue_id}">' in (home.data / "reports/made/index.html").read_text(encoding="utf-8")
    shown = await browsing(home).get(f"/domains/made/{dialogue_id}")
    assert shown.status_code == 200 and dialogue_id in shown.text and "form-action 'self'" in shown.headers["content-security-policy"]
    listed = await browsing(home).get("/domains/made?rule=readable")
    assert dialogue_id in listed.text
    for style in ("/static/report.css", "/shared/base.css"):
        assert (await browsing(home).get(style)).status_code == 200
    assert 'href="/domains/made"' in (await browsing(home).get("/")).text


async def test_the_browser_asks_for_the_login_and_answers_no_other_page(built: tuple[Home, str]) -> None:
    home, dialogue_id = built
    path = f"/domains/made/{dialogue_id}"
    assert (await browsing(home, "ann:secret").get(path)).status_code == 401
    assert (await browsing(home, "ann:secret").get(path, auth=("ann", "secret"))).status_code == 200
    for headers in ({"Host": "evil.test:4201"}, {"Origin": "http://evil.test"}):
        answer = await browsing(home).get(path, headers=headers)
        assert answer.status_code in {400, 403} and dialogue_id not in answer.text
    named = httpx.AsyncClient(transport=httpx.ASGITransport(pages_app(home, hosts=["pages.example"])), base_url="http://pages.example")
    assert (await named.get(path)).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_nothing_can_be_changed(built: tuple[Home, str], method: str) -> None:
    for path in ("/", "/domains/made", f"/domains/made/{built[1]}", "/reports/made/index.html"):
        assert (await browsing(built[0]).request(method, path)).status_code == 405


async def test_while_a_build_runs_the_browser_says_so_and_keeps_it_out_of_nothing(built: tuple[Home, str]) -> None:
    home, dialogue_id = built
    with domain_lock(home, "made"):
        for path in ("/domains/made", f"/domains/made/{dialogue_id}"):
            answer = await browsing(home).get(path)
            assert "a build of &#39;made&#39; is running" in answer.text
        with open_warehouse(home.warehouse("made")) as con:  # between two stages too, nobody reads
            assert con.execute("SELECT count(*) FROM briefs").fetchall() == [(40,)]
        assert (await browsing(home).get("/reports/made/index.html")).status_code == 200
    assert (await browsing(home).get("/domains/made")).status_code == 200


def test_the_browsers_address_is_offered_where_pages_are_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ADDRESS, raising=False)
    assert browse_address("demo") == {}
    monkeypatch.setenv(ADDRESS, "https://pages.example.org/")
    assert browse_address("demo") == {"browse": "https://pages.example.org/domains/demo"}
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{listening.getsockname()[1]}"
    monkeypatch.setenv(ADDRESS, closed)
    assert browse_address("demo") == {}  # nobody listens there

"""The pages server shows pages, and nothing else of the data folder."""

from __future__ import annotations

import socket
from pathlib import Path

import httpx
import pytest

from flows.pages import ADDRESS, address_of, pages_app
from tasks.settings import Home


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


async def test_a_file_name_shows_escaped(home: Home) -> None:
    page = home.data / "docs" / "<script>alert(1)<" / "index.html"
    page.parent.mkdir()
    page.touch()
    assert "<script>" not in (await browsing(home).get("/")).text


async def test_a_password_is_asked_for(home: Home) -> None:
    client = browsing(home, "ann:open sesame")
    assert (await client.get("/")).status_code == 401
    assert (await client.get("/docs/demo/index.html", auth=("ann", "wrong"))).status_code == 401
    assert (await client.get("/docs/demo/index.html", auth=("ann", "open sesame"))).status_code == 200


async def test_no_page_runs_a_script_or_stands_in_a_frame(home: Home) -> None:
    for path in ("/", "/docs/demo/index.html", "/none"):
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

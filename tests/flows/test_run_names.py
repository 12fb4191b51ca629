"""Names of runs: one that a person gave stays, the others say what is done and have a number; logs and artifacts show plain figures."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.settings import temporary_settings
from prefect.utilities.names import generate_slug

from flows.artifacts import link_pages
from flows.backfill_domains import choose_domains
from flows.figures import counts_text, figure, table_rows
from flows.run_names import _CLASSIC, _NEWER, _page_words, is_generated, listed, name_run, short
from flows.server.ephemeral import local_server
from tasks.settings import Home
from tests.support.served import Served, demo_like, serving

# --- names that nobody gave


def test_names_that_the_server_makes_up_are_known() -> None:
    assert [name for name in (generate_slug(2) for _ in range(500)) if not is_generated(name)] == []


@pytest.mark.parametrize(
    "name",
    [
        "alpha-andromedae",
        "beta2-canis-majoris",
        "gamma417-gondor-void",
        "zeta-einstein-c",
        "omega12-barad-dur-x",
        "Rustic-Addax",
    ],
)
def test_names_that_the_user_interfaces_fill_in_are_known(name: str) -> None:
    assert is_generated(name)


def test_the_words_of_both_user_interfaces_are_found() -> None:
    assert len(_page_words(*_CLASSIC)) > 1000 and len(_page_words(*_NEWER)) > 1000


@pytest.mark.parametrize(
    "name",
    [
        *(
            "my first try",
            "nightly",
            "beta-test",
            "alpha-release",
            "quick-run",
            "baseline",
            "gpt-4o-mini",
            "demo-2",
            "Small-batch",
        ),
        *(
            "build demo 187 briefs writer #3",
            "",
            "agile",
            "agile-",
            "-wombat",
            "pi-day",
            "zeta-",
            "agile-wombat-2",
            "Tasty-films!",
        ),
    ],
)
def test_names_that_a_person_gives_are_not(name: str) -> None:
    assert not is_generated(name)


# --- on a server


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with local_server(tmp_path_factory.mktemp("server"), lambda: None) as running:
        user, _, password = running.login.partition(":")
        with (
            temporary_settings(updates={"api.url": running.api, "api.auth_string": running.login}),
            httpx.Client(base_url=running.api, auth=(user, password), timeout=60) as client,
        ):
            yield client


@flow(name="named")
async def named(*details: str, subject: str = "demo", given: str = "") -> str:
    """Name this run as a flow of ours does, after a person gave it a name; return the name it then has."""
    from prefect.runtime import flow_run

    run_id = flow_run.get_id()
    async with get_client() as client:
        if given:
            await client.set_flow_run_name(run_id, given)
        await name_run("build", subject, *details[:1])
        await name_run("build", subject, *details[1:])
        return (await client.read_flow_run(run_id)).name


@pytest.mark.usefixtures("api")
async def test_a_run_is_named_by_what_it_does_and_numbered_by_its_domain() -> None:
    assert (
        await named("gpt-4o-mini", "187 briefs", "gpt-4o-mini")
        == "build demo 187 briefs gpt-4o-mini #1"
    )
    assert (
        await named("gpt-4o-mini", "1,870 briefs", "gpt-4o-mini")
        == "build demo 1,870 briefs gpt-4o-mini #2"
    )
    assert await named("writer", subject="demo2") == "build demo2 writer #1"
    assert await named("writer", "writer", given="my own") == "my own"
    assert (
        await named("writer", "writer", given="build demo the best #9") == "build demo the best #9"
    )
    # Theirs counts as a number.
    assert await named("writer", "writer", given="gamma417-gondor-void") == "build demo writer #10"
    # Taken up again after its process was lost: the number stays.
    assert (
        await named("writer", "9 briefs", "writer", given="build demo 187 briefs writer #4")
        == "build demo 9 briefs writer #4"
    )
    assert await named("a\x1b[31m\nline #7") == "build demo a<U+001B>[31m line 7 #11"


@flow(name="linking")
async def linking(addresses: dict[str, str]) -> str:
    from prefect.runtime import flow_run

    await link_pages("demo", addresses)
    return str(flow_run.get_id())


async def test_only_what_is_served_is_linked(api: httpx.Client) -> None:
    run_id = await linking(
        {
            "report": "/data/reports/demo/index.html",
            "data-docs": "http://127.0.0.1:1/docs/demo/index.html",
        }
    )
    chosen = {"artifacts": {"flow_run_id": {"any_": [run_id]}}}
    found = {
        each["key"]: each["data"]
        for each in api.post("/artifacts/filter", json=chosen).raise_for_status().json()
    }
    assert found == {
        "demo-report": "Report of demo: `/data/reports/demo/index.html`",
        "demo-data-docs": "[Data Docs of demo](http://127.0.0.1:1/docs/demo/index.html)",
    }


def test_parts_of_names() -> None:
    assert [
        short(name) for name in ("openai/gpt-4o-mini", "offline/writer", "/a/b/corpus", "demo", "/")
    ] == [*("gpt-4o-mini", "writer", "corpus", "demo", "/")]
    assert [listed(names) for names in ([], ["demo"], ["demo", "books"], ["x/y", "b", "c"])] == [
        *("nothing", "demo", "demo and 1 more", "y and 2 more")
    ]


# --- figures


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (187, "187"), (2473, "2,473"), (187.0, "187"), (1794.0, "1,794"), (1731.3846, "1,731.38"), (0.0, "0"), (0.00080873, "0.0008087"),
        (8.0214, "8.02"), (-3.0, "-3"), (None, ""), (True, "yes"), ("text", "text"), (Path("/a/b"), "/a/b"), (["a", 2], "a, 2"),
        ({"broken_line": 1, (0, 2): 3.5}, "1 broken line, 3.50 0/2"),
    ],
)  # fmt: skip
def test_figures_in_words(value: object, shown: str) -> None:
    assert figure(value) == shown


@dataclass(frozen=True)
class Counts:
    lines: int
    bad_share: float
    rejected: dict[str, int]
    docs: Path | None = None


def test_counts_of_a_stage_are_a_line_without_pythons_own_forms() -> None:
    assert counts_text(Counts(2473, 0.0008, {"broken_line": 1, "off_scale": 2})) == (
        "lines: 2,473; bad share: 0.0008; rejected: 1 broken line, 2 off scale"
    )
    assert counts_text(Counts(0, 0.0, {})) == "nothing"


def test_numbers_of_a_table_have_few_digits() -> None:
    assert table_rows(
        [{"a": 8.02139037433155, "b": 100.0, "c": None, "d": 3, "e": 0.00080873, "f": ["x", "y"]}]
    ) == [{"a": 8.02, "b": 100, "c": "", "d": 3, "e": 0.0008087, "f": "x, y"}]
    assert isinstance(table_rows([{"b": 100.0}])[0]["b"], int)


# --- all domains


def test_all_are_the_domains_whose_sources_are_there(tmp_path: Path) -> None:
    home = Home(data=tmp_path)
    demo_like(tmp_path, "own", title="Our own")
    demo_like(
        tmp_path,
        "moved",
        title="Moved",
        sources={"format": "amazon_2014", "reviews": ["gone.json.gz"]},
    )
    (tmp_path / "domains" / "broken.yaml").write_text("nuon: typo\n", "utf-8")
    chosen = choose_domains(home, "all")
    # What is wrong with them is for their own runs to say.
    assert {"own", "moved", "broken", "demo"} == set(chosen.build)
    assert (
        chosen.not_fetched["books"]
        == "its source files are not here; `redial fetch books` downloads them"
    )
    assert choose_domains(home, ["demo", "all"]) == chosen
    assert choose_domains(home, ["own", "demo", "own"]).build == ("own", "demo")
    demo_like(tmp_path, "late", title="Late")
    assert "late" in choose_domains(home, ["all"]).build  # as the files are when it runs


# --- as an operator sees it


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    data = tmp_path_factory.mktemp("named")
    demo_like(data, "own", title="Our own", briefs={"max_dialogues": 10})
    with serving(data) as served:
        yield served


def started(served: Served, deployment: str, name: str | None, **parameters: Any) -> dict[str, Any]:
    """Start a deployment under a name, as its form does, and return the run at its end."""
    body: dict[str, Any] = {
        "parameters": parameters,
        "state": {"type": "SCHEDULED"},
        **({"name": name} if name else {}),
    }
    start = f"/deployments/{served.deployment(deployment)['id']}/create_flow_run"
    return served.wait(served.client.post(start, json=body).raise_for_status().json()["id"])


@pytest.mark.heavy
def test_runs_keep_their_names_and_say_nothing_of_python(running: Served) -> None:
    first = started(running, "build/own", None, domain="own")
    given = started(running, "build/own", "the first that counts", domain="own")
    filled = started(running, "build/own", "beta-orionis", domain="own")
    assert [first["name"], given["name"], filled["name"]] == [
        *("build own 10 briefs writer #1", "the first that counts", "build own 10 briefs writer #2")
    ]
    told = running.logs(first["id"])
    assert "ingest: 2,468 rows in " in told and "lines: 2,473" in told
    assert not re.search(r"Counts\(|PosixPath|\bNone\b|dict\(|\{'|=\[", told), told
    left = running.artifacts(first["id"])
    assert "| Avg. #Dialogues per User | 3.33 |" in left["own-summary"]["data"]
    assert not re.search(r"\d\.0+ \||\bNone\b|\d\.\d{5}", left["own-summary"]["data"])
    for name in ("funnel", "stages", "might-likes", "rules"):
        assert not re.search(r"\d\.\d{3}|\.0\b|null", str(left[f"own-{name}"]["data"])), name


@pytest.mark.heavy
def test_a_backfill_of_all_domains_links_each_run_before_its_message(running: Served) -> None:
    run = started(running, "backfill/backfill", None, domains="all", options={"max_dialogues": 5})
    assert run["state"]["name"] == "Completed", running.logs(run["id"])
    assert run["name"] == "backfill demo and 1 more #1"
    rows = running.artifacts(run["id"])["backfill"]["data"]
    assert re.search(
        r'"domain": "own", "state": "Completed", "run": "\[build own 5 briefs writer #\d+\]\(http',
        rows,
    )
    assert (
        '"domain": "books", "state": "Not fetched", "run": "", "message": "its source files are not here'
        in rows
    )
    again = started(
        running, "backfill/backfill", None, domains=["all"], options={"max_dialogues": 5}
    )
    assert again["name"] == "backfill demo and 1 more #2"

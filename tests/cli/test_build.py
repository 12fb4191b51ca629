"""The main job as a user runs it: the demo from a clean data folder, again, and in another folder; its release read by an outsider.

The golden figures, and what the tutorial and README.md show of them, are rewritten by `python -m
tests.cli.test_build` after a change that is meant to change the demo's dialogues.
"""

from __future__ import annotations

import filecmp
import io
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console

from flows.build_result import BuildResult
from flows.cli.views import show_result
from flows.pipeline import RELEASE
from flows.server.ephemeral import PrivateServer
from flows.specifications import load_specifications
from flows.stages import new_context
from tasks.errors import UserError
from tasks.settings import Home
from tasks.warehouse import open_warehouse, read_warehouse
from tests.docs.demo_pages import DEMO_PAGES, demo_outputs, refreshed
from tests.support.chromium import CHROMIUM, opened
from tests.support.command import environment_with, environment_without, run_redial
from tests.support.release_reader import read_release, sums_hold

GOLDEN = Path(__file__).with_name("golden_demo.json")


def redial(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run_redial(data, *arguments, environment=environment_without("PREFECT_API_URL"))


def build(data: Path, server: PrivateServer | None = None) -> tuple[dict[str, Any], str]:
    """Build the demo on a Prefect server of the tests, or on one of the command's own."""
    environment = environment_with(server) if server else environment_without("PREFECT_API_URL")
    done = run_redial(data, "build", "demo", "--json", environment=environment)
    assert done.returncode == 0, done.stderr
    # DuckDB objects that outlive the interpreter would complain in every user's terminal.
    assert "leaked" not in done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result, done.stderr


def figures(result: dict[str, Any]) -> dict[str, Any]:
    text = (Path(result["release"]) / "Conversation.txt").read_bytes()
    return {
        **{name: result[name] for name in ("funnel", "rules", "statistics")},
        "Conversation.txt": sha256(text).hexdigest(),
    }


def printed(data: Path, result: dict[str, Any], told: str) -> str:
    """Return what `redial build demo` prints without --json: its stages as they were told, then the result as it is shown."""
    stages = [
        line.rstrip() for line in told.splitlines() if re.match(r"  \S+ +(done|cached) ", line)
    ]
    shown = io.StringIO()
    show_result(
        Console(file=shown, highlight=False, soft_wrap=True, width=120), BuildResult(**result)
    )
    lines = [
        *stages,
        "",
        *(
            line.rstrip()
            for line in shown.getvalue().replace(f"{data.resolve()}/", "data/").splitlines()
        ),
    ]
    return "\n".join(lines) + "\n"


def without_version(text: str) -> str:
    """Return what was printed without the version of the release, which changes with the code."""
    return re.sub(r"(?<=^release: data/releases/demo/)\w+$", "VERSION", text, flags=re.MULTILINE)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, Any], str]]:
    data = tmp_path_factory.mktemp("first")
    yield (data, *build(data))


@pytest.fixture(scope="module")
def outputs(first: tuple[Path, dict[str, Any], str]) -> dict[str, str]:
    """What the pages show of the first build."""
    return demo_outputs(first[0], printed(*first))


def test_the_demo_comes_out_as_it_always_does(first: tuple[Path, dict[str, Any], str]) -> None:
    _, result, told = first
    assert figures(result) == json.loads(GOLDEN.read_text(encoding="utf-8"))
    assert result["statistics"]["#Dialogues"] >= 150
    assert "Traceback" not in told


@pytest.mark.parametrize("page", DEMO_PAGES, ids=lambda page: page.stem)
def test_a_page_shows_what_the_demo_prints(
    page: Path, first: tuple[Path, dict[str, Any], str], outputs: dict[str, str]
) -> None:
    text = page.read_text(encoding="utf-8")
    assert text.count("<!-- /") >= 2
    assert without_version(text) == without_version(refreshed(text, outputs))


@pytest.mark.skipif(not CHROMIUM.is_file(), reason="no Chromium here")
def test_the_demos_report_opens_with_the_network_cut(
    first: tuple[Path, dict[str, Any], str],
) -> None:
    page = Path(first[1]["pages"]["report"])
    seen = opened(page)
    assert seen.problems == [] and seen.requests == []
    assert "Demo movies" in seen.title and page.stat().st_size < 5_000_000


def test_the_funnel_adds_up(first: tuple[Path, dict[str, Any], str]) -> None:
    data, result, _ = first
    assert sum(row["percent"] for row in result["funnel"]) == pytest.approx(100)
    told = json.loads(redial(data, "funnel", "demo", "--json").stdout)
    assert {row["verdict"]: row["briefs"] for row in told["verdicts"]} == {
        row["verdict"]: row["briefs"] for row in result["funnel"]
    }


def test_what_was_left_out_is_told_by_kind(first: tuple[Path, dict[str, Any], str]) -> None:
    data, result, told = first
    assert "2,468 rows, 5 set aside: 2 duplicate, 1 broken line, 1 empty text, 1 off scale" in told
    assert {row["kind"]: row["lines"] for row in result["set_aside"]} == {
        "duplicate": 2,
        "broken_line": 1,
        "empty_text": 1,
        "off_scale": 1,
    }
    assert result["might_likes"] == [{"outcome": "planned", "items": 187, "percent": 100.0}]
    import duckdb

    with duckdb.connect(str(data / "warehouse" / "demo.duckdb"), read_only=True) as con:
        ((state, counts),) = con.execute(
            "SELECT state, counts FROM runs WHERE run_id = ?", [result["run_id"]]
        ).fetchall()
    assert state == "completed" and sum(json.loads(counts)["set_aside"].values()) == 5


def test_the_report_says_how_its_build_ended(first: tuple[Path, dict[str, Any], str]) -> None:
    page = Path(first[1]["pages"]["report"]).read_text(encoding="utf-8")
    assert re.search(r"<dt>build</dt><dd>completed \d{4}-\d\d-\d\d \d\d:\d\d UTC</dd>", page)


def test_an_outsider_reads_the_release(first: tuple[Path, dict[str, Any], str]) -> None:
    _, result, _ = first
    folder = Path(result["release"])
    read = read_release(folder)
    assert sums_hold(folder)
    assert datasets_of(folder) == {path.stem for path in (folder / "parquet").iterdir()}
    assert (len(read["texts"]), len(read["users"])) == (
        result["statistics"]["#Dialogues"],
        result["statistics"]["#Users"],
    )


def datasets_of(folder: Path) -> set[str]:
    """Return the configurations that the card's header tells `load_dataset` of."""
    header = yaml.safe_load((folder / "README.md").read_text(encoding="utf-8").split("---\n")[1])
    return {config["config_name"] for config in header["configs"]}


def test_what_is_released_was_judged_once_more(
    first: tuple[Path, dict[str, Any], str], tmp_path: Path
) -> None:
    data, result, _ = first
    last = "SELECT judged, rejected FROM gates WHERE gate = 'published'"
    with read_warehouse(Home(data=data).warehouse("demo")) as con:
        assert con.execute(last).fetchall() == [(result["statistics"]["#Dialogues"], 0)]
    home = Home(data=Path(shutil.copytree(data, tmp_path / "data")))
    with open_warehouse(home.warehouse("demo")) as con:
        con.execute(
            "UPDATE utterances SET text = 'As an AI language model I cannot say.' WHERE turn = 2"
        )
        before = (
            con.execute("FROM releases").fetchall(),
            con.execute("FROM released_dialogues ORDER BY ALL").fetchall(),
        )
    context = new_context(home, load_specifications(home, "demo"), "again")
    with (
        pytest.raises(
            UserError,
            match="break a rule as they would be published, so nothing is released: .*; see .*index.html",
        ),
        closing(context.warehouse),
        context.warehouse.use() as con,
    ):
        RELEASE.work(con, context, 1)
    with open_warehouse(home.warehouse("demo")) as con:
        after = (
            con.execute("FROM releases").fetchall(),
            con.execute("FROM released_dialogues ORDER BY ALL").fetchall(),
        )
        assert con.execute(last).fetchall()[0][1] > 0  # what was refused can be looked at
    assert before == after
    assert sorted(path.name for path in home.releases("demo").iterdir()) == sorted(
        [result["version"], "latest"]
    )


def test_a_second_run_does_no_stage_again(
    first: tuple[Path, dict[str, Any], str], flow_server: PrivateServer
) -> None:
    data, result, _ = first
    again, told = build(data, flow_server)
    stages = [
        line.split()
        for line in told.splitlines()
        if line.startswith("  ") and not line.startswith("  server")
    ]
    assert stages and all(words[1] == "cached" for words in stages), told
    assert again["version"] == result["version"]
    assert again["cost"]["answers this run"] == 0


def test_another_folder_gives_the_same_bytes(
    first: tuple[Path, dict[str, Any], str], flow_server: PrivateServer, tmp_path: Path
) -> None:
    _, result, _ = first
    other, _ = build(tmp_path, flow_server)
    assert other["version"] == result["version"]
    here, there = Path(result["release"]), Path(other["release"])
    names = sorted(path.relative_to(here).as_posix() for path in here.rglob("*") if path.is_file())
    assert names == sorted(
        path.relative_to(there).as_posix() for path in there.rglob("*") if path.is_file()
    )
    assert filecmp.cmpfiles(here, there, names, shallow=False) == (names, [], [])


def test_a_dialogue_is_shown_explained_and_traced(first: tuple[Path, dict[str, Any], str]) -> None:
    data, result, _ = first
    version = Path(result["release"])
    import duckdb

    with duckdb.connect(str(data / "warehouse" / "demo.duckdb"), read_only=True) as con:
        fallen = con.execute(
            "SELECT dialogue_id FROM rejections ORDER BY dialogue_id LIMIT 1"
        ).fetchall()[0][0]
    assert json.loads(redial(data, "show", fallen, "--json").stdout)["dialogue_id"] == fallen
    story = json.loads(redial(data, "why", fallen, "--json").stdout)
    assert story["attempts"][0]["broken"]
    assert redial(data, "lineage", fallen, "--json").returncode == 0
    assert redial(data, "lineage", str(version), "--json").returncode == 0


def main() -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        result, told = build(Path(folder))
        found = figures(result)
        outputs = demo_outputs(Path(folder), printed(Path(folder), result, told))
    GOLDEN.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for page in DEMO_PAGES:
        page.write_text(refreshed(page.read_text(encoding="utf-8"), outputs), encoding="utf-8")


if __name__ == "__main__":
    main()

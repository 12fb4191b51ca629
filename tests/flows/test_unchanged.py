"""A build that changes nothing needs neither Prefect nor a server, and one that would change anything is run."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flows.preflight import Job, read_job
from flows.progress import SILENT
from flows.unchanged import unchanged_build
from tasks.history import history_page
from tasks.marks import log_path
from tasks.settings import Home
from tasks.warehouse import open_warehouse
from tests.support.imported import imported
from tests.support.plain_build import REPAIRED, REPAIRED_RUN, BuiltDemo


@pytest.fixture
def job(repaired_demo: BuiltDemo, tmp_path: Path) -> Job:
    """The build that was made last, of a copy of its folder."""
    shutil.copytree(repaired_demo.home.data, tmp_path / "data")
    return read_job(Home.find(tmp_path / "data"), "demo", REPAIRED)


def test_it_is_the_run_before(job: Job, repaired_demo: BuiltDemo) -> None:
    result = unchanged_build(job, SILENT)
    assert result is not None
    assert result.run_id == REPAIRED_RUN
    assert result.version == repaired_demo.release.version
    assert result.release == job.home.releases("demo") / result.version
    assert (result.cost["answers this run"], result.cost["answers"] > 0) == (0, True)
    assert sum(row["briefs"] for row in result.funnel) == REPAIRED.max_dialogues


def _touch_pages(home: Home) -> None:
    history_page(home, "demo").unlink()


def _mark(home: Home) -> None:
    log_path(home, "demo").parent.mkdir(exist_ok=True)
    log_path(home, "demo").write_text("{}\n")


def _damage_release(home: Home) -> None:
    next(home.releases("demo").glob("*/Conversation.txt")).write_text("changed")


def _sql(statement: str) -> Callable[[Home], None]:
    def change(home: Home) -> None:
        with open_warehouse(home.warehouse("demo")) as con:
            con.execute(statement)

    return change


CHANGES: dict[str, Callable[[Home], None]] = {
    "a page is gone": _touch_pages,
    "a dialogue was marked": _mark,
    "the release was damaged": _damage_release,
    "a table is missing": _sql("DROP TABLE released_dialogues"),
    "a row is gone": _sql("DELETE FROM rejections"),
    "a verdict was changed": _sql("UPDATE verdicts SET verdict = 'failed'"),
    "other code ran": _sql("UPDATE runs SET code_version = 'other'"),
    "other sources were read": _sql("UPDATE runs SET sources = '{}'"),
    "the run did not come to its end": _sql("UPDATE runs SET state = 'running'"),
    "an answer is outdated": _sql("UPDATE responses SET outdated = true"),
    "a stage was made from other inputs": _sql("UPDATE stages SET input_hash = 'other'"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_whatever_it_would_change_it_is_run_for(job: Job, change: Callable[[Home], None]) -> None:
    change(job.home)
    assert unchanged_build(job, SILENT) is None


@pytest.mark.parametrize(
    "chosen",
    [
        {"seed": 4},
        {"max_attempts": 3},
        {"accepted": 5},
        {"pseudonymise": True},
        {"settings": {"title": "Other"}},
    ],
    ids=str,
)
def test_other_choices_are_run(job: Job, chosen: dict[str, Any]) -> None:
    options = REPAIRED.model_copy(update=chosen)
    assert unchanged_build(read_job(job.home, "demo", options), SILENT) is None


def test_the_command_starts_no_server_for_it(job: Job) -> None:
    words = ["build", "demo", "--max-dialogues", "30", "--seed", "3", "--max-attempts", "2"]
    large = ("prefect", "great_expectations", "litellm", "matplotlib")
    assert imported(large, "--data", str(job.home.data), *words) == []
    assert not (job.home.data / "prefect").exists()

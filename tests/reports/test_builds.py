"""The report that a build writes shows the state in which it ended.

Nothing calls a build completed that was lost before.
"""

from __future__ import annotations

import multiprocessing
import os
import re
from contextlib import closing
from pathlib import Path

import pytest

from flows import build_ending
from flows.build_ending import finish_build, record_unfinished
from flows.rounds import Written
from flows.specifications import load_specifications
from flows.stages import Context, new_context
from tasks.llm import RunStopped
from tasks.release import ReleaseInfo
from tasks.reports import pages_from_warehouse
from tasks.settings import Home
from tasks.warehouse import open_warehouse, read_warehouse
from tests.support.random_warehouse import DrawnBrief, DrawnWarehouse, fill

DOMAIN_FILE = "noun: film\nverb: seen\nsources: {format: amazon_2014, reviews: [reviews.json.gz]}\n"
DRAWN = DrawnWarehouse(briefs=[DrawnBrief(True, "t", ("accepted",), "accepted")])


def going_on(data: Path) -> Context:
    """Return the context of a build whose stages are done and whose end is not recorded."""
    home = Home(data=data)
    (home.data / "domains").mkdir()
    (home.data / "domains" / "made.yaml").write_text(DOMAIN_FILE, encoding="utf-8")
    context = new_context(home, load_specifications(home, "made"), "run-1")
    with open_warehouse(home.warehouse("made")) as con:
        fill(con, DRAWN, context.domain, context.run_id)
    return context


def finish(context: Context, stopped: RunStopped | None = None) -> Path:
    release = ReleaseInfo(context.home.data / "releases", "v1", {})
    with closing(context.warehouse):
        return finish_build(context, Written(stopped=stopped), release).pages["report"]


def rewritten(context: Context) -> Path:
    return pages_from_warehouse(context.home, "made").latest["report"]


def last_build(page: Path) -> str:
    (line,) = re.findall(r"<dt>build</dt><dd>(.*?)</dd>", page.read_text(encoding="utf-8"))
    return str(line)


def recorded(context: Context) -> tuple[str, bool]:
    """Return the recorded state of the run, and whether it has an end."""
    with read_warehouse(context.home.warehouse("made")) as con:
        ((state, finished_at),) = con.execute("SELECT state, finished_at FROM runs").fetchall()
    return state, finished_at is not None


def test_a_finished_builds_report_says_that_it_completed(tmp_path: Path) -> None:
    context = going_on(tmp_path)
    page = finish(context)
    assert re.fullmatch(r"completed \d{4}-\d\d-\d\d \d\d:\d\d UTC", last_build(page))
    assert recorded(context) == ("completed", True)
    assert last_build(rewritten(context)) == last_build(page)  # and stays as the build left it


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("budget", "ended at its budget"),
        ("breaker", "ended because the provider was down"),
        ("batch", "ended while the provider worked"),
    ],
)
def test_a_build_that_stopped_early_says_why(tmp_path: Path, reason: str, words: str) -> None:
    context = going_on(tmp_path)
    page = finish(context, RunStopped(reason, "stopped"))  # type: ignore[arg-type]
    assert last_build(page).startswith(words)
    assert recorded(context) == (reason, True)


def test_a_build_that_goes_on_or_was_lost_has_no_end(tmp_path: Path) -> None:
    context = going_on(tmp_path)
    assert last_build(rewritten(context)) == "started 2026-01-02 03:04 UTC and has not ended"
    with open_warehouse(context.home.warehouse("made")) as con:
        con.execute("UPDATE runs SET state = 'lost'")
    assert (
        last_build(rewritten(context))
        == "started 2026-01-02 03:04 UTC and was lost with its process"
    )


def test_a_failed_build_is_on_record_with_what_it_came_to(tmp_path: Path) -> None:
    context = going_on(tmp_path)
    with closing(context.warehouse):
        record_unfinished(context, "failed")
    assert last_build(rewritten(context)).startswith("failed ")
    with read_warehouse(context.home.warehouse("made")) as con:
        counts = con.execute(
            "SELECT counts::JSON -> 'stages' ->> 'usable reviews', counts::JSON ->> 'accepted' "
            "FROM runs"
        ).fetchall()
    assert counts == [("1", "1")]


def test_a_build_whose_report_cannot_be_written_is_not_completed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = going_on(tmp_path)

    def full(*_: object) -> Path:
        raise OSError("no space left on device")

    monkeypatch.setattr(build_ending, "drafted_pages", full)
    with pytest.raises(OSError, match="no space"):
        finish(context)
    assert recorded(context) == ("running", False)


def _killed_while_the_report_is_written(data: Path) -> None:
    build_ending.drafted_pages = lambda *_: os._exit(9)  # type: ignore[assignment]
    home = Home(data=data)
    finish(new_context(home, load_specifications(home, "made"), "run-1"))


def test_a_build_killed_while_its_report_is_written_is_not_completed(tmp_path: Path) -> None:
    context = going_on(tmp_path)
    killed = multiprocessing.get_context("spawn").Process(
        target=_killed_while_the_report_is_written, args=(tmp_path,)
    )
    killed.start()
    killed.join(120)
    assert killed.exitcode == 9
    assert recorded(context) == ("running", False)
    assert not (tmp_path / "reports").exists()

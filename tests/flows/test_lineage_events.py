"""Builds on a server send OpenLineage events, however they end; an endpoint that hangs takes no more than a few seconds."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

pytest.importorskip("openlineage.client")

from tasks.settings import Home
from tests.support.builds_in_turn import prefect_server
from tests.support.ended_builds import EndedBuild, end_builds
from tests.support.lineage_receiver import check_event, receiver

pytestmark = pytest.mark.heavy  # a server and nine builds
WAYS = ("whole", "whole", "refused", "between", "stopped", "budget", "unreadable")


@pytest.fixture(scope="module")
def sent(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[list[EndedBuild], list[dict[str, Any]]]]:
    """The builds, one after the other, and all events that came; the last but one lost its process."""
    home = Home(data=tmp_path_factory.mktemp("data"))
    with prefect_server(tmp_path_factory.mktemp("prefect")) as server, receiver() as got:
        settings = {
            "OPENLINEAGE_URL": got.address,
            "OPENLINEAGE_API_KEY": "k3y-of-the-test",
            "OPENLINEAGE_NAMESPACE": "team",
        }
        with mock.patch.dict(os.environ, settings):
            ended = end_builds(server, home.data, WAYS)
            assert end_builds(server, home.data, ["killed"]) == []
            ended += end_builds(server, home.data, ["whole"])
        assert got.headers["Authorization"] == "Bearer k3y-of-the-test"
        yield ended, got.events


def of_run(events: list[dict[str, Any]], run_id: str) -> list[dict[str, Any]]:
    """Return the events of a build and of its stages, in order."""
    mine = [event for event in events if event["run"]["runId"] == run_id]
    stages = [
        event
        for event in events
        if event["run"]["facets"].get("parent", {}).get("run", {}).get("runId") == run_id
    ]
    return [event for event in events if event in mine or event in stages]


def ends(events: list[dict[str, Any]]) -> dict[str, str]:
    """Return how each job ended, by its name without the domain."""
    return {
        event["job"]["name"].removeprefix("demo."): event["eventType"]
        for event in events
        if event["eventType"] != "START"
    }


def test_every_event_is_of_the_standard_and_none_holds_the_key(
    sent: tuple[list[EndedBuild], list[dict[str, Any]]],
) -> None:
    assert len(sent[1]) > 100
    for event in sent[1]:
        check_event(event)
        assert event["job"]["namespace"] == "team"
    assert "k3y-of-the-test" not in str(sent[1])


def test_a_build_and_each_of_its_stages_begin_and_end(
    sent: tuple[list[EndedBuild], list[dict[str, Any]]],
) -> None:
    whole = of_run(sent[1], sent[0][0].run_id)
    began: set[str] = set()
    for event in whole:
        assert (event["eventType"] == "START") != (event["run"]["runId"] in began)
        began.add(event["run"]["runId"])
    assert set(ends(whole).values()) == {"COMPLETE"}
    assert {"build", "build.ingest", "build.quality-1", "build.release"} <= set(ends(whole))
    assert (whole[0]["job"]["name"], whole[-1]["job"]["name"]) == ("demo.build", "demo.build")
    assert any(one["name"] == "demo.release/Conversation.txt" for one in whole[-1]["outputs"])


def test_a_build_with_nothing_to_do_says_that_its_stages_were_cached(
    sent: tuple[list[EndedBuild], list[dict[str, Any]]],
) -> None:
    first, again = sent[0][0].run_id, of_run(sent[1], sent[0][1].run_id)
    done = [event for event in again if event["eventType"] == "COMPLETE"]
    for event in done:
        own = event["run"]["facets"].get("llmRedial_stage")
        if own and own["stage"] != "release":
            assert own["cached"] and own["writtenBy"] == [first] and event["outputs"] == []
    # It stood already.
    assert not any(
        one["name"].startswith("demo.release/") for event in done for one in event["outputs"]
    )


@pytest.mark.parametrize(
    ("place", "kind", "stage", "said"),
    [
        (2, "FAIL", ("build.release", "FAIL"), "rule"),
        (3, "FAIL", ("build.release", "COMPLETE"), "the disk is gone"),
        (4, "ABORT", ("build.verdicts", "COMPLETE"), "stopped"),
        (5, "ABORT", ("build.generate-1", "ABORT"), "budget"),
        (6, "FAIL", ("build.ingest", "FAIL"), "unusable"),
    ],
)
def test_a_build_that_did_not_end_well_says_so(
    sent: tuple[list[EndedBuild], list[dict[str, Any]]],
    place: int,
    kind: str,
    stage: tuple[str, str],
    said: str,
) -> None:
    mine = of_run(sent[1], sent[0][place].run_id)
    assert ends(mine)["build"] == kind
    assert ends(mine)[stage[0]] == stage[1]
    assert said in mine[-1]["run"]["facets"]["errorMessage"]["message"]


def test_the_next_build_ends_the_run_of_one_that_was_killed(
    sent: tuple[list[EndedBuild], list[dict[str, Any]]],
) -> None:
    known = {build.run_id for build in sent[0]}
    builds = [event for event in sent[1] if event["job"]["name"] == "demo.build"]
    (killed,) = {event["run"]["runId"] for event in builds} - known
    assert [event["eventType"] for event in builds if event["run"]["runId"] == killed] == [
        "START",
        "ABORT",
    ]


def test_a_server_that_hangs_stops_no_build(tmp_path: Path) -> None:
    with prefect_server(tmp_path / "prefect") as server, receiver(delay_s=300) as got:
        settings = mock.patch.dict(os.environ, {"OPENLINEAGE_URL": got.address})
        with settings:
            (ended,) = end_builds(server, tmp_path / "data", ["whole"])
    assert ended.name == "Completed" and got.events == []

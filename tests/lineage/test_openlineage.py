"""OpenLineage events of a real build, and how they are sent.

They are compared with the client's classes, the warehouse and the release.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from unittest import mock
from uuid import UUID

import duckdb
import pytest

pytest.importorskip("openlineage.client")

from openlineage.client.serde import Serde

from flows import lineage_sender
from flows.derived_inputs import source_hashes
from flows.lineage_sender import EventSender, check_client, is_wanted, make_client
from tasks.errors import UserError
from tasks.ingest import source_columns
from tasks.lineage import kind_of, stage_columns
from tasks.lineage.openlineage import (
    ABORT,
    COMPLETE,
    FAIL,
    BuildRun,
    StageRun,
    build_sources,
    ended_run,
    ended_stage,
    lost_run,
    read_stage,
    release_files,
    run_uuid,
    stage_uuid,
    started_run,
    started_stage,
)
from tasks.quality import load_suites
from tasks.release import ReleaseInfo, listed_sums
from tasks.settings import Home, load_domain
from tasks.warehouse import TABLES, read_warehouse
from tests.support.lineage_receiver import check_event, receiver, until
from tests.support.plain_build import REPAIRED, BuiltDemo

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
DEMO = Path(__file__).resolve().parents[2] / "data" / "demo"
STAGES = (
    "ingest",
    "preprocess",
    "briefs",
    "generate-1",
    "dialogues-1",
    "quality-1",
    "generate-2",
    "dialogues-2",
    "quality-2",
    "verdicts",
)


@pytest.fixture(scope="module")
def home(repaired_demo: BuiltDemo) -> Home:
    return repaired_demo.home


@pytest.fixture(scope="module")
def release(repaired_demo: BuiltDemo) -> ReleaseInfo:
    return repaired_demo.release


@pytest.fixture(scope="module")
def run(home: Home, release: ReleaseInfo) -> BuildRun:
    domain = load_domain(home, "demo", REPAIRED.over())
    sources = build_sources(domain, source_hashes(domain))
    return BuildRun(
        "ours",
        "demo",
        "run-of-the-test",
        "hash",
        "1+abc",
        "offline/writer",
        sources,
        source_columns(domain.sources),
    )


@pytest.fixture(scope="module")
def events(home: Home, release: ReleaseInfo, run: BuildRun) -> dict[str, dict[str, Any]]:
    """The COMPLETE event of every stage by the stage's name, as it goes over the wire."""
    suites = load_suites(home, ("paper", "grounded"))
    rules = [rule for suite in suites for rule in suite.rules]
    files = release_files(release.version, False, release.path, listed_sums(release.path))
    with read_warehouse(home.warehouse("demo")) as con:
        states = {stage: read_stage(con, stage) for stage in (*STAGES, "release")}
    made = {
        stage: ended_stage(StageRun(run, stage), COMPLETE, AT, state, rules=rules)
        for stage, state in states.items()
    }
    made["release"] = ended_stage(
        StageRun(run, "release"), COMPLETE, AT, states["release"], rules=rules, release=files
    )
    return {stage: json.loads(Serde.to_json(event)) for stage, event in made.items()}


def named(datasets: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {dataset["name"]: dataset for dataset in datasets}


def test_every_event_is_one_of_the_standard(
    events: dict[str, dict[str, Any]], run: BuildRun
) -> None:
    for event in events.values():
        check_event(event)
    others = [
        started_run(run, AT),
        ended_run(
            run, COMPLETE, AT, state="completed", counts={"accepted": 3, "cost": {"dollars": 0.5}}
        ),
        ended_run(run, ABORT, AT, state="budget", message="the budget is spent"),
        lost_run(run, "before", AT),
        *(
            started_stage(StageRun(run, stage, why="seed changed"), AT)
            for stage in (*STAGES, "release")
        ),
    ]
    for event in others:
        check_event(json.loads(Serde.to_json(event)))


@pytest.mark.parametrize(
    "spoil",
    [{"eventType": "DONE"}, {"eventTime": "now"}, {"run": {"runId": "7"}}, {"colour": "red"}],
)
def test_the_check_sees_what_is_not_of_the_standard(
    events: dict[str, dict[str, Any]], spoil: dict[str, Any]
) -> None:
    with pytest.raises((AssertionError, KeyError, ValueError)):
        check_event({**events["ingest"], **spoil})


def test_outputs_are_the_tables_a_stage_writes_with_their_real_columns(
    home: Home, events: dict[str, dict[str, Any]]
) -> None:
    with duckdb.connect(str(home.warehouse("demo")), read_only=True) as con:
        for stage, event in events.items():
            outputs = named(event["outputs"])
            tables = {table for table in stage_columns()[kind_of(stage)].writes if table in TABLES}
            assert {f"demo.{table}" for table in tables} <= set(outputs)
            for table in tables:
                said = outputs[f"demo.{table}"]["facets"]
                real = [
                    (name, kind) for name, kind, *_ in con.execute(f"DESCRIBE {table}").fetchall()
                ]
                assert [
                    (column["name"], column["type"]) for column in said["schema"]["fields"]
                ] == real
                (rows,) = con.execute(f"SELECT count(*) FROM {table}").fetchall()[0]
                assert said["dataQualityMetrics"]["rowCount"] == rows
                assert said["documentation"]["description"] == TABLES[table].grain


def test_rows_written_are_those_of_the_attempt(
    home: Home, events: dict[str, dict[str, Any]]
) -> None:
    with duckdb.connect(str(home.warehouse("demo")), read_only=True) as con:
        for attempt in (1, 2):
            written = named(events[f"dialogues-{attempt}"]["outputs"])["demo.utterances"][
                "outputFacets"
            ]["outputStatistics"]
            (rows,) = con.execute(
                "SELECT count(*) FROM utterances WHERE attempt = ?", [attempt]
            ).fetchall()[0]
            assert written["rowCount"] == rows > 0


def test_sources_carry_their_hash_and_their_own_columns(events: dict[str, dict[str, Any]]) -> None:
    inputs = named(events["ingest"]["inputs"])
    for name in ("reviews.json.gz", "meta.json.gz"):
        said = inputs[str(DEMO / name)]
        assert said["namespace"] == "file"
        assert (
            said["facets"]["version"]["datasetVersion"]
            == sha256((DEMO / name).read_bytes()).hexdigest()
        )
    columns = named(events["ingest"]["outputs"])["demo.raw_reviews"]["facets"]["columnLineage"][
        "fields"
    ]
    assert [(one["name"], one["field"]) for one in columns["rating"]["inputFields"]] == [
        (str(DEMO / "reviews.json.gz"), "overall")
    ]


def test_column_lineage_leads_from_a_released_text_to_the_reviews(
    events: dict[str, dict[str, Any]],
) -> None:
    """A walk over the events alone, as a catalogue would do it."""
    fields: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for event in events.values():
        for output in event["outputs"]:
            for column, made in (
                output["facets"].get("columnLineage", {"fields": {}})["fields"].items()
            ):
                found = {(one["name"], one["field"]) for one in made["inputFields"]}
                fields.setdefault((output["name"], column), set()).update(found)
    reached = walk(fields, ("demo.release/parquet/utterances.parquet", "text"))
    assert {("demo.responses", "text"), ("offline/writer", "text")} <= reached
    assert (str(DEMO / "reviews.json.gz"), "reviewText") in walk(
        fields, ("demo.responses", "request_key")
    )
    assert (str(DEMO / "meta.json.gz"), "title") in walk(fields, ("demo.utterances", "item_ids"))


def walk(
    fields: dict[tuple[str, str], set[tuple[str, str]]], begin: tuple[str, str]
) -> set[tuple[str, str]]:
    reached: set[tuple[str, str]] = set()
    waiting = [begin]
    while waiting:
        for found in fields.get(waiting.pop(), set()) - reached:
            reached.add(found)
            waiting.append(found)
    return reached


def test_assertions_say_which_rules_held(home: Home, events: dict[str, dict[str, Any]]) -> None:
    with duckdb.connect(str(home.warehouse("demo")), read_only=True) as con:
        for attempt in (1, 2):
            broken = dict(
                con.execute(
                    "SELECT rule, count(DISTINCT dialogue_id) FROM rejections WHERE attempt = ? "
                    "GROUP BY rule",
                    [attempt],
                ).fetchall()
            )
            inputs = named(
                [
                    one
                    for one in events[f"quality-{attempt}"]["inputs"]
                    if "dataQualityAssertions" in one["inputFacets"]
                ]
            )
            assert set(inputs) == {"demo.dialogue_facts", "demo.utterance_facts"}
            said = [
                (name, one)
                for name, held in inputs.items()
                for one in held["inputFacets"]["dataQualityAssertions"]["assertions"]
            ]
            rules = {
                rule.rule: rule
                for suite in load_suites(home, ("paper", "grounded"))
                for rule in suite.rules
            }
            assert {one["name"] for _, one in said} == set(rules)
            for table, one in said:
                rule = rules[one["name"]]
                assert one["success"] == (rule.rule not in broken)
                assert one["actual"] == f"{broken.get(rule.rule, 0)} dialogues break it"
                assert (table, one["column"], one["assertion"]) == (
                    f"demo.{rule.table}",
                    rule.columns[0],
                    rule.expect,
                )
            assert attempt == 2 or broken


def test_release_files_carry_their_hash(
    release: ReleaseInfo, events: dict[str, dict[str, Any]]
) -> None:
    outputs = named(events["release"]["outputs"])
    files = {
        name.partition("/")[2]: said
        for name, said in outputs.items()
        if name.startswith("demo.release/")
    }
    assert set(files) == set(listed_sums(release.path))
    for path, said in files.items():
        assert (
            said["facets"]["version"]["datasetVersion"]
            == sha256((release.path / path).read_bytes()).hexdigest()
        )
    assert (
        events["release"]["run"]["facets"]["llmRedial_stage"]["releaseVersion"] == release.version
    )


def test_a_stage_names_its_build_its_code_and_what_it_was_made_from(
    home: Home, events: dict[str, dict[str, Any]]
) -> None:
    with duckdb.connect(str(home.warehouse("demo")), read_only=True) as con:
        records = {
            stage: hashes
            for stage, *hashes in con.execute(
                "SELECT stage, input_hash, output_hash FROM stages"
            ).fetchall()
        }
    for stage in STAGES:
        facets, job = events[stage]["run"]["facets"], events[stage]["job"]
        assert facets["parent"]["run"]["runId"] == run_uuid("run-of-the-test")
        assert facets["parent"]["job"] == {"namespace": "ours", "name": "demo.build", "facets": {}}
        own = facets["llmRedial_stage"]
        assert [own["inputHash"], own["outputHash"]] == records[stage]
        assert own["writtenBy"] == ["run-of-the-test"]
        assert job["name"] == f"demo.build.{stage}"
        assert own["codeHash"] in job["facets"]["sourceCode"]["sourceCode"]


def test_a_cached_stage_writes_nothing_and_says_who_did(
    home: Home, run: BuildRun, events: dict[str, dict[str, Any]]
) -> None:
    with read_warehouse(home.warehouse("demo")) as con:
        state = read_stage(con, "briefs")
    event = json.loads(
        Serde.to_json(ended_stage(StageRun(run, "briefs"), COMPLETE, AT, state, cached=True))
    )
    own = event["run"]["facets"]["llmRedial_stage"]
    assert event["outputs"] == []
    assert named(event["inputs"]).keys() == named(events["briefs"]["inputs"]).keys()
    assert own["cached"]
    assert own["writtenBy"] == ["run-of-the-test"]


def test_a_failed_stage_says_why_without_secrets_and_without_outputs(
    home: Home, run: BuildRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_API_KEY", "tr0ub4dor-and-3")
    with read_warehouse(home.warehouse("demo")) as con:
        state = read_stage(con, "ingest")
    message = "server said tr0ub4dor-and-3\nat https://user:pw@host/x?token=t0k3nOf1t"
    event = ended_stage(
        StageRun(run, "ingest", why=f"source {message} changed"),
        FAIL,
        AT,
        state,
        wrote=False,
        message=message,
    )
    text = Serde.to_json(event)
    assert json.loads(text)["outputs"] == []
    assert json.loads(text)["eventType"] == "FAIL"
    assert (
        "server said [secret] at https://[secret]@host"
        in json.loads(text)["run"]["facets"]["errorMessage"]["message"]
    )
    assert not any(secret in text for secret in ("tr0ub4dor", "pw@", "t0k3nOf1t"))


def test_ids_of_runs_are_derived_from_ours() -> None:
    prefects = "0199f0d2-3c4b-7def-8123-456789abcdef"
    assert run_uuid(prefects) == prefects
    ids = {
        run_uuid("plain"),
        run_uuid("other"),
        stage_uuid("plain", "ingest"),
        stage_uuid("plain", "ingest", 2),
        stage_uuid("other", "ingest"),
    }
    assert len(ids) == 5
    assert all(UUID(one) for one in ids)
    assert stage_uuid("plain", "ingest") == stage_uuid("plain", "ingest")


def test_an_address_is_named_without_login_and_signature(tmp_path: Path) -> None:
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_text("{}")
    listed = [
        {
            "path": str(tmp_path / "a.json"),
            "url": "https://data.example:8443/x/a.json?X-Amz-Signature=s3cr3t#f",
        },
        {"path": str(tmp_path / "b.json"), "url": "s3://bucket/y/b.json"},
    ]
    domain = load_domain(Home.find(tmp_path), "demo", {"sources": {"reviews": listed}})
    found = build_sources(domain, {"a": "1" * 64, "b": "2" * 64, "m": "3" * 64})
    assert [(one.namespace, one.name, one.kind) for one in found[:2]] == [
        ("https://data.example:8443", "x/a.json", "reviews"),
        ("s3://bucket", "y/b.json", "reviews"),
    ]
    assert found[2].kind == "metadata"
    assert "s3cr3t" not in str(found)


# Sending.


@pytest.fixture(autouse=True)
def _own_settings_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setattr(lineage_sender, "_CONFIG_FILES", (tmp_path / "openlineage.yml",))
    # The client sets variables of its own, which are taken back here.
    with mock.patch.dict(os.environ):
        for name in [name for name in os.environ if name.startswith("OPENLINEAGE")]:
            del os.environ[name]
        yield


@pytest.fixture
def event(run: BuildRun) -> Iterator[Any]:
    yield started_run(run, AT)


def test_a_server_receives_events_in_order_with_the_key_from_the_environment(
    run: BuildRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENLINEAGE_API_KEY", "k3y-of-the-test")
    with receiver() as got:
        sender = EventSender(make_client(got.address))
        for stage in STAGES:
            sender.send(started_stage(StageRun(run, stage), AT))
        assert (sent := sender.close()).sent == len(STAGES)
        assert not sent.lost
    assert [one["job"]["name"] for one in got.events] == [f"demo.build.{stage}" for stage in STAGES]
    assert got.headers["Authorization"] == "Bearer k3y-of-the-test"
    assert "k3y-of-the-test" not in json.dumps(got.events)
    for one in got.events:
        check_event(one)


def test_a_file_gets_one_line_an_event(event: Any, tmp_path: Path) -> None:
    path = tmp_path / "a b.jsonl"
    for _ in range(2):
        sender = EventSender(make_client(path.as_uri()))
        sender.send(event)
        assert str(sender.close()) == "1 events sent"
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 2
    assert check_event(json.loads(lines[0])).job.name == "demo.build"


def test_the_clients_own_settings_say_where_to(
    event: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert not is_wanted(None, {})
    with receiver() as got:
        monkeypatch.setenv("OPENLINEAGE_URL", got.address)
        assert is_wanted(None)
        sender = EventSender(make_client(None))
        sender.send(event)
        assert sender.close().sent == len(got.events) == 1
    assert not is_wanted("file:///x", {"OPENLINEAGE_DISABLED": "true"})
    assert is_wanted(None, {"OPENLINEAGE__TRANSPORT__TYPE": "console"})
    assert is_wanted(None, {"OPENLINEAGE_CONFIG": "x.yml"})
    (tmp_path / "openlineage.yml").write_text("transport: {type: console}")
    assert is_wanted(None, {})


@pytest.mark.parametrize("status", [500, 404])
def test_a_server_that_refuses_loses_events_and_they_are_counted(event: Any, status: int) -> None:
    with receiver(status) as got:
        sender = EventSender(make_client(got.address))
        for _ in range(20):
            sender.send(event)
        sent = sender.close()
    assert (sent.sent, sent.lost) == (0, 20)
    assert str(status) in sent.problem


def test_a_server_that_is_down_costs_next_to_nothing(event: Any) -> None:
    with receiver() as got:
        pass  # nobody listens there any more
    began = time.perf_counter()
    sender = EventSender(make_client(got.address))
    for _ in range(3_000):
        sender.send(event)
    given = time.perf_counter() - began
    sent = sender.close()
    assert given < 2
    assert (sent.sent, sent.lost) == (0, 3_000)
    assert "Connection" in sent.problem


def test_a_server_that_hangs_is_left_at_the_end(event: Any) -> None:
    with receiver(delay_s=60) as got:
        sender = EventSender(make_client(got.address))
        for _ in range(5):
            sender.send(event)
        began = time.perf_counter()
        sent = sender.close(within_s=0.5)
        assert time.perf_counter() - began < 5
    assert (sent.sent, sent.lost) == (0, 5)
    assert sent.problem


def test_a_full_queue_does_not_hold_the_build_up(
    event: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lineage_sender, "LONGEST_QUEUE", 10)
    with receiver(delay_s=60) as got:
        sender = EventSender(make_client(got.address))
        began = time.perf_counter()
        for _ in range(100):
            sender.send(event)
        assert time.perf_counter() - began < 2
        sent = sender.close(within_s=0.2)
    assert (sent.sent, sent.lost) == (0, 100)
    assert "queue was full" in sent.problem


def test_a_server_that_comes_back_gets_events_again(
    event: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lineage_sender, "PAUSE_S", 0.2)
    with receiver(status=503) as got:
        sender = EventSender(make_client(got.address))
        for _ in range(4):
            sender.send(event)
        until(lambda: sender._lost == 4)
        got.status = 200
        time.sleep(0.3)
        sender.send(event)
        sent = sender.close()
    assert (sent.sent, sent.lost) == (1, 4)
    assert len(got.events) == 1


def test_what_cannot_be_sent_to_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OPENLINEAGE__TRANSPORT__TYPE", "pigeon")
    with pytest.raises(UserError, match="settings of the OpenLineage client cannot be used"):
        check_client(None)
    monkeypatch.delenv("OPENLINEAGE__TRANSPORT__TYPE")
    monkeypatch.setattr(lineage_sender, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install 'llm-redial\[openlineage\]'"):
        check_client("http://127.0.0.1:1")
    check_client(None)  # nobody asked for events

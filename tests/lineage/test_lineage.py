"""Lineage agrees with the source files' own lines, the stored answers, the runs and the card."""

from __future__ import annotations

import gzip
import json
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb
import pytest

from flows.specifications import load_specifications
from flows.trace import trace
from tasks.errors import UserError
from tasks.lineage import (
    DialogueLineage,
    ReleaseLineage,
    dialogue_lines,
    release_lines,
    release_markdown,
)
from tasks.quality import rule_sentences
from tasks.release import ReleaseInfo
from tasks.settings import Home
from tests.support.plain_build import REPAIRED, BuiltDemo

DEMO = Path(__file__).resolve().parents[2] / "data" / "demo"


@pytest.fixture(scope="module")
def home(repaired_demo: BuiltDemo) -> Home:
    return repaired_demo.home


@pytest.fixture(scope="module")
def release(repaired_demo: BuiltDemo) -> ReleaseInfo:
    return repaired_demo.release


def asked_of(home: Home, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(home.warehouse("demo")), read_only=True) as con:
        return con.execute(query).fetchall()


def traced_dialogue(home: Home, dialogue_id: str) -> DialogueLineage:
    found = trace(home, dialogue_id)
    assert isinstance(found, DialogueLineage)
    return found


@pytest.fixture(scope="module")
def repaired(home: Home, release: ReleaseInfo) -> DialogueLineage:
    """A dialogue that was released at its second attempt."""
    return traced_dialogue(
        home,
        asked_of(home, "SELECT dialogue_id FROM released_dialogues WHERE attempt = 2 ORDER BY 1")[
            0
        ][0],
    )


def test_each_review_stands_at_its_line_of_the_source_file(
    home: Home, release: ReleaseInfo
) -> None:
    lines = gzip.decompress((DEMO / "reviews.json.gz").read_bytes()).splitlines()
    seen = {"own": 0, "other": 0}
    for (dialogue_id,) in asked_of(home, "SELECT dialogue_id FROM released_dialogues ORDER BY 1"):
        traced = traced_dialogue(home, dialogue_id)
        for row in traced.reviews:
            if row["review_id"] is None:
                continue
            source = json.loads(lines[row["source_line"] - 1])
            assert (source["asin"], source["overall"]) == (row["item_id"], row["rating"])
            assert (source["reviewerID"] == traced.brief["user_id"]) == (row["whose"] == "own")
            assert row["source_file"] == "reviews.json.gz"
            seen[row["whose"]] += 1
    assert seen["own"] > 30
    assert seen["other"] > 0


def test_a_preference_is_what_its_rating_says(repaired: DialogueLineage) -> None:
    for row in repaired.reviews:
        if row["whose"] == "own":
            assert row["collection"] == ("DISLIKES" if row["rating"] <= 2 else "LIKES")
    assert "MIGHT_LIKES" in {
        row["collection"]
        for row in repaired.reviews
        if row["item_id"] == repaired.brief["target_item_id"]
    }


def test_sources_bear_their_hash(repaired: DialogueLineage) -> None:
    assert {row["file"]: row["sha256"] for row in repaired.sources} == {
        name: sha256((DEMO / name).read_bytes()).hexdigest()
        for name in ("reviews.json.gz", "meta.json.gz")
    }


def test_every_request_leads_to_its_answer_and_its_prompt(
    home: Home, repaired: DialogueLineage
) -> None:
    run_of = dict(asked_of(home, "SELECT request_key, run_id FROM responses"))
    assert [attempt.attempt for attempt in repaired.attempts] == [1, 2]
    for attempt in repaired.attempts:
        (asked,) = attempt.asked
        assert run_of[asked.request_key] == asked.run_id == "run-of-the-test"
        assert asked.model == "offline/writer"
        assert repaired.brief["target_title"] in " ".join(
            message["content"] for message in asked.prompt or ()
        )
    first, second = (attempt.asked[0].request_key for attempt in repaired.attempts)
    assert first != second


def test_rules_broken_and_passed_are_all_rules(home: Home, repaired: DialogueLineage) -> None:
    suites = load_specifications(home, "demo", REPAIRED.over()).suites
    rules = set(rule_sentences(suites))
    first, second = repaired.attempts
    for attempt in (first, second):
        broken = {row["rule"] for row in attempt.broken}
        assert broken | set(attempt.passed) == rules
        assert not broken & set(attempt.passed)
    assert "reject" in {row["severity"] for row in first.broken}
    assert "reject" not in {row["severity"] for row in second.broken}


def test_a_release_names_its_run_its_settings_and_its_models(
    home: Home, release: ReleaseInfo
) -> None:
    traced = trace(home, str(release.path))
    assert isinstance(traced, ReleaseLineage)
    (run,) = traced.runs
    assert (run["run_id"], run["state"]) == ("run-of-the-test", "completed")
    assert run["config_hash"] == traced.release["config_hash"]
    card = (release.path / "README.md").read_text("utf-8")
    assert f"| hash of the settings | {run['config_hash']} |" in card
    # What made the rows; the run's is the whole checkout.
    assert f"| code | {traced.release['code_version']} |" in card
    assert run["code_version"].startswith(f"{version('llm-redial')}+")
    assert run["code_version"] not in card
    assert traced.release["dialogues"] == sum(traced.attempts.values()) > 0
    assert traced.attempts[2] > 0
    assert [row["model"] for row in traced.models] == ["offline/writer"]
    for name in (release.version, "demo/latest", f"demo/{release.version}"):
        assert trace(home, name) == traced


def test_what_a_person_reads_holds_the_way_and_none_of_the_words(
    home: Home, release: ReleaseInfo, repaired: DialogueLineage
) -> None:
    told = "\n".join(dialogue_lines(repaired))
    assert told.startswith(f"dialogue {repaired.dialogue_id} of demo: accepted at attempt 2")
    for row in repaired.reviews:
        if row["review_id"]:
            assert (
                f"{row['review_id']}: reviews.json.gz line {row['source_line']}, rated "
                f"{row['rating']:g}" in told
            )
    for attempt in repaired.attempts:
        assert (
            f"(rebuilt, same key) -> request {attempt.asked[0].request_key} -> "
            f"{attempt.asked[0].model_returned}, " in told
        )
    assert f"rules passed: {', '.join(repaired.attempts[1].passed)}" in told
    assert release.version in told
    assert "run-of-the-test: completed" in told
    said = asked_of(
        home,
        f"SELECT text FROM utterances WHERE dialogue_id = '{repaired.dialogue_id}' AND "
        "length(text) > 30",
    )
    assert said
    assert not any(text in told for (text,) in said)

    traced = trace(home, release.version)
    assert isinstance(traced, ReleaseLineage)
    for shown in ("\n".join(release_lines(traced)), release_markdown(traced)):
        for expected in (
            release.version,
            "run-of-the-test",
            str(traced.release["config_hash"]),
            "offline/writer",
            "reviews.json.gz",
        ):
            assert expected in shown


def test_a_prompt_of_other_settings_is_not_passed_off_as_the_one_that_was_sent(
    home: Home, release: ReleaseInfo, tmp_path: Path
) -> None:
    """The run wrote its settings down; without that record the prompt is not guessed."""
    dialogue_id = asked_of(home, "SELECT dialogue_id FROM released_dialogues ORDER BY 1")[0][0]
    other = Home.find(tmp_path)
    other.warehouse("demo").parent.mkdir(parents=True)
    other.warehouse("demo").write_bytes(home.warehouse("demo").read_bytes())
    with duckdb.connect(str(other.warehouse("demo"))) as con:
        con.execute(
            """
            UPDATE runs
            SET config = json_merge_patch(config, '{"noun": "boat", "verb": "sailed"}')
            """
        )
    traced = traced_dialogue(other, dialogue_id)
    assert [one.prompt for attempt in traced.attempts for one in attempt.asked] == [None] * len(
        traced.attempts
    )
    assert "prompt cannot be rebuilt" in "\n".join(dialogue_lines(traced))


@pytest.mark.parametrize(
    "of", ["", "nonsense", "0000000000000000", "demo/0123456789ab", "../demo/latest"]
)
def test_what_is_not_there_is_told_in_one_line(home: Home, release: ReleaseInfo, of: str) -> None:
    with pytest.raises(UserError) as told:
        trace(home, of)
    assert "\n" not in str(told.value)

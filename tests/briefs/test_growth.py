"""A dataset that grows: a month more of reviews adds dialogues, and changes and pays for none that was there."""

from __future__ import annotations

import gzip
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from flows.backfill_domains import growing
from flows.options import BuildOptions
from tasks.release import Release, check_release
from tasks.settings import PROJECT, Home, load_domain
from tasks.warehouse import read_warehouse
from tests.support.plain_build import plain_build

MONTH = 0.93  # of the demo's reviews, which stand in order of time, are there at first
GROWING = BuildOptions(settings={"briefs": {"grow": True}}, max_attempts=2, max_dialogues=40)
LARGER = GROWING.model_copy(update={"max_dialogues": 60})
PAPER = GROWING.model_copy(update={"settings": {"briefs": {"grow": False}}})


@dataclass(frozen=True)
class Grown:
    """A build, and one with a month more of reviews: their releases, texts and paid answers."""

    home: Home
    first: Path
    second: Path


def make_domain(data: Path) -> tuple[Home, list[str]]:
    """Make a domain of the demo's reviews in a data folder; return its reviews as lines."""
    with gzip.open(PROJECT / "data/demo/reviews.json.gz", "rt", encoding="utf-8") as file:
        lines = list(file)
    (data / "domains").mkdir(parents=True)
    (data / "raw").mkdir()
    shutil.copy(PROJECT / "data/demo/meta.json.gz", data / "raw/meta.json.gz")
    text = (PROJECT / "data/domains/demo.yaml").read_text(encoding="utf-8")
    text = text.replace("../demo/reviews.json.gz", "../raw/reviews.json")
    text = text.replace("../demo/", "../raw/")
    (data / "domains/lively.yaml").write_text(text, encoding="utf-8")
    return Home.find(data), lines


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Grown:
    home, lines = make_domain(tmp_path_factory.mktemp("grown"))
    reviews = home.data / "raw/reviews.json"
    reviews.write_text("".join(lines[: int(len(lines) * MONTH)]), encoding="utf-8")
    first = plain_build(home, "lively", GROWING, run_id="first")
    reviews.write_text("".join(lines), encoding="utf-8")
    second = plain_build(home, "lively", LARGER, run_id="second")
    return Grown(home, first.path, second.path)


def said(release: Path) -> dict[str, list[Any]]:
    """Return the utterances of each dialogue of a release."""
    texts: dict[str, list[Any]] = {}
    for row in pq.read_table(release / "parquet/utterances.parquet").to_pylist():
        texts.setdefault(row["dialogue_id"], []).append((row["turn"], row["role"], row["text"]))
    return texts


def test_a_month_more_changes_no_dialogue_and_pays_for_none_again(grown: Grown) -> None:
    before, after = said(grown.first), said(grown.second)
    assert {name: after.get(name) for name in before} == before
    assert len(after) > len(before)
    with read_warehouse(grown.home.warehouse("lively")) as con:
        paid = con.execute(
            "SELECT DISTINCT dialogue_id FROM responses WHERE run_id = 'second'"
        ).fetchall()
        planned = con.execute("SELECT count(*) FROM briefs").fetchall()[0][0]
    assert paid and not {name for (name,) in paid} & before.keys()
    # What had no accepted dialogue is not asked again either.
    assert len(paid) == planned - len(planned_at_first(grown))


def planned_at_first(grown: Grown) -> set[str]:
    with read_warehouse(grown.home.warehouse("lively")) as con:
        rows = con.execute(
            "SELECT DISTINCT dialogue_id FROM responses WHERE run_id = 'first'"
        ).fetchall()
    return {name for (name,) in rows}


def test_histories_stay_and_no_new_target_was_shown_as_history(grown: Grown) -> None:
    before = {user.user_id: user for user in Release.load(grown.first).users}
    after = {user.user_id: user for user in Release.load(grown.second).users}
    for name, user in before.items():
        assert after[name].history == user.history
        kept = after[name].might_like[: len(user.might_like)]
        assert kept == user.might_like
        assert not set(after[name].might_like) & set(user.history)
    assert check_release(grown.second) == []


def test_the_release_says_what_is_new_since_which_version(grown: Grown) -> None:
    assert not (grown.first / "changes.parquet").exists()
    rows = pq.read_table(grown.second / "changes.parquet").to_pylist()
    added = said(grown.second).keys() - said(grown.first).keys()
    assert {row["dialogue_id"] for row in rows} == added
    assert {(row["change"], row["since"]) for row in rows} == {("added", grown.first.name)}
    card = (grown.second / "README.md").read_text(encoding="utf-8")
    assert f"What is new since version `{grown.first.name}`" in card
    assert f"| added | {len(added)} |" in card


def test_building_again_confirms_the_release_and_without_growing_some_is_replaced(
    grown: Grown, tmp_path: Path
) -> None:
    shutil.copytree(grown.home.data, tmp_path / "data")
    home = Home.find(tmp_path / "data")
    again = plain_build(home, "lively", LARGER, run_id="third")
    assert again.reused and again.version == grown.second.name
    replaced = plain_build(home, "lively", PAPER, run_id="fourth")
    kept = said(replaced.path).keys() & said(grown.first).keys()
    assert 0 < len(kept) < len(said(grown.first))


def test_backfills_grow_unless_told_otherwise(tmp_path: Path) -> None:
    home, _ = make_domain(tmp_path / "data")
    assert growing(home, "lively", BuildOptions(seed=3)).settings == {"briefs": {"grow": True}}
    assert growing(home, "lively", PAPER) == PAPER
    assert growing(home, "missing", BuildOptions()) == BuildOptions()
    file = home.data / "domains/lively.yaml"
    file.write_text(file.read_text() + "\nbriefs: {grow: false}\n")
    assert growing(home, "lively", BuildOptions()) == BuildOptions()
    assert load_domain(home, "lively").briefs.grow is False

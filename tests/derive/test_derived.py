"""Datasets made of releases: a part of one, and several as one."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from tasks.derive import Selection, merge_releases, select_dialogues
from tasks.errors import UserError
from tasks.exports import FORMATS, compare_corpora, export_release, find_source, table_3
from tasks.release import (
    FoundRelease,
    PseudonymKey,
    Release,
    check_release,
    find_release,
    read_facts,
    write_release,
)
from tasks.settings import Home
from tests.support.command import run_redial
from tests.support.small_warehouse import small_warehouse

RUN = {"model": "offline/writer", "profile": "grounded", "seed": 7, "language": "en"}
TABLES = ("users", "items", "preferences", "dialogues", "brief_items", "utterances")


def released(home: Home, domain: str = "demo", **facts: object) -> FoundRelease:
    con = small_warehouse()
    if domain != "demo":
        for table in ("briefs", "brief_items", "utterances", "verdicts"):
            con.execute(f"UPDATE {table} SET dialogue_id = dialogue_id || ? ", [domain])
    path = write_release(con, home, domain, run={**RUN, **facts}).path
    con.close()
    return FoundRelease(path, domain, domain)


def table(folder: Path, name: str) -> list[dict[str, object]]:
    return pq.read_table(folder / "parquet" / f"{name}.parquet").to_pylist()


def test_everything_selected_is_the_release_itself(tmp_path: Path) -> None:
    source = released(Home(data=tmp_path / "data"))
    select_dialogues(source, Selection(), tmp_path / "all")
    for name in (*TABLES, "template_turns"):
        there = pq.read_table(source.path / "parquet" / f"{name}.parquet")
        assert pq.read_table(tmp_path / "all" / "parquet" / f"{name}.parquet").equals(there), name
    for name in ("final_data.jsonl", "Conversation.txt", "item_map.json", "user_ids.json"):
        assert (tmp_path / "all" / name).read_bytes() == (source.path / name).read_bytes()


def test_a_selection_is_a_release_that_says_where_it_came_from(tmp_path: Path) -> None:
    source = released(Home(data=tmp_path / "data"))
    counts = select_dialogues(source, Selection(recommendations=(2,)), tmp_path / "two")
    assert counts["dialogues"] == counts["users"] == 1
    assert check_release(tmp_path / "two") == []
    (user,) = Release.load(tmp_path / "two").users
    assert user.user_id == "ann" and user.history == ("B1", "B2", "B3")
    facts = read_facts(tmp_path / "two")
    assert facts["made_of"] == [f"demo/{source.version}"]
    assert facts["selected"] == ["recommendations 2"]
    card = (tmp_path / "two" / "README.md").read_text(encoding="utf-8")
    assert f"demo/{source.version}" in card
    with pytest.raises(UserError, match="is there already"):
        select_dialogues(source, Selection(), tmp_path / "two")
    with pytest.raises(UserError, match="no dialogue of .* fits recommendations 3"):
        select_dialogues(source, Selection(recommendations=(3,)), tmp_path / "three")
    assert not (tmp_path / "three").exists()


def test_users_are_drawn_by_seed_and_balance_takes_as_many_as_the_rarest(tmp_path: Path) -> None:
    source = released(Home(data=tmp_path / "data"))
    seen = set()
    for seed in range(20):
        folder = tmp_path / f"one-{seed}"
        select_dialogues(source, Selection(users=1, seed=seed), folder)
        (row,) = table(folder, "users")
        seen.add(row["user_id"])
    assert seen == {"ann", "bob", "cat"}
    select_dialogues(source, Selection(balance="template"), tmp_path / "even")
    templates = Counter(row["template_id"] for row in table(tmp_path / "even", "dialogues"))
    assert templates == {"t2": 1, "t6": 1}


def test_merged_domains_keep_items_apart_and_share_users(tmp_path: Path) -> None:
    home = Home(data=tmp_path / "data")
    sources = [released(home), released(home, "more", profile="paper")]
    merged = merge_releases(home, sources, "all")
    assert check_release(merged.release.path) == []
    assert merged.shared_users == 3
    assert merged.conflicts == ("profile differs: grounded in demo, paper in more",)
    assert merged.release.counts["dialogues"] == 6 and merged.release.counts["users"] == 3
    release = Release.load(merged.release.path)
    ann = next(user for user in release.users if user.user_id == "ann")
    assert ann.history == ("demo/B1", "more/B1", "demo/B2", "more/B2", "demo/B3", "more/B3")
    assert ann.might_like == ("demo/B5", "more/B5")
    dialogues = [row for row in merged.table_3 if row[""] == "#Dialogues"]
    assert dialogues == [{"": "#Dialogues", "demo": 3, "more": 3, "Total": 6}]
    card = (merged.release.path / "README.md").read_text(encoding="utf-8")
    assert "| #Dialogues | 3 | 3 | 6 |" in card and merged.conflicts[0] in card
    again = merge_releases(home, sources, "all")
    assert again.release.reused and again.release.version == merged.release.version
    apart = merge_releases(home, sources, "apart", users_apart=True)
    assert apart.release.counts["users"] == 6


def test_a_merged_dataset_is_compared_and_exported_by_its_name(tmp_path: Path) -> None:
    home = Home(data=tmp_path / "data")
    merged = merge_releases(home, [released(home), released(home, "more")], "all")
    found = find_release(home, "all")
    assert found is not None and found.path == merged.release.path
    total = table_3(compare_corpora(home, ["all"]))[0]
    assert total == {"": "#Dialogues", "all": 6}
    source = find_source(home, "all")
    for name in FORMATS:
        assert export_release(source, name, tmp_path / name).counts


def test_what_cannot_be_merged_is_one_line(tmp_path: Path) -> None:
    home = Home(data=tmp_path / "data")
    one, more = released(home), released(home, "more")
    for sources, name, message in (
        ([one], "all", "at least two"),
        ([one, one], "all", "named twice"),
        ([one, more], "demo", "is a domain"),
        ([one, more], "No Name", "is no name"),
        ([one, FoundRelease(one.path, "copy", "copy")], "all", "both hold dialogue d2"),
    ):
        with pytest.raises(UserError, match=message):
            merge_releases(home, sources, name)


def test_pseudonyms_stay_pseudonyms(tmp_path: Path) -> None:
    home = Home(data=tmp_path / "data")
    con = small_warehouse()
    key = PseudonymKey(b"a secret of sixteen bytes and more", None)
    path = write_release(con, home, "demo", run=RUN, pseudonymise_key=key).path
    select_dialogues(FoundRelease(path, "demo", "demo"), Selection(), tmp_path / "part")
    assert "keyed hashes" in (tmp_path / "part" / "README.md").read_text(encoding="utf-8")
    con.close()


def test_the_commands(tmp_path: Path) -> None:
    home = Home(data=tmp_path / "data")
    released(home)
    released(home, "more")
    done = run_redial(home.data, "merge", "demo", "more/latest", "--name", "all")
    assert done.returncode == 0, done.stderr
    assert "Total" in done.stdout and "users in several domains" in done.stdout
    part = str(tmp_path / "part")
    done = run_redial(home.data, "select", "all", "--balance", "template", "--to", part)
    assert done.returncode == 0, done.stderr
    refused = run_redial(home.data, "select", "all", "--balance", "colour", "--to", part + "2")
    assert refused.returncode == 2 and "--balance takes template or recommendations" in (
        refused.stderr
    )


def test_tables_of_an_earlier_shape_are_read(tmp_path: Path) -> None:
    source = released(Home(data=tmp_path / "data"))
    path = source.path / "parquet" / "dialogues.parquet"
    with duckdb.connect() as con:
        con.execute(
            f"COPY (SELECT * EXCLUDE (attempt, model, models_tried) FROM '{path}') TO '{path}.new'"
            " (FORMAT parquet)"
        )
    Path(f"{path}.new").replace(path)
    (source.path / "facts.json").unlink()
    select_dialogues(source, Selection(), tmp_path / "part")
    assert {row["attempt"] for row in table(tmp_path / "part", "dialogues")} == {1}
    assert read_facts(tmp_path / "part")["model"] == "offline/writer"

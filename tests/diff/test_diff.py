"""`redial diff`: variants of a domain, releases and runs; its counts against plain ones."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli import app
from tasks.diff import Diff, compare_sides, read_sides, read_turns_of
from tasks.errors import UserError
from tasks.settings import Home
from tasks.warehouse import open_warehouse, read_warehouse


def test_variants_are_paired_by_their_briefs(built: Home, compared: Diff) -> None:
    assert compared.counts is not None
    assert compared.counts["on both sides"] == 40
    assert compared.counts["added"] == compared.counts["gone"] == 0
    for pair in compared.matched.pairs:
        assert pair.first.dialogue_id != pair.second.dialogue_id
        assert (pair.first.user_id, pair.first.items) == (pair.second.user_id, pair.second.items)
    assert [row["setting"] for row in compared.settings] == ["generate.misbehave.garbled"]
    with read_warehouse(built.warehouse("bad")) as con:
        rejected = con.execute(
            "SELECT count(*) FROM verdicts WHERE verdict = 'rejected'"
        ).fetchall()[0][0]
    assert (
        5
        < rejected
        == compared.counts["other verdict"]
        + (40 - sum(pair.first.verdict == "accepted" for pair in compared.matched.pairs))
    )


def test_the_figures_are_those_of_a_plain_count(built: Home, compared: Diff) -> None:
    by_name = {one.name: one for one in compared.overall}
    accepted = by_name["accepted"]
    with read_warehouse(built.warehouse("bad")) as con:
        kept = con.execute("SELECT count(*) FROM verdicts WHERE verdict = 'accepted'").fetchall()[
            0
        ][0]
        tokens = con.execute(
            "SELECT sum(prompt_tokens + completion_tokens) / 40 FROM responses"
        ).fetchall()[0][0]
        broke = con.execute(
            "SELECT count(DISTINCT dialogue_id) FROM rejections WHERE rule = 'readable'"
        ).fetchall()[0][0]
    assert accepted.second is not None
    assert accepted.second.value == pytest.approx(kept / 40)
    assert (accepted.n_first, accepted.n_second, accepted.pairs) == (40, 40, 40)
    assert accepted.is_clear
    assert accepted.difference is not None
    assert accepted.difference.high < 0
    assert by_name["tokens a dialogue"].second is not None
    assert by_name["tokens a dialogue"].second.value == pytest.approx(float(tokens))
    (readable,) = [one for one in compared.rules if one.name == "readable"]
    assert readable.second is not None
    assert readable.second.value == pytest.approx(broke / 40)
    assert readable.is_clear
    assert sum(one.n_first for one in compared.templates) == 40
    assert [one.name for one in compared.templates] == [one.name for one in compared.template_costs]


def test_a_domain_beside_itself_differs_in_nothing(built: Home) -> None:
    same = compare_sides(*read_sides(built, "good", "good"))
    assert same.settings == []
    assert same.counts is not None
    assert same.counts["changed"] == 0
    assert not any(one.is_clear for one in (*same.overall, *same.rules, *same.templates))


def test_releases_hold_accepted_dialogues_alone(built: Home) -> None:
    first, second = read_sides(built, "good/latest", "bad/latest")
    compared = compare_sides(first, second)
    assert first.dialogues is not None
    assert second.dialogues is not None
    assert compared.counts is not None
    assert (
        compared.counts["gone"]
        == len(first.dialogues) - len(second.dialogues)
        > 0
        == compared.counts["added"]
    )
    assert compared.rules == []
    assert [one.name for one in compared.overall] == ["accepted, as the runs wrote it down"]
    assert compared.settings
    assert {first.kind, second.kind} == {"release"}


def test_a_release_says_the_same_as_the_warehouse_it_is_from(built: Home) -> None:
    compared = compare_sides(*read_sides(built, "good", "latest"))
    assert compared.counts is not None
    assert compared.counts["changed"] == 0
    assert compared.counts["added"] == 0


def test_a_release_elsewhere_is_told_by_its_card(built: Home, tmp_path: Path) -> None:
    (place,) = [path for path in built.releases("good").iterdir() if path.is_dir()]
    away = shutil.copytree(place, tmp_path / "away")
    first, second = read_sides(built, str(away), "good/latest")
    assert first.domain == ""
    assert first.settings["generate.model"] == "offline/writer"
    assert first.code == second.code
    compared = compare_sides(first, second)
    assert compared.counts is not None
    assert compared.counts["changed"] == 0
    assert compared.counts["on both sides"] > 30
    assert read_turns_of(built, first, first.dialogues[0].dialogue_id) == read_turns_of(
        built, second, first.dialogues[0].dialogue_id
    )  # type: ignore[index]


def test_runs_are_compared_by_what_is_on_record(built: Home, tmp_path: Path) -> None:
    home = Home(data=Path(shutil.copytree(built.data, tmp_path / "data")))
    with open_warehouse(home.warehouse("good")) as con:
        con.execute(
            "INSERT INTO runs SELECT * REPLACE ('aaaaaa-1' AS run_id, started_at - INTERVAL 1 "
            "DAY AS started_at) FROM runs"
        )
        con.execute(
            """
            UPDATE runs SET counts = '{"accepted": 20, "rejected": 20, "failed": 0}'
            WHERE run_id = 'aaaaaa-1'
            """
        )
        con.execute("UPDATE runs SET run_id = 'bbbbbb-1' WHERE run_id = 'good-run'")
    old, new = read_sides(home, "aaaaaa", "good/bbbbbb")
    assert (old.kind, old.dialogues, new.complete) == ("run", None, True)
    compared = compare_sides(old, new)
    (accepted,) = compared.overall
    assert compared.counts is None
    assert accepted.first is not None
    assert accepted.first.value == 0.5
    assert accepted.n_first == 40
    with open_warehouse(home.warehouse("good")) as con:
        con.execute(
            "INSERT INTO runs SELECT * REPLACE ('aaaaaa-2' AS run_id) FROM runs WHERE run_id = "
            "'aaaaaa-1'"
        )
    with pytest.raises(
        UserError, match=r"good/aaaaaa-1, good/aaaaaa-2|good/aaaaaa-2, good/aaaaaa-1"
    ):
        read_sides(home, "aaaaaa", "good")


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("good", "nothing"), "is neither a domain"),
        (("latest", "latest"), "name that one"),
        (("good", "../../etc/passwd"), "is neither a domain"),
        (("good", "ffffff"), "is neither a domain"),
    ],
)
def test_what_cannot_be_compared_is_said_in_a_line(
    built: Home, names: tuple[str, str], words: str
) -> None:
    with pytest.raises(UserError, match=words) as refused:
        read_sides(built, *names)
    assert "\n" not in str(refused.value)


def test_the_command_shows_figures_and_a_dialogue_beside_itself(
    built: Home, compared: Diff, tmp_path: Path
) -> None:
    pair = next(
        one for one in compared.matched.pairs if one.first.text_hash != one.second.text_hash
    )
    page = tmp_path / "page.html"
    arguments = [
        "--data",
        str(built.data),
        "diff",
        "good",
        "bad",
        "--dialogue",
        pair.first.dialogue_id,
    ]
    shown = CliRunner().invoke(app, [*arguments, "--page", str(page)])
    assert shown.exit_code == 0, shown.exception
    assert pair.first.dialogue_id in shown.stdout
    assert pair.second.dialogue_id in shown.stdout
    assert page.is_file()
    told = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).stdout)
    assert told["counts"]["on both sides"] == 40
    assert len(told["changed"]) == told["counts"]["changed"]
    assert [told["dialogue"][side] for side in ("first", "second")] == [
        pair.first.dialogue_id,
        pair.second.dialogue_id,
    ]
    assert any(not turn["same"] for turn in told["dialogue"]["turns"])
    refused = CliRunner().invoke(app, [*arguments[:-1], "0000000000000000"])
    assert isinstance(refused.exception, UserError)

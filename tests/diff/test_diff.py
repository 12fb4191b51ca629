"""`redial diff`: two variants of a domain over one source, releases, runs; counts against counting by hand."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from flows.cli import app
from tasks.diff import Diff, compare_sides, read_sides, read_turns_of, render_diff
from tasks.diff.pairs import match
from tasks.diff.values import ComparedDialogue, Side, Turn, card_settings
from tasks.errors import UserError
from tasks.settings import Home
from tasks.warehouse import open_warehouse, read_warehouse
from tests.support.chromium import CHROMIUM, Opened, browser_page
from tests.support.report_warehouse import HOSTILE
from tests.support.two_profiles import build_variants

GARBLED = {"max_attempts": 1, "misbehave": {"garbled": 0.4}}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """`good` and `bad`: the same 40 briefs, the second written by a mock model that spoils four of ten answers."""
    return build_variants(
        tmp_path_factory.mktemp("variants"), 40, good={"max_attempts": 1}, bad=GARBLED
    )


@pytest.fixture(scope="module")
def found(built: Home) -> Diff:
    return compare_sides(*read_sides(built, "good", "bad"))


def made(dialogue_id: str, **changes: Any) -> ComparedDialogue:
    return ComparedDialogue(
        **{
            "dialogue_id": dialogue_id,
            "user_id": "u",
            "template_id": "t",
            "items": ("i",),
            "verdict": "accepted",
            "text_hash": "x",
            **changes,
        }
    )


def test_variants_are_paired_by_their_briefs(built: Home, found: Diff) -> None:
    assert found.counts is not None
    assert (
        found.counts["on both sides"] == 40 and found.counts["added"] == found.counts["gone"] == 0
    )
    for pair in found.matched.pairs:
        assert pair.first.dialogue_id != pair.second.dialogue_id
        assert (pair.first.user_id, pair.first.items) == (pair.second.user_id, pair.second.items)
    assert [row["setting"] for row in found.settings] == ["generate.misbehave.garbled"]
    with read_warehouse(built.warehouse("bad")) as con:
        rejected = con.execute(
            "SELECT count(*) FROM verdicts WHERE verdict = 'rejected'"
        ).fetchall()[0][0]
    assert (
        5
        < rejected
        == found.counts["other verdict"]
        + (40 - sum(pair.first.verdict == "accepted" for pair in found.matched.pairs))
    )


def test_the_figures_are_those_of_a_plain_count(built: Home, found: Diff) -> None:
    by_name = {one.name: one for one in found.overall}
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
    assert accepted.second is not None and accepted.second.value == pytest.approx(kept / 40)
    assert (accepted.n_first, accepted.n_second, accepted.pairs) == (40, 40, 40)
    assert accepted.is_clear and accepted.difference is not None and accepted.difference.high < 0
    assert by_name["tokens a dialogue"].second is not None
    assert by_name["tokens a dialogue"].second.value == pytest.approx(float(tokens))
    (readable,) = [one for one in found.rules if one.name == "readable"]
    assert (
        readable.second is not None
        and readable.second.value == pytest.approx(broke / 40)
        and readable.is_clear
    )
    assert sum(one.n_first for one in found.templates) == 40
    assert [one.name for one in found.templates] == [one.name for one in found.template_costs]


def test_a_domain_beside_itself_differs_in_nothing(built: Home) -> None:
    same = compare_sides(*read_sides(built, "good", "good"))
    assert same.settings == [] and same.counts is not None and same.counts["changed"] == 0
    assert not any(one.is_clear for one in (*same.overall, *same.rules, *same.templates))


def test_releases_hold_accepted_dialogues_alone(built: Home) -> None:
    first, second = read_sides(built, "good/latest", "bad/latest")
    compared = compare_sides(first, second)
    assert (
        first.dialogues is not None and second.dialogues is not None and compared.counts is not None
    )
    assert (
        compared.counts["gone"]
        == len(first.dialogues) - len(second.dialogues)
        > 0
        == compared.counts["added"]
    )
    assert compared.rules == [] and [one.name for one in compared.overall] == [
        "accepted, as the runs wrote it down"
    ]
    assert compared.settings and {first.kind, second.kind} == {"release"}


def test_a_release_says_the_same_as_the_warehouse_it_is_from(built: Home) -> None:
    compared = compare_sides(*read_sides(built, "good", "latest"))
    assert (
        compared.counts is not None
        and compared.counts["changed"] == 0
        and compared.counts["added"] == 0
    )


def test_a_release_elsewhere_is_told_by_its_card(built: Home, tmp_path: Path) -> None:
    (place,) = [path for path in built.releases("good").iterdir() if path.is_dir()]
    away = shutil.copytree(place, tmp_path / "away")
    first, second = read_sides(built, str(away), "good/latest")
    assert (
        first.domain == ""
        and first.settings["generate.model"] == "offline/writer"
        and first.code == second.code
    )
    compared = compare_sides(first, second)
    assert (
        compared.counts is not None
        and compared.counts["changed"] == 0
        and compared.counts["on both sides"] > 30
    )
    assert read_turns_of(built, first, first.dialogues[0].dialogue_id) == read_turns_of(
        built, second, first.dialogues[0].dialogue_id
    )  # type: ignore[index]


def test_runs_are_compared_by_what_is_on_record(built: Home, tmp_path: Path) -> None:
    home = Home(data=Path(shutil.copytree(built.data, tmp_path / "data")))
    with open_warehouse(home.warehouse("good")) as con:
        con.execute(
            "INSERT INTO runs SELECT * REPLACE ('aaaaaa-1' AS run_id, started_at - INTERVAL 1 DAY AS started_at) FROM runs"
        )
        con.execute(
            """UPDATE runs SET counts = '{"accepted": 20, "rejected": 20, "failed": 0}' WHERE run_id = 'aaaaaa-1'"""
        )
        con.execute("UPDATE runs SET run_id = 'bbbbbb-1' WHERE run_id = 'good-run'")
    old, new = read_sides(home, "aaaaaa", "good/bbbbbb")
    assert (old.kind, old.dialogues, new.complete) == ("run", None, True)
    compared = compare_sides(old, new)
    (accepted,) = compared.overall
    assert (
        compared.counts is None
        and accepted.first is not None
        and accepted.first.value == 0.5
        and accepted.n_first == 40
    )
    with open_warehouse(home.warehouse("good")) as con:
        con.execute(
            "INSERT INTO runs SELECT * REPLACE ('aaaaaa-2' AS run_id) FROM runs WHERE run_id = 'aaaaaa-1'"
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
    built: Home, found: Diff, tmp_path: Path
) -> None:
    pair = next(one for one in found.matched.pairs if one.first.text_hash != one.second.text_hash)
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
    assert (
        pair.first.dialogue_id in shown.stdout
        and pair.second.dialogue_id in shown.stdout
        and page.is_file()
    )
    told = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).stdout)
    assert (
        told["counts"]["on both sides"] == 40 and len(told["changed"]) == told["counts"]["changed"]
    )
    assert [told["dialogue"][side] for side in ("first", "second")] == [
        pair.first.dialogue_id,
        pair.second.dialogue_id,
    ]
    assert any(not turn["same"] for turn in told["dialogue"]["turns"])
    refused = CliRunner().invoke(app, [*arguments[:-1], "0000000000000000"])
    assert isinstance(refused.exception, UserError)


def test_dialogues_are_paired_by_what_says_most() -> None:
    same_id, brief, twin = made("1"), made("2", user_id="v"), made("3", items=("j",))
    again = [
        made("1", user_id="w"),
        made("9", user_id="v"),
        made("8", user_id="pseudonym", items=("j",)),
        made("7", items=("k",)),
    ]
    matched = match([same_id, brief, twin, made("4", items=("q",))], again)
    assert [(pair.first.dialogue_id, pair.second.dialogue_id) for pair in matched.pairs] == [
        ("1", "1"),
        ("2", "9"),
        ("3", "8"),
    ]
    assert [one.dialogue_id for one in matched.gone] == ["4"] and [
        one.dialogue_id for one in matched.added
    ] == ["7"]


def test_a_brief_that_two_have_is_paired_with_neither() -> None:
    matched = match([made("1")], [made("2"), made("3")])
    assert matched.pairs == [] and len(matched.added) == 2


def test_sides_with_little_in_common_count_as_independent() -> None:
    def side(name: str, numbers: range) -> Side:
        dialogues = tuple(
            made(
                f"{number:x}",
                items=(str(number),),
                verdict="rejected" if number % 2 else "accepted",
            )
            for number in numbers
        )
        return Side(name, "domain", dialogues=dialogues, complete=True)

    accepted = compare_sides(side("a", range(100)), side("b", range(80, 180))).overall[0]
    assert accepted.pairs == 0 and accepted.difference is not None
    assert compare_sides(side("a", range(100)), side("b", range(40, 140))).overall[0].pairs == 60


def test_a_card_without_facts_says_nothing() -> None:
    assert card_settings("# Title\n\n| a |\n") == {}


def hostile_diff() -> Diff:
    def side(name: str, verdict: str) -> Side:
        dialogue = made(
            "a" * 16,
            user_id=HOSTILE,
            template_id=HOSTILE,
            verdict=verdict,
            text_hash=verdict,
            broken=frozenset({HOSTILE}),
        )
        return Side(
            name + HOSTILE,
            "domain",
            settings={"x" + HOSTILE: name + HOSTILE},
            dialogues=(dialogue,),
            complete=True,
        )

    return compare_sides(side("one", "accepted"), side("two", "rejected"))


@pytest.mark.skipif(not CHROMIUM.is_file(), reason="no Chromium here")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_shows_hostile_texts_and_fits_a_narrow_screen(tmp_path: Path, scheme: str) -> None:
    page = tmp_path / "page.html"
    page.write_text(
        render_diff(
            hostile_diff(),
            lambda side, _: [Turn.of(1, "user", side.name), Turn.of(2, "agent", HOSTILE)],
        ),
        "utf-8",
    )
    assert "<script" not in page.read_text("utf-8") and "<img" not in page.read_text("utf-8")
    seen = Opened()
    with browser_page(
        seen, offline=True, color_scheme=scheme, viewport={"width": 390, "height": 800}
    ) as opened:
        opened.goto(page.as_uri())
        assert opened.title() != "owned" and opened.locator("table.beside tr.other").count() == 1
        assert opened.evaluate("document.documentElement.scrollWidth <= innerWidth")
        ground = opened.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (ground == "rgb(21, 24, 28)") == (scheme == "dark")
    assert (
        seen.problems == []
        and [url for url in seen.requests if not url.startswith(("file:", "data:"))] == []
    )

"""Which stages run again after a change, and why: real builds of the demo, some of them with a copy of the project's code."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from flows.server.ephemeral import PrivateServer
from tasks.settings.paths import PROJECT
from tests.support.builds_in_turn import Built, build_in_turn

SPOILT: dict[str, Any] = {
    "max_dialogues": 20,
    "settings": {"generate": {"misbehave": {"garbled": 0.5, "ungrounded": 0.2}}},
}
TITLES = {"untitled": "use_id"}
FOLDERS = (
    "tasks",
    "flows",
    "goal_specs",
    "expectations",
    "tests/support",
    "data/domains",
    "data/demo",
)


@pytest.fixture(scope="module")
def api(flow_server: PrivateServer) -> PrivateServer:
    return flow_server


@pytest.fixture(scope="module")
def first(api: PrivateServer, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Built]:
    """A data folder and the build in it that later ones start from."""
    data = tmp_path_factory.mktemp("first")
    (built,) = build_in_turn(PROJECT, api, [(data, SPOILT)])
    assert set(built.stages.values()) == {"done"} and {"generate-2", "generate-3"} <= set(
        built.stages
    )
    return data, built


@pytest.fixture
def data(first: tuple[Path, Built], tmp_path: Path) -> Path:
    """A data folder of its own in which the first build was made."""
    return Path(shutil.copytree(first[0], tmp_path / "data"))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project whose code may be changed."""
    for folder in FOLDERS:
        shutil.copytree(
            PROJECT / folder,
            tmp_path / "copy" / folder,
            ignore=shutil.ignore_patterns("__pycache__"),
        )
    return tmp_path / "copy"


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_other_words_of_a_repair_redo_the_repairs_and_what_follows_and_nothing_else(
    api: PrivateServer, first: tuple[Path, Built], data: Path, project: Path
) -> None:
    """The case that was found: the text that merging makes is changed; the stages before it stay cached."""
    edit(
        project / "tasks/repair/rollout.py",
        "turns[number - 1].role, text)\n",
        'turns[number - 1].role, text + " Mended.")\n',
    )
    edit(project / "tasks/reports/charts.py", '"""', '"""Another word. ')
    (built,) = build_in_turn(project, api, [(data, SPOILT)])
    cached = ["ingest", "preprocess", "briefs", "generate-1", "dialogues-1", "quality-1"]
    assert [stage for stage, state in built.stages.items() if state == "cached"] == cached
    assert set(built.ran()) == {stage for stage in built.stages if stage[-1] in "23"} | {"verdicts"}
    assert built.stages["generate-2"] == "redone"
    assert built.details["generate-2"].startswith("code of tasks.repair.rollout changed; ")
    assert built.details["dialogues-2"].startswith("rows of generate-2 changed; ")
    assert built.version != first[1].version and code(built) != code(first[1])
    assert "Mended." in (built.release / "Conversation.txt").read_text(encoding="utf-8")


@pytest.mark.heavy
def test_code_that_no_stage_reaches_changes_neither_rows_nor_release(
    api: PrivateServer, first: tuple[Path, Built], data: Path, project: Path
) -> None:
    with (project / "tasks/reports/charts.py").open("a") as file:
        file.write("\n\ndef added() -> int:\n    return 1\n")
    edit(project / "tasks/repair/rollout.py", '"""Asks', '"""In other words: asks')
    edit(project / "goal_specs/goals.yaml", "\n", "\n# another word\n")
    (built,) = build_in_turn(project, api, [(data, SPOILT)])
    assert built.ran() == []
    assert built.version == first[1].version
    assert "several versions" not in built.card()


@pytest.mark.heavy
def test_another_mock_model_writes_other_words(
    api: PrivateServer, first: tuple[Path, Built], data: Path, project: Path
) -> None:
    """Its answers of before are stored under what it was asked; they must not be taken for the new one's."""
    edit(project / "tasks/mock_model/phrases.py", "    return _SENT", '    return "Well: " + _SENT')
    (built,) = build_in_turn(project, api, [(data, SPOILT)])
    assert built.details["generate-1"].startswith("code of tasks.mock_model.phrases changed; ")
    assert "Well: " in (built.release / "Conversation.txt").read_text(encoding="utf-8")
    assert built.stages["briefs"] == "cached"


@pytest.mark.heavy
def test_other_words_of_a_goal_redo_what_asks_with_them(
    api: PrivateServer, data: Path, project: Path, first: tuple[Path, Built]
) -> None:
    edit(project / "goal_specs/goals.yaml", "Say hello, name the {noun}", "Greet, name the {noun}")
    (built,) = build_in_turn(project, api, [(data, SPOILT)])
    for stage in ("briefs", "generate-1", "generate-2"):
        assert built.details[stage].startswith("goal_specs/goals.yaml changed; "), built.details
    assert built.stages["preprocess"] == "cached"
    assert code(built) != code(first[1])


@pytest.fixture(scope="module")
def lowered(
    api: PrivateServer, first: tuple[Path, Built], tmp_path_factory: pytest.TempPathFactory
) -> list[Built]:
    """The first folder with two attempts, with one, with three again; then fresh folders with two and with one."""
    folder = tmp_path_factory.mktemp("lowered")
    shutil.copytree(first[0], folder / "data")
    one, two = {**SPOILT, "max_attempts": 1}, {**SPOILT, "max_attempts": 2}
    in_turn = [
        ("data", two),
        ("data", one),
        ("data", SPOILT),
        ("fresh two", two),
        ("fresh one", one),
    ]
    return build_in_turn(PROJECT, api, [(folder / name, options) for name, options in in_turn])


def test_fewer_attempts_give_what_a_fresh_folder_gives(
    api: PrivateServer, first: tuple[Path, Built], data: Path, tmp_path: Path
) -> None:
    one = {**SPOILT, "max_attempts": 1}
    lowered, fresh = build_in_turn(PROJECT, api, [(data, one), (tmp_path / "fresh", one)])
    assert (lowered.version, lowered.verdicts) == (fresh.version, fresh.verdicts)
    assert lowered.verdicts["accepted"] < first[1].verdicts["accepted"] and lowered.ran() == [
        "verdicts"
    ]


@pytest.mark.heavy
def test_attempts_taken_away_and_given_back_give_what_a_fresh_folder_gives(
    first: tuple[Path, Built], lowered: list[Built]
) -> None:
    second, third, again, fresh_two, fresh_one = lowered
    assert (second.version, second.verdicts) == (fresh_two.version, fresh_two.verdicts)
    assert (third.version, third.verdicts) == (fresh_one.version, fresh_one.verdicts)
    assert (again.version, again.verdicts) == (first[1].version, first[1].verdicts)
    assert third.verdicts["accepted"] < second.verdicts["accepted"]
    assert third.ran() == ["verdicts"]
    assert set(again.ran()) == {stage for stage in again.stages if stage[-1] in "23"} | {"verdicts"}


@pytest.fixture(scope="module")
def varied(
    api: PrivateServer, first: tuple[Path, Built], tmp_path_factory: pytest.TempPathFactory
) -> list[Built]:
    """The first folder with prices and another pace, then with another setting of ingest."""
    folder = shutil.copytree(first[0], tmp_path_factory.mktemp("varied") / "data")
    priced = {
        "input_cost_per_token": 0.001,
        "output_cost_per_token": 0.002,
        "limits": {"concurrency": 3},
        "chunk_size": 7,
    }
    return build_in_turn(
        PROJECT,
        api,
        [
            (folder, spoilt(**priced)),
            (folder, {**spoilt(), "settings": {**spoilt()["settings"], **TITLES}}),
        ],
    )


@pytest.mark.heavy
def test_prices_and_pace_redo_nothing_and_make_no_other_release(
    first: tuple[Path, Built], varied: list[Built]
) -> None:
    assert (varied[0].ran(), varied[0].version) == ([], first[1].version)


@pytest.mark.heavy
def test_a_setting_that_changed_is_named(varied: list[Built]) -> None:
    assert varied[1].stages["ingest"] == "redone" and varied[1].details["ingest"].startswith(
        "settings.untitled changed; "
    )


@pytest.fixture(scope="module")
def stopped(
    api: PrivateServer, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[Built]]:
    """A folder that was built up to a few accepted dialogues, then further until a budget stopped it at the first attempt."""
    data = tmp_path_factory.mktemp("stopped")
    priced = spoilt(
        input_cost_per_token=0.001, output_cost_per_token=0.001, limits={"concurrency": 1}
    )
    builds = [
        (data, {**SPOILT, "accepted": 8}),
        (data, {**priced, "accepted": 20, "budget_usd": 9.0}),
    ]
    return data, build_in_turn(PROJECT, api, builds)


@pytest.mark.heavy
def test_a_stopped_run_releases_the_repairs_of_before_and_says_that_they_are_older(
    stopped: tuple[Path, list[Built]],
) -> None:
    few, more = stopped[1]
    assert more.verdicts["unasked"] > 0 and "dialogues-2" in more.stages
    assert (
        more.verdicts["unasked"] < few.verdicts["unasked"]
        and more.verdicts["accepted"] >= few.verdicts["accepted"]
    )
    assert "made by several versions" not in few.card()
    assert "| made by several versions | generate-2 was made before " in more.card()


@pytest.mark.heavy
def test_going_on_gives_what_was_never_stopped(
    api: PrivateServer, first: tuple[Path, Built], stopped: tuple[Path, list[Built]], tmp_path: Path
) -> None:
    data = shutil.copytree(stopped[0], tmp_path / "data")
    (whole,) = build_in_turn(PROJECT, api, [(data, SPOILT)])
    assert (whole.version, whole.verdicts) == (first[1].version, first[1].verdicts)


@pytest.mark.heavy
def test_a_stopped_run_drops_repairs_that_other_code_made(
    api: PrivateServer, stopped: tuple[Path, list[Built]], project: Path, tmp_path: Path
) -> None:
    data = shutil.copytree(stopped[0], tmp_path / "data")
    edit(
        project / "tasks/repair/rollout.py",
        "turns[number - 1].role, text)\n",
        'turns[number - 1].role, text + " Mended.")\n',
    )
    priced = spoilt(
        input_cost_per_token=0.001, output_cost_per_token=0.001, limits={"concurrency": 1}
    )
    (built,) = build_in_turn(project, api, [(data, {**priced, "accepted": 20, "budget_usd": 0.0})])
    assert "generate-2" not in built.stages and "dialogues-2" not in built.stages
    assert "made by several versions" not in built.card()


def spoilt(**generate: Any) -> dict[str, Any]:
    """Return the first build's options with more settings of `generate`."""
    return {**SPOILT, "settings": {"generate": {**SPOILT["settings"]["generate"], **generate}}}


def code(built: Built) -> str:
    """Return the code that a release's card names."""
    return next(line for line in built.card().splitlines() if line.startswith("| code |"))

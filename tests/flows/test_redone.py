"""Which stages run again after a change, and why: real builds of the demo, some of them with a copy of the project's code."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.settings.home import PROJECT
from tests.support.builds_in_turn import Built, build_in_turn, prefect_server

SPOILT = {"max_dialogues": 20, "settings": {"generate": {"misbehave": {"garbled": 0.5, "ungrounded": 0.2}}}}
FOLDERS = ("tasks", "flows", "goal_specs", "expectations", "tests/support", "data/domains", "data/demo")


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with prefect_server(tmp_path_factory.mktemp("prefect")) as address:
        yield address


@pytest.fixture(scope="module")
def first(api: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Built]:
    """A data folder and the build in it that later ones start from."""
    data = tmp_path_factory.mktemp("first")
    (built,) = build_in_turn(PROJECT, api, [(data, SPOILT)])
    assert set(built.stages.values()) == {"done"} and {"generate-2", "generate-3"} <= set(built.stages)
    return data, built


@pytest.fixture
def data(first: tuple[Path, Built], tmp_path: Path) -> Path:
    """A data folder of its own in which the first build was made."""
    return Path(shutil.copytree(first[0], tmp_path / "data"))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project whose code may be changed."""
    for folder in FOLDERS:
        shutil.copytree(PROJECT / folder, tmp_path / "copy" / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "copy"


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_other_words_of_a_repair_redo_the_repairs_and_what_follows_and_nothing_else(
    api: str, first: tuple[Path, Built], data: Path, project: Path
) -> None:
    """The case that was found: the text that merging makes is changed; the stages before it stay cached."""
    edit(project / "tasks/repair/merging.py", 'turns[number - 1] = Spoken(role', 'turns[number - 1] = Spoken(role')
    edit(project / "tasks/repair/merging.py", "turns[number - 1].role, text)", 'turns[number - 1].role, text + " Mended.")')
    edit(project / "tasks/reports/charts.py", '"""', '"""Another word. ')
    (built,) = build_in_turn(project, api, [(data, SPOILT)])
    cached = ["ingest", "preprocess", "briefs", "generate-1", "dialogues-1", "quality-1"]
    assert [stage for stage, state in built.stages.items() if state == "cached"] == cached
    assert set(built.ran()) == {stage for stage in built.stages if stage[-1] in "23"} | {"verdicts"}
    assert built.stages["generate-2"] == "redone"
    assert built.details["generate-2"].startswith("code of tasks.repair.merging changed; ")
    assert built.details["dialogues-2"].startswith("rows of generate-2 changed; ")
    assert built.version != first[1].version and code(built) != code(first[1])
    assert "Mended." in (built.release / "Conversation.txt").read_text(encoding="utf-8")


def test_code_that_no_stage_reaches_changes_neither_rows_nor_release(
    api: str, first: tuple[Path, Built], data: Path, project: Path
) -> None:
    with (project / "tasks/reports/charts.py").open("a") as file:
        file.write("\n\ndef added() -> int:\n    return 1\n")
    edit(project / "tasks/repair/merging.py", '"""Puts', '"""Another word: puts')
    edit(project / "goal_specs/goals.yaml", "\n", "\n# another word\n")
    (built,) = build_in_turn(project, api, [(data, SPOILT)])
    assert built.ran() == []
    assert built.version == first[1].version
    assert "several versions" not in built.card()


def test_another_writer_writes_other_words(api: str, first: tuple[Path, Built], data: Path, project: Path) -> None:
    """Its answers of before are stored under what it was asked; they must not stand for another writer's."""
    edit(project / "tasks/llm/offline/style.py", "    return ", "    return \"Well: \" + ")
    (built,) = build_in_turn(project, api, [(data, SPOILT)])
    assert built.details["generate-1"].startswith("code of tasks.llm.offline.style changed; ")
    assert "Well: " in (built.release / "Conversation.txt").read_text(encoding="utf-8")
    assert built.stages["briefs"] == "cached"


def test_other_words_of_a_goal_redo_what_asks_with_them(api: str, data: Path, project: Path, first: tuple[Path, Built]) -> None:
    goals = project / "goal_specs/goals.yaml"
    goals.write_text(goals.read_text(encoding="utf-8").replace("says ", "tells "), encoding="utf-8")
    (built,) = build_in_turn(project, api, [(data, SPOILT)])
    for stage in ("briefs", "generate-1"):
        assert built.details[stage].startswith("goal_specs/goals.yaml changed; "), built.details
    assert built.stages["preprocess"] == "cached"
    assert code(built) != code(first[1])


def test_fewer_attempts_give_what_a_fresh_folder_gives(api: str, first: tuple[Path, Built], data: Path, tmp_path: Path) -> None:
    one, two = {**SPOILT, "max_attempts": 1}, {**SPOILT, "max_attempts": 2}
    second, third, again, fresh_two, fresh_one = build_in_turn(
        PROJECT, api, [(data, two), (data, one), (data, SPOILT), (tmp_path / "two", two), (tmp_path / "one", one)]
    )
    assert (second.version, second.verdicts) == (fresh_two.version, fresh_two.verdicts)
    assert (third.version, third.verdicts) == (fresh_one.version, fresh_one.verdicts)
    assert (again.version, again.verdicts) == (first[1].version, first[1].verdicts)
    assert third.verdicts["accepted"] < first[1].verdicts["accepted"]
    assert third.ran() == ["verdicts"]
    assert {stage for stage in again.ran() if stage != "verdicts"} == {stage for stage in again.stages if stage[-1] in "23"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("generate", {"input_cost_per_token": 0.001, "output_cost_per_token": 0.002}),
        ("generate", {"limits": {"concurrency": 3}, "chunk_size": 7}),
    ],
)
def test_prices_and_pace_redo_nothing(api: str, first: tuple[Path, Built], data: Path, name: str, value: dict[str, object]) -> None:
    settings = {"settings": {name: {**SPOILT["settings"]["generate"], **value}}}  # type: ignore[index]
    (built,) = build_in_turn(PROJECT, api, [(data, {**SPOILT, **settings})])
    assert (built.ran(), built.version) == ([], first[1].version)


def test_a_setting_that_changed_is_named(api: str, data: Path) -> None:
    (built,) = build_in_turn(PROJECT, api, [(data, {**SPOILT, "settings": {**SPOILT["settings"], "untitled": "use_id"}})])  # type: ignore[dict-item]
    assert built.stages["ingest"] == "redone" and built.details["ingest"].startswith("settings.untitled changed; ")


def code(built: Built) -> str:
    """Return the code that a release's card names."""
    return next(line for line in built.card().splitlines() if line.startswith("| code |"))



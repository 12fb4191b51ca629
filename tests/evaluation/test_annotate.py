from __future__ import annotations

import json
import socket
import time
from pathlib import Path

import pytest
from playwright.sync_api import Route
from starlette.testclient import TestClient

from flows.cli.annotate import results
from tasks.calibration import settled
from tasks.errors import UserError
from tasks.evaluation.annotate import Study, annotation_app, serve_annotation
from tasks.evaluation.corpora import Corpus, Dialogue, Utterance
from tasks.evaluation.quality import (
    METRICS,
    NO_DEFECT,
    DefectTask,
    PairTask,
    UtteranceTask,
    pair_tasks,
    utterance_tasks,
)
from tests.support.chromium import ARGUMENTS, CHROMIUM, wait_for_page
from tests.support.served_app import served_app

NASTY = '<script>document.title="owned"</script><img src=x onerror=alert(1)> "quoted" {{ 7 * 7 }}'


def corpus(name: str, dialogues: int = 3) -> Corpus:
    said = (Utterance("user", f"Hello {NASTY}"), Utterance("agent", "Try it."))
    return Corpus(name, tuple(Dialogue(f"{name}-{number}", said) for number in range(dialogues)))


@pytest.fixture
def study(tmp_path: Path) -> Study:
    first, second = corpus("secretours"), corpus("secrettheirs")
    tasks = [*utterance_tasks([first, second], dialogues=2), *pair_tasks(first, [second], pairs=2)]
    return Study.create(tmp_path / "study.sqlite", tasks, seed=3)


def grades(value: int) -> dict[str, int]:
    return dict.fromkeys(METRICS, value)


def test_every_answer_is_kept_and_can_be_changed(study: Study) -> None:
    order = study.order("ann")
    study.answer("ann", order[0].task_id, grades(1))
    study.answer("ann", order[0].task_id, grades(2))
    again = Study(study.path)
    assert again.answers("ann") == {order[0].task_id: grades(2)}
    assert [(p.annotator, p.answered, p.tasks) for p in again.progress()] == [("ann", 1, 10)]
    assert [(r.rater, r.value) for r in again.ratings()] == [("ann", 2)] * 4


def test_each_annotator_has_their_own_order_with_utterances_in_turn(study: Study) -> None:
    orders = {name: study.order(name) for name in ("ann", "bob", "cat", "dan")}
    assert len({tuple(task.task_id for task in order) for order in orders.values()}) > 1
    for order in orders.values():
        scored = [task for task in order if isinstance(task, UtteranceTask)]
        assert order[: len(scored)] == scored and [task.turn for task in scored] == [0, 1] * 4
    assert orders["ann"] == Study(study.path).order("ann")


def test_sides_are_shuffled_and_the_choice_says_what_was_shown(study: Study) -> None:
    firsts = set()
    for name in ("ann", "bob", "cat", "dan", "eve"):
        for task in study.order(name):
            if isinstance(task, PairTask):
                firsts.add(task.first_corpus)
                study.answer(name, task.task_id, {"choice": "first", "shown_first": "forged"})
                kept = next(
                    one
                    for one in study.preferences()
                    if one.rater == name and one.task_id == task.task_id
                )
                assert kept.winner == task.first_corpus
    assert firsts == {"secretours", "secrettheirs"}


def test_peoples_verdicts_are_printed(study: Study, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("ann", "bob"):
        for number, task in enumerate(study.order(name)):
            study.answer(
                name,
                task.task_id,
                {"choice": "tie"} if isinstance(task, PairTask) else grades(number % 3),
            )
    results(study.path)
    told = capsys.readouterr().out
    assert (
        "Table 4" in told
        and "Figure 4" in told
        and "Agreement of people" in told
        and "Judges against people" not in told
    )


def test_export_and_import_between_machines(study: Study, tmp_path: Path) -> None:
    copy = Study.create(tmp_path / "copy.sqlite", study.tasks, seed=3)
    for name, home in (("ann", study), ("bob", copy)):
        for task in home.order(name):
            home.answer(
                name, task.task_id, {"choice": "tie"} if isinstance(task, PairTask) else grades(1)
            )
    assert copy.export_answers(tmp_path / "bob.jsonl") == 10
    assert study.import_answers(tmp_path / "bob.jsonl") == 10
    assert {rating.rater for rating in study.ratings()} == {"ann", "bob"} and len(
        study.preferences()
    ) == 4
    assert {one for one in study.preferences() if one.rater == "bob"} == set(copy.preferences())


@pytest.mark.parametrize(
    "line",
    [
        '{"annotator": "x", "task_id": "nope", "answer": {}}',
        '{"annotator": "x/../y", "task_id": "ID", "answer": {"choice": "tie"}}',
        '{"annotator": "x", "task_id": "ID", "answer": {"choice": "both"}}',
        "not json",
    ],
)
def test_a_bad_import_changes_nothing(study: Study, tmp_path: Path, line: str) -> None:
    pair = next(task for task in study.tasks if isinstance(task, PairTask))
    good = json.dumps({"annotator": "x", "task_id": pair.task_id, "answer": {"choice": "tie"}})
    (tmp_path / "in.jsonl").write_text(f"{good}\n{line.replace('ID', pair.task_id)}\n")
    with pytest.raises(UserError):
        study.import_answers(tmp_path / "in.jsonl")
    assert study.progress() == []


def test_a_file_that_is_no_study_is_refused(study: Study, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no study"):
        Study(tmp_path / "none")
    (tmp_path / "text").write_text("hello, this is no database at all")
    with pytest.raises(UserError, match="not a study|cannot be written"):
        Study(tmp_path / "text")
    with pytest.raises(UserError, match="another study"):
        Study.create(study.path, study.tasks, seed=4)
    with pytest.raises(UserError, match="nothing to judge"):
        Study.create(tmp_path / "new", [])
    assert Study.create(study.path, study.tasks, seed=3).tasks == study.tasks


def client(study: Study) -> TestClient:
    return TestClient(
        annotation_app(study), base_url="http://127.0.0.1:8765", follow_redirects=False
    )


def test_pages_escape_everything_and_name_no_corpus(study: Study) -> None:
    page = client(study)
    for place, task in enumerate(study.order("ann")):
        shown = page.get(f"/rate/ann?at={place}")
        assert shown.status_code == 200 and "secret" not in shown.text
        assert (
            "<script>document" not in shown.text
            and "<img" not in shown.text
            and "{{ 7 * 7 }}" in shown.text
        )
        assert (
            task.task_id in shown.text
            and "script-src 'self'" in shown.headers["content-security-policy"]
        )


def test_the_forms_work_without_javascript(study: Study) -> None:
    page, first = client(study), study.order("ann")[0]
    assert page.get("/rate", params={"annotator": " ann "}).headers["location"] == "/rate/ann"
    data = {**{m: "2" for m in METRICS}, "extra": "x", "seen": study.state("ann", first.task_id)}
    sent = page.post(f"/rate/ann/{first.task_id}", data=data)
    assert (sent.status_code, sent.headers["location"]) == (303, "/rate/ann")
    assert study.answers("ann") == {first.task_id: grades(2)}
    assert "1 of 10 answered" in page.get("/rate/ann").text


SPELLINGS = ["Bob", "Bob ", "  Bob", "bob", "BOB", "Bob\u00a0", "\uff22ob"]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_spellings_of_one_name_are_one_annotator(study: Study, spelling: str) -> None:
    study.answer("Bob", study.order("Bob")[0].task_id, grades(1))
    order = study.order(spelling)
    assert order == study.order("Bob")
    study.answer(spelling, order[1].task_id, grades(2))
    assert [(one.annotator, one.answered) for one in study.progress()] == [("Bob", 2)]
    assert (
        client(study).get("/rate", params={"annotator": spelling}).headers["location"]
        == "/rate/Bob"
    )


def test_composed_and_single_spaced(study: Study) -> None:
    study.answer("Ame\u0301lie  de  B", study.order("Amélie de B")[0].task_id, grades(1))
    assert [one.annotator for one in study.progress()] == ["Amélie de B"]
    assert study.known_as("Bobby") == "Bobby" and study.known_as("Bob-by") == "Bob-by"


def test_an_import_takes_spellings_for_one_and_refuses_two_answers(
    study: Study, tmp_path: Path
) -> None:
    task = study.utterance_tasks[0].task_id
    lines = [
        {"annotator": name, "task_id": task, "answer": grades(value)}
        for name, value in (("Bob", 1), ("bob ", 1))
    ]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert study.import_answers(tmp_path / "in.jsonl") == 1 and len(study.progress()) == 1
    lines[1]["answer"] = grades(2)
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(UserError, match="answer 2, is a second one of Bob"):
        study.import_answers(tmp_path / "in.jsonl")
    assert study.answers("Bob") == {task: grades(1)}


def sent(
    study: Study, name: str, place: int, value: int, seen: str | None = None
) -> tuple[int, str]:
    """Open a task's page and send its form; with `seen`, as a page opened earlier would."""
    page, task = client(study), study.order(name)[place]
    mark = seen or study.state(name, task.task_id)
    data = {**{metric: str(value) for metric in METRICS}, "seen": mark}
    answer = page.post(f"/rate/{name}/{task.task_id}", data=data)
    return answer.status_code, answer.text


def test_two_tabs_do_not_overwrite_each_other(study: Study) -> None:
    task = study.order("ann")[0].task_id
    both = study.state("ann", task)
    assert f'name="seen" value="{both}"' in client(study).get("/rate/ann?at=0").text
    assert sent(study, "ann", 0, 2, both)[0] == 303
    status, told = sent(study, "ann", 0, 0, both)
    assert status == 409 and "yours was not saved" in told and "/rate/ann?at=0" in told
    assert study.answers("ann") == {task: grades(2)}
    assert sent(study, "ann", 0, 2, both)[0] == 303  # the same answer again is none the worse
    assert sent(study, "ann", 0, 0)[0] == 303  # and whoever has seen what stands may change it
    assert study.answers("ann") == {task: grades(0)}
    assert sent(study, "ann", 0, 1, both)[0] == 409


def test_a_form_without_its_state_replaces_nothing(study: Study) -> None:
    page, task = client(study), study.order("ann")[0].task_id
    assert (
        page.post(f"/rate/ann/{task}", data={metric: "2" for metric in METRICS}).status_code == 409
    )
    assert study.answers("ann") == {}


def test_two_annotators_begin_with_one_name_at_once(study: Study) -> None:
    """With both spellings unknown each gets its own page; the second must reopen the task."""
    seen = {name: study.state(name, study.order(name)[-1].task_id) for name in ("Bob", "bob")}
    pair = study.order("bob")[-1]
    study.answer("Bob", study.order("Bob")[0].task_id, grades(1))
    data = {"choice": "first", "seen": seen["bob"]}
    assert client(study).post(f"/rate/bob/{pair.task_id}", data=data).status_code == 409
    assert study.preferences() == []


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("/rate/ann/{task}", {"fluency": "2"}),
        (
            "/rate/ann/{task}",
            {"fluency": "9", "informativeness": "1", "logic": "1", "coherence": "1"},
        ),
        ("/rate/ann/nope", {"choice": "first"}),
        ("/rate/%2e%2e/{task}", {"choice": "first"}),
        ("/rate/ann/{task}", {"choice": "first" + "x" * 5000}),
    ],
)
def test_bad_forms_get_a_clear_message(study: Study, path: str, data: dict[str, str]) -> None:
    sent = client(study).post(path.format(task=study.order("ann")[0].task_id), data=data)
    assert sent.status_code in {400, 404} and "Traceback" not in sent.text
    assert study.progress() == []


def test_other_sites_cannot_answer(study: Study) -> None:
    page, path = client(study), f"/rate/ann/{study.order('ann')[0].task_id}"
    data = {
        **{metric: "1" for metric in METRICS},
        "seen": study.state("ann", study.order("ann")[0].task_id),
    }
    assert page.post(path, data=data, headers={"Origin": "http://evil.example"}).status_code == 403
    assert page.post(path, data=data, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert (
        TestClient(annotation_app(study), base_url="http://evil.example").get("/").status_code
        == 400
    )
    assert (
        page.post(
            path,
            data=data,
            headers={"Origin": "http://127.0.0.1:8765", "Sec-Fetch-Site": "same-origin"},
        ).status_code
        == 303
    )


def test_a_port_in_use(study: Study) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(UserError, match="cannot be used"):
            serve_annotation(study, port=taken.getsockname()[1])


def late(route: Route) -> None:
    """Answer a request for a script later than the page that asks for it."""
    time.sleep(0.05)
    route.continue_()


@pytest.mark.skipif(not CHROMIUM.is_file(), reason="no Chromium here")
def test_a_whole_study_by_keyboard_in_a_browser(study: Study) -> None:
    from playwright.sync_api import sync_playwright

    problems: list[str] = []
    with served_app(annotation_app(study)) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        page = browser.new_page()
        page.on(
            "console",
            lambda message: problems.append(message.text) if message.type == "error" else None,
        )
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.route("**/keys.js", late)
        page.goto(address)
        page.keyboard.type("ann")
        page.keyboard.press("Enter")
        wait_for_page(page, "#progress")
        assert page.title() == "Annotation"  # the script in the dialogue did not run
        for key in "012":
            page.keyboard.press(key)
        page.keyboard.press("Backspace")
        for key in "12":
            page.keyboard.press(key)
        page.keyboard.press("Enter")
        wait_for_page(page, "#progress:has-text('1 of 10')")
        first = study.order("ann")[0]
        assert study.answers("ann") == {
            first.task_id: {"fluency": 0, "informativeness": 1, "logic": 1, "coherence": 2}
        }
        page.keyboard.press("ArrowLeft")
        page.wait_for_url("**?at=0")
        assert page.locator("input:checked").count() == 4
        page.goto(f"{address}/rate/ann")
        for done, task in enumerate(study.order("ann")[1:], 2):
            for key in ("1",) if isinstance(task, PairTask) else ("2", "2", "2", "2", "Enter"):
                page.keyboard.press(key)
            if done < len(study.tasks):
                wait_for_page(page, f"#progress:has-text('{done} of 10')")
        wait_for_page(page, "#done")
        browser.close()
    assert problems == []
    assert len(study.ratings()) == 32 and [one.choice for one in study.preferences()] == [
        "first",
        "first",
    ]


@pytest.mark.skipif(not CHROMIUM.is_file(), reason="no Chromium here")
def test_the_second_of_two_tabs_gets_a_message_in_a_browser(study: Study) -> None:
    from playwright.sync_api import sync_playwright

    with served_app(annotation_app(study)) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        context = browser.new_context()
        first, second = context.new_page(), context.new_page()
        for page in (first, second):
            page.goto(f"{address}/rate/ann?at=0")
        for page, key in ((first, "2"), (second, "0")):
            for _ in METRICS:
                page.keyboard.press(key)
            page.keyboard.press("Enter")
            wait_for_page(page, "#progress:has-text('1 of 10'), #conflict")
        assert first.locator("#conflict").count() == 0 and second.locator("#conflict").count() == 1
        assert study.answers("ann") == {study.order("ann")[0].task_id: grades(2)}
        second.get_by_text("Look at the task again").click()
        wait_for_page(second, "#progress")
        assert second.locator("input[value='2']:checked").count() == 4
        browser.close()


def test_a_defect_is_chosen_with_its_turn_and_counts_by_most_people(tmp_path: Path) -> None:
    said = (Utterance("user", f"Hello {NASTY}"), Utterance("agent", "Try it."))
    tasks = [
        DefectTask(name, "secretours", (f"Heat (likes) {NASTY}",), Dialogue(name, said))
        for name in ("one", "two")
    ]
    study = Study.create(tmp_path / "defects.sqlite", tasks, seed=3)
    with TestClient(annotation_app(study), base_url="http://127.0.0.1") as client:
        page = client.get("/rate/ann").text
        assert "<script>document" not in page and "secretours" not in page
        (first, second) = (task.task_id for task in study.order("ann"))
        given = {"defect": "contradicted", "turn": "2", "seen": study.state("ann", first)}
        client.post(f"/rate/ann/{first}", data=given, follow_redirects=False)
        none = {"defect": "none", "turn": "1", "seen": study.state("ann", second)}
        client.post(f"/rate/ann/{second}", data=none, follow_redirects=False)
    assert sorted((one.dialogue_id, one.kind, one.turn) for one in study.defects()) == sorted(
        [(first, "contradicted", 2), (second, "none", 0)]
    )
    for wrong in ({"defect": "ugly", "turn": 1}, {"defect": "goals", "turn": 3}, {"turn": 1}):
        with pytest.raises(UserError):
            study.answer("bob", first, wrong)
    study.answer("bob", second, {"defect": "goals", "turn": 1})
    assert study.export_answers(tmp_path / "answers.jsonl") == 3
    assert study.import_answers(tmp_path / "answers.jsonl") == 3
    votes = [(one.dialogue_id, one.kind) for one in study.defects()]
    assert settled(votes, NO_DEFECT) == {first: "contradicted", second: "goals"}

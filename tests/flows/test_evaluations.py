"""The evaluations and the report as deployments, started as the UI starts them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.served import Served

pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Twenty users, each with a history and a dialogue."""
    said = [
        {"role": "user", "text": "I liked Heat. What now?"},
        {"role": "agent", "text": "See Alien."},
    ]
    lines = [
        {"user_id": number, "history": ["Heat"], "targets": ["Alien"], "utterances": said}
        for number in range(20)
    ]
    path = Path(tmp_path_factory.mktemp("corpus")) / "talk.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    return str(path)


def test_evaluations_end_well_and_leave_what_can_be_read(served: Served, corpus: str) -> None:
    started = {
        "table-5": (
            "evaluate/evaluate",
            {"corpus": corpus, "models": ["random", "itemknn", "offline/writer"], "rpm": 900},
        ),
        "dialogue-quality": (
            "evaluate-quality/evaluate-quality",
            {"corpora": [corpus], "judges": ["offline/writer"], "dialogues": 2},
        ),
        "responses": (
            "evaluate-respond/evaluate-respond",
            {"corpus": corpus, "cases": 1, "concurrency": 2},
        ),
    }
    for key, (deployment, parameters) in started.items():
        run = served.wait(served.start(deployment, **parameters))
        assert run["state"]["name"] == "Completed", served.logs(run["id"])
        assert "|" in served.artifacts(run["id"])[key]["data"]


@pytest.mark.parametrize(
    ("deployment", "parameters", "told"),
    [
        ("evaluate/evaluate", {"corpus": "nosuch"}, "'nosuch' is neither a domain"),
        (
            "evaluate-quality/evaluate-quality",
            {"corpora": ["nosuch"]},
            "'nosuch' is neither a domain",
        ),
        (
            "evaluate-finetune/evaluate-finetune",
            {"corpus": "CORPUS", "base": "local/nosuch"},
            "unknown fine-tuning settings 'nosuch'",
        ),
        ("report/report", {"domain": "nosuch"}, "unknown domain 'nosuch'"),
    ],
)
def test_a_mistake_is_one_line_on_the_run(
    served: Served, corpus: str, deployment: str, parameters: dict[str, Any], told: str
) -> None:
    given = {name: corpus if value == "CORPUS" else value for name, value in parameters.items()}
    run = served.wait(served.start(deployment, **given))
    assert run["state"]["name"] == "Refused" and told in run["state"]["message"]
    assert "Traceback" not in served.logs(run["id"])


@pytest.mark.parametrize(
    ("deployment", "parameters", "told"),
    [
        (
            "build/demo",
            {"domian": "demo"},
            "domian is not a known parameter (did you mean domain?)",
        ),
        (
            "backfill/backfill",
            {"at_onec": 1},
            "at_onec is not a known parameter (did you mean at_once?)",
        ),
        (
            "evaluate/evaluate",
            {"budget_us": 1},
            "budget_us is not a known parameter (did you mean budget_usd?)",
        ),
    ],
)
def test_an_unknown_parameter_is_refused_with_the_one_that_was_meant(
    served: Served, deployment: str, parameters: dict[str, Any], told: str
) -> None:
    run = served.wait(served.start(deployment, **parameters))
    assert (run["state"]["name"], run["state"]["message"]) == ("Refused", told)


@pytest.mark.parametrize(
    ("deployment", "parameters"),
    [
        ("evaluate/evaluate", {"split": "colour"}),
        ("evaluate/evaluate", {"test_share": 2}),
        ("evaluate/evaluate", {"rpm": 0}),
        ("evaluate-quality/evaluate-quality", {"budget_usd": -1}),
        ("evaluate-respond/evaluate-respond", {"settings": []}),
        ("evaluate-finetune/evaluate-finetune", {"epochs": 0}),
        ("evaluate-finetune/evaluate-finetune", {"poll_s": 0}),
    ],
)
def test_wrong_parameters_are_refused_with_their_name(
    served: Served, deployment: str, parameters: dict[str, Any]
) -> None:
    found = served.deployment(deployment)["id"]
    answer = served.client.post(
        f"/deployments/{found}/create_flow_run", json={"parameters": parameters}
    )
    assert answer.status_code == 409 and next(iter(parameters)) in answer.text

"""Whatever is given for an option or argument of a command, a mistake is one line and no traceback."""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from prefect.client.schemas.objects import State
from prefect.exceptions import ParameterTypeError
from prefect.utilities.callables import get_call_parameters
from typer.exceptions import TyperException

from flows.cli import app
from flows.run_states import result_of
from tasks.errors import UserError
from tests.docs.test_reference import walk

pytestmark = pytest.mark.heavy
COMMANDS = dict(walk("redial", typer.main.get_command(app)))
VALUES = [
    *(
        "",
        " ",
        "-1",
        "nan",
        "1e999",
        "9" * 5000,
        "a" * 5000,
        "💥",
        "\x1b[31m",
        "[",
        "{",
        "'",
        '"; DROP',
        "%s",
        "a,b,,",
        "null",
    ),
    *(
        "http://[::1/v1",
        "http://h:port",
        "s3://[",
        "../../etc/passwd",
        "/dev/null",
        "/",
        "~nobody/x",
        "local/../../x",
        "local/x+/etc",
    ),
]
SETTINGS = [
    *(
        "a",
        "=",
        "a..b=1",
        "generate=null",
        "generate=5",
        "sources=null",
        "sources.reviews=[[]]",
        "preprocess=[]",
        "name=other",
        "name=[1]",
    ),
    *(
        "quality.suites=[../x]",
        "briefs.templates=../../x",
        "generate.profile=..",
        "x=!!python/object:os.system",
        "noun=\x1b[31m",
    ),
    *(
        "seed=1e400",
        "seed=" + "9" * 5000,
        "briefs.weights={1: .nan}",
        "generate.model=/",
        "generate.api_base=[]",
    ),
    *(
        "generate.api_base=http://[::1/v1",
        "sources.reviews=http://[::1/x",
        "sources.reviews=s3://h:p/x",
        "sources.reviews=https://[x]/y",
    ),
]
CORPUS = "talk.jsonl"
GIVEN = {
    "redial annotate new": ["study", CORPUS],
    "redial export": ["demo", "--to", "all"],
    "redial evaluate quality": [CORPUS, "--judge", "offline"],
    **{f"redial evaluate {name}": [CORPUS] for name in ("recommend", "respond", "finetune")},
}
FLOWS = [
    ("flows.evaluation.recommend", "evaluate_recommend"),
    ("flows.evaluation.quality", "evaluate_quality"),
]
FLOWS += [
    ("flows.evaluation.respond", "evaluate_respond"),
    ("flows.evaluation.finetune", "evaluate_finetune"),
]


class Begun(Exception):
    """The command's choices were taken, and its work would begin."""


def checked_alone(flow: Any) -> Any:
    """Return a flow as a function that checks its parameters as Prefect does, and needs no Prefect otherwise."""

    async def called(*args: Any, return_state: bool, **kwargs: Any) -> Any:
        assert return_state
        return await flow.fn(**flow.validate_parameters(get_call_parameters(flow.fn, args, kwargs)))

    return called


@pytest.fixture
def nothing_begins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let every command end where its work would begin; an evaluation's flow is called as a function, without Prefect."""
    monkeypatch.chdir(tmp_path)
    said = [
        {"role": "user", "text": "I liked Heat. What now?"},
        {"role": "agent", "text": "See Alien."},
    ]
    lines = [
        {"user_id": number, "history": ["Heat"], "targets": ["Alien"], "utterances": said}
        for number in range(20)
    ]
    (tmp_path / CORPUS).write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    monkeypatch.setenv("PREFECT_SERVER_EPHEMERAL_ENABLED", "false")

    def begin(*_: Any, **__: Any) -> None:
        raise Begun

    for module, name in FLOWS:
        monkeypatch.setattr(
            f"{module}.{name}", checked_alone(getattr(importlib.import_module(module), name))
        )
    for begins in (
        "flows.server.supervisor.serving",
        "tasks.reports.serve_browser",
        "tasks.ingest.fetch",
        "flows.cli.templates._save",
    ):
        monkeypatch.setattr(begins, begin)
    monkeypatch.setattr("tasks.evaluation.annotate.serve_annotation", begin)

    def run_flow(home: Any, place: str, bars: Any, start: Any, **_: Any) -> None:
        if place == "evaluation":
            asyncio.run(_result(start))
        raise Begun

    monkeypatch.setattr("flows.server.ephemeral.run_flow", run_flow)


async def _result(start: Any) -> None:
    """Run a flow as `run_flow` does: what it left in its state is raised."""
    returned = await start()
    if isinstance(returned, State):
        await result_of(returned)


def calls(path: str) -> Iterator[list[str]]:
    """Yield a command's words with one hostile value in them."""
    words, command = path.split()[1:], COMMANDS[path]
    arguments = [one for one in command.params if one.param_type_name != "option"]
    options = [
        one.opts[0]
        for one in command.params
        if one.param_type_name == "option" and one.name != "help"
    ]
    usual = GIVEN.get(path, ["demo"] * len(arguments))
    for value in VALUES:
        for place in range(len(arguments)):
            yield [*words, *usual[:place], value, *usual[place + 1 :]]
        for option in options:
            yield [*words, *usual, option, value]
    for setting in SETTINGS if "--set" in options else []:
        yield [*words, *usual, "--set", setting]


@pytest.mark.parametrize("path", COMMANDS)
@pytest.mark.usefixtures("nothing_begins")
def test_no_value_of_an_option_gives_a_traceback(path: str, tmp_path: Path) -> None:
    wrong = []
    for words in calls(path):
        try:
            app(["--data", str(tmp_path), *words], standalone_mode=False)
        except (
            UserError,
            TyperException,
            OSError,
            typer.Exit,
            ParameterTypeError,
            Begun,
        ) as error:  # which `main` turns into one line
            assert "\x1b" not in str(error)
        except (
            Exception
        ) as error:  # what is looked for; there is no Prefect server that a task could run on
            if "PREFECT_API_URL" not in str(error):
                wrong.append((words, repr(error)[:200]))
    assert wrong == []

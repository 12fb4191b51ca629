"""An option is typed once: commands and forms show a model's own fields, and a command's choice arrives in the flow."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import typer
from prefect.utilities.callables import parameter_schema
from typer.exceptions import TyperException

from flows.backfill import backfill
from flows.build import build
from flows.cli import app
from flows.cli.build import _at_endpoint
from flows.evaluation.finetune import evaluate_finetune
from flows.evaluation.quality import evaluate_quality
from flows.evaluation.recommend import evaluate_recommend
from flows.evaluation.respond import evaluate_respond
from flows.options import BuildOptions, EvaluationOptions, SampleOptions
from flows.parameters import as_parameter, checked, fields_of, spread
from flows.unknown_parameters import unknown_parameters
from tasks.errors import UserError
from tests.docs.test_reference import walk

COMMANDS = dict(walk("redial", typer.main.get_command(app)))
ASKED = set(EvaluationOptions.model_fields)
PLANNED = {
    *("api_base", "profile", "rollout", "mode", "max_dialogues"),
    *("concurrency", "rpm", "tpm"),
}


@pytest.mark.parametrize(
    ("command", "model", "names"),
    [
        ("redial build", BuildOptions, set(BuildOptions.model_fields) - {"settings"}),
        ("redial plan", BuildOptions, PLANNED),
        ("redial evaluate recommend", EvaluationOptions, ASKED - {"data"}),
        ("redial evaluate recommend", SampleOptions, set(SampleOptions.model_fields)),
        ("redial evaluate quality", EvaluationOptions, ASKED - {"data"}),
        ("redial evaluate respond", EvaluationOptions, ASKED - {"data"}),
        ("redial evaluate finetune", EvaluationOptions, {"api_base", "seed"}),
        ("redial evaluate finetune", SampleOptions, set(SampleOptions.model_fields)),
    ],
)
def test_a_commands_options_are_the_models_fields(
    command: str, model: Any, names: set[str]
) -> None:
    options = {option.name: option for option in COMMANDS[command].params}
    for name in names:
        field, option = model.model_fields[name], options[name]
        assert option.opts == [f"--{name.replace('_', '-')}"] and not option.secondary_opts
        assert option.help == field.description
        assert option.default == (field.default if field.default is not False else False)


@pytest.mark.parametrize(
    "option",
    [
        "--max-attempts=0",
        "--max-attempts=11",
        "--workers=65",
        "--budget-usd=-1",
        "--mode=later",
        "--rpm=x",
    ],
)
def test_a_commands_option_has_the_fields_bounds(option: str) -> None:
    with pytest.raises(TyperException) as refused:
        app(["build", "demo", option], standalone_mode=False)
    assert option.partition("=")[0] in refused.value.format_message()


@pytest.mark.parametrize(
    ("flow", "names"),
    [
        (evaluate_recommend, ASKED | set(SampleOptions.model_fields)),
        (evaluate_quality, ASKED),
        (evaluate_respond, ASKED | {"split", "test_share", "noun"}),
        (evaluate_finetune, {"api_base", "seed", "data"} | set(SampleOptions.model_fields)),
    ],
)
def test_a_form_shows_the_models_fields(flow: Any, names: set[str]) -> None:
    shown = parameter_schema(flow).properties
    fields = EvaluationOptions.model_fields | SampleOptions.model_fields
    assert names <= set(shown) and not {"options", "parted"} & set(shown)
    for name in names:
        assert shown[name]["description"] == fields[name].description
        assert shown[name].get("default") == fields[name].default


@spread(as_parameter, options=fields_of(EvaluationOptions, "rpm", "seed"))
async def made(corpus: str, *, options: EvaluationOptions) -> tuple[str, EvaluationOptions]:
    """Do nothing.

    Args:
        corpus: any.
        options: how models are asked.
    """
    return corpus, options


async def test_what_is_chosen_arrives_as_a_model() -> None:
    assert await made("demo", rpm=3) == ("demo", EvaluationOptions(rpm=3))
    assert (await made("demo"))[1].model_fields_set == set()
    assert list(inspect.signature(made).parameters) == ["corpus", "rpm", "seed"]
    assert "rpm: Requests a minute" in (made.__doc__ or "") and "options:" not in (
        made.__doc__ or ""
    )
    with pytest.raises(UserError, match="option rpm: Input should be greater than or equal to 1"):
        await made("demo", rpm=0)
    with pytest.raises(TypeError, match="rmp"):
        await made("demo", rmp=3)


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        (
            {"max_dialogs": 3},
            r"max_dialogs: is not a known setting \(did you mean max_dialogues\?\)",
        ),
        ({"budget_usd": float("nan")}, "budget_usd"),
        ({"api_base": "http://[::1/v1"}, "api_base: has a host or port that cannot be read"),
        ({"api_base": "https://me:hunter2@h/v1"}, "api_base: must carry no password or key"),
        (
            {"settings": {"sources": {"reviews": ["https://h/r.json?X-Amz-Signature=ab12ab12"]}}},
            "belongs in the domain file",
        ),
    ],
)
def test_a_wrong_choice_is_one_line_without_the_secret(choices: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words) as refused:
        checked(BuildOptions, **choices)
    assert not any(secret in str(refused.value) for secret in ("hunter2", "ab12ab12"))


@pytest.mark.parametrize(
    ("flow", "given", "told"),
    [
        (build, {"domain": "demo", "options": {"seed": 1, "settings": {"any": 1}}}, []),
        (build, {"domian": "demo"}, ["domian is not a known parameter (did you mean domain?)"]),
        (
            build,
            {"options": {"max_dialogs": 1}},
            ["options.max_dialogs is not a known parameter (did you mean options.max_dialogues?)"],
        ),
        (
            backfill,
            {"domains": [], "options": {"concurency": 1}},
            ["options.concurency is not a known parameter (did you mean options.concurrency?)"],
        ),
        (
            backfill,
            {"somewhere": "here"},
            ["somewhere is not a known parameter (did you mean where?)"],
        ),
        (
            evaluate_recommend,
            {"budget_us": 1},
            ["budget_us is not a known parameter (did you mean budget_usd?)"],
        ),
        (
            evaluate_quality,
            {"zzz": 1, "pair": 1},
            ["zzz is not a known parameter", "pair is not a known parameter (did you mean pairs?)"],
        ),
        (evaluate_respond, {"corpus": "demo", "noun": "film"}, []),
        (
            evaluate_finetune,
            {"epoch": 1},
            ["epoch is not a known parameter (did you mean epochs?)"],
        ),
    ],
)
def test_an_unknown_parameter_is_named_with_the_one_that_was_meant(
    flow: Any, given: dict[str, Any], told: list[str]
) -> None:
    assert list(unknown_parameters(parameter_schema(flow).model_dump_for_openapi(), given)) == told


def test_a_plan_at_an_endpoint_is_for_one_model() -> None:
    options = BuildOptions(api_base="http://127.0.0.1:9/v1")
    assert _at_endpoint(options, ["openai/mine"]).model == "openai/mine"
    assert _at_endpoint(options, []) == options
    with pytest.raises(UserError, match="endpoint of one model"):
        _at_endpoint(options, ["openai/mine", "openai/other"])

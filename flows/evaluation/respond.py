"""The case study as a Prefect flow (4.2.3, App. E): what a model says next, and what was said."""

from __future__ import annotations

from typing import Annotated, Literal

from prefect.artifacts import acreate_markdown_artifact
from prefect.runtime import flow_run
from pydantic import Field

from flows.evaluation.client import asking
from flows.evaluation.models import checked_training, way_to
from flows.evaluation.setup import prepare, save
from flows.options import Count, EvaluationOptions, SampleOptions
from flows.parameters import as_parameter, fields_of, spread
from flows.project_flow import project_flow
from flows.run_names import name_run, short
from tasks.evaluation import Setting, case_markdown, case_study, load_respond_profile
from tasks.settings import MOCK_MODEL


@project_flow("evaluate-respond")
@spread(
    as_parameter,
    parted=fields_of(SampleOptions, "split", "test_share", "noun"),
    options=fields_of(EvaluationOptions),
)
async def evaluate_respond(
    corpus: str = "demo",
    model: str = MOCK_MODEL,
    settings: Annotated[list[Literal["zero-shot", "few-shot"]], Field(min_length=1)] = [
        "zero-shot"
    ],
    fine_tuned: str | None = None,
    cases: Count = 3,
    history: bool = True,
    *,
    parted: SampleOptions,
    options: EvaluationOptions,
) -> str:
    """Return the agent's next utterance for drawn samples under each setting.

    They are Markdown tables like the paper's Figure 6.

    Args:
        corpus: a domain's name or a path.
        model: a litellm model string.
        settings: how the model is asked.
        fine_tuned: the fine-tuned model that is shown beside it, if any.
        cases: how many samples.
        history: whether the user's history is shown; a model fine-tuned here sees what it was
            taught with.
        parted: how samples are parted and worded.
        options: how models are asked, and where tables go.
    """
    await name_run("evaluate respond", short(corpus), short(model))
    home = options.home()
    profile = load_respond_profile(home)
    ready = prepare(home, corpus, parted, cases, options.seed)
    # Each setting's model, and whether it is shown the history: a fine-tuned one as it was taught.
    asked: dict[Setting, tuple[str, bool]] = {setting: (model, history) for setting in settings}
    learnt = checked_training(home, ready, model, "respond")
    if learnt is not None:
        asked = {"fine-tuned": (model, learnt.history)}
    if fine_tuned:
        training = checked_training(home, ready, fine_tuned, "respond")
        asked["fine-tuned"] = (fine_tuned, history if training is None else training.history)
    async with asking(home, str(flow_run.get_id() or "none"), options.budget_usd) as asked_models:
        ways = {
            name: way_to(asked_models, home, name, options, profile.temperature)
            for name, _ in asked.values()
        }
        study = await case_study(
            ready.benchmark,
            {setting: (ways[name], shown) for setting, (name, shown) in asked.items()},
            profile,
            ready.benchmark.questions,
        )
        asked_models.check_answered()
    page = "\n".join(case_markdown(case, ready.benchmark.corpus.titles) for case in study)
    save(options.folder(ready.name), {"responses.md": page})
    await acreate_markdown_artifact(
        page, key="responses", description=f"Responses on {ready.name} (Figure 6)"
    )
    return page

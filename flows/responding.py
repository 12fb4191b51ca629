"""The case study as a Prefect flow (4.2.3, App. E): what a model says next, beside what was said."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from prefect import flow
from prefect.artifacts import acreate_markdown_artifact
from prefect.runtime import flow_run
from pydantic import Field

from flows.asking import asking
from flows.evaluating import Count, Dollars, Noun, checked_training, limits_of, prepare, save, way_to
from flows.leash import follow_server
from flows.logs import keep_logs_plain
from tasks.evaluation.asking import AskFor
from tasks.evaluation.prompts import Setting
from tasks.evaluation.respond import case_markdown, case_study, load_respond_profile
from tasks.settings import Home

TEST_SHARE = 0.5  # as `evaluate_recommend` and `evaluate_finetune` part samples if not told otherwise


@flow(name="evaluate-respond", flow_run_name="evaluate-respond-{corpus}")
async def evaluate_respond(
    corpus: str = "demo",
    model: str = "offline/writer",
    settings: Annotated[list[Literal["zero-shot", "few-shot"]], Field(min_length=1)] = ["zero-shot"],  # noqa: B006 - never changed
    fine_tuned: str | None = None,
    cases: Count = 3,
    history: bool = True,
    noun: Noun | None = None,
    api_base: str | None = None,
    budget_usd: Dollars | None = None,
    concurrency: Count | None = None,
    rpm: Count | None = None,
    tpm: Count | None = None,
    seed: int = 2024,
    out: str | None = None,
    data: str | None = None,
) -> str:
    """Return the agent's next utterance for drawn samples under each setting, as Markdown tables like the paper's Figure 6.

    Args:
        corpus: a domain's name or a path.
        model: a litellm model string.
        settings: how the model is asked.
        fine_tuned: the fine-tuned model that stands beside it, if any.
        cases: how many samples.
        history: whether the user's history is shown.
        noun: what one item is called in the questions; as the domain says, movie for ReDial and INSPIRED, else item, if not given.
        api_base: endpoint of an OpenAI-compatible server.
        budget_usd: hard stop of the whole evaluation, in US dollars.
        concurrency: most calls in flight to one model.
        rpm: requests a minute the provider of a model allows.
        tpm: tokens a minute it allows, input and output together.
        seed: of the draw.
        out: folder for the page; the data folder's reports if not given.
        data: data folder in place of the project's own.
    """
    keep_logs_plain()
    follow_server()
    home = Home.find(Path(data) if data else None)
    profile = load_respond_profile(home)
    ready = prepare(home, corpus, "user", cases, "recommend_json", seed, TEST_SHARE, noun)
    limits = limits_of(budget_usd, concurrency, rpm, tpm)
    async with asking(home, str(flow_run.get_id() or "none"), budget_usd) as door:
        ask_for = way_to(door, home, model, api_base, limits, profile.temperature)
        asks: dict[Setting, AskFor] = {setting: ask_for for setting in settings}
        if fine_tuned:
            checked_training(home, ready, fine_tuned)
            asks["fine-tuned"] = way_to(door, home, fine_tuned, api_base, limits, profile.temperature)
        found = await case_study(ready.benchmark, asks, profile, ready.benchmark.questions, history=history)
        door.check_answered()
    page = "\n".join(case_markdown(case, ready.benchmark.corpus.titles) for case in found)
    save(Path(out) if out else home.data / "reports" / "evaluation" / ready.name, {"responses.md": page})
    await acreate_markdown_artifact(page, key="responses", description=f"Responses on {ready.name} (Figure 6)")
    return page

"""A model's rows of Table 5 in one call, as the evaluation flow puts them together."""

from __future__ import annotations

from tasks.evaluation import (
    Benchmark,
    RecommendProfile,
    Result,
    Setting,
    answer_rankings,
    model_answers,
    results,
)
from tasks.evaluation.concurrent_asks import AskFor


async def model_results(
    benchmark: Benchmark,
    ask_for: AskFor,
    profile: RecommendProfile,
    model: str,
    setting: Setting,
    *,
    history: bool,
) -> list[Result]:
    """Return a model's rows of Table 5 under one setting; raises as `model_answers` does."""
    texts = await model_answers(benchmark, ask_for, profile, setting, history=history)
    return results(
        model,
        setting,
        history,
        benchmark.questions,
        answer_rankings(benchmark, texts, profile, setting, history=history),
        seed=benchmark.seed,
    )

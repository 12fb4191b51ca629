"""Rankings of the catalogue by how likely a model finds each title as its answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

from tasks.errors import UserError
from tasks.evaluation.matching import How, Ranking
from tasks.evaluation.metrics import KS
from tasks.evaluation.prompts import RecommendProfile, Setting
from tasks.evaluation.recommend import Benchmark, question_messages
from tasks.evaluation.references import Recommender, check_reference, fit_reference
from tasks.evaluation.samples import Sample
from tasks.llm import Answer, Message

_BEST_FIRST = ("itemknn", "popularity", "bm25", "random")  # references that choose candidates


class Rank(Protocol):
    """Ranks texts as beginnings of the answer to messages; see `LocalModel.rank`."""

    def __call__(
        self, messages: tuple[Message, ...], texts: Sequence[str], *, most: int
    ) -> Coroutine[Any, Any, Answer]:
        """Return the places of the likeliest texts with their scores, as JSON."""
        ...


RankFor = Callable[[str], Rank]  # a question's id -> the way to the model for it


def candidate_items(benchmark: Benchmark, most: int | None) -> list[tuple[str, ...]]:
    """Return the items that are ranked for each question.

    Those are what a reference recommender may recommend: the catalogue without the user's history
    and what the context names. With `most`, the best of them by the first reference that can be
    fitted: item neighbours, else popularity, reviews, chance.
    """
    if most is not None:
        return _reference(benchmark).rank(benchmark.questions, most)
    return [
        tuple(
            item
            for item in benchmark.known.items
            if item not in sample.history and item not in sample.mentioned
        )
        for sample in benchmark.questions
    ]


def _reference(benchmark: Benchmark) -> Recommender:
    for name in _BEST_FIRST:
        try:
            check_reference(name, benchmark.known)
        except UserError:
            continue
        return fit_reference(name, benchmark.known, seed=benchmark.seed)
    raise UserError("no reference recommender can be fitted, so there are no candidates")


async def likelihood_rankings(
    benchmark: Benchmark,
    rank_for: RankFor,
    profile: RecommendProfile,
    setting: Setting,
    *,
    history: bool,
    candidates: int | None = None,
    watch: Callable[[int, int], None] = lambda _, __: None,
) -> list[Ranking]:
    """Return a model's ranking of each question's candidates, the likeliest first.

    A title's likelihood is the mean log-probability of its tokens as the first title of the answer.

    Args:
        benchmark: the questions.
        rank_for: the way to the model for a question.
        profile: the words, and the form in which titles are written.
        setting: how the model is asked.
        history: whether the user's history is shown.
        candidates: rank the best of a reference recommender alone, so many.
        watch: called after every question with the number done and the number of all.

    Raises:
        RunStopped: the evaluation was stopped; what was ranked is kept.
        UserError: the model cannot be asked.
    """
    asked = question_messages(benchmark, profile, setting, history=history)
    chosen = candidate_items(benchmark, candidates)
    done = 0

    async def one(sample: Sample, messages: tuple[Message, ...], items: Sequence[str]) -> Ranking:
        nonlocal done
        texts = [_beginning(profile, benchmark.corpus.titles[item]) for item in items]
        answer = await rank_for(sample.sample_id)(messages, texts, most=max(KS)) if items else None
        done += 1
        watch(done, len(asked))
        best = [items[place] for place, _ in json.loads(answer.text)] if answer else []
        exact: How = "exact"
        return Ranking(tuple(best), (exact,) * len(best), len(best), 0, 0, False)

    found = await asyncio.gather(
        *(one(*each) for each in zip(benchmark.questions, asked, chosen, strict=True)),
        return_exceptions=True,
    )
    for ranking in found:
        if isinstance(ranking, BaseException):
            raise ranking
    return [ranking for ranking in found if isinstance(ranking, Ranking)]


def _beginning(profile: RecommendProfile, title: str) -> str:
    """Return how an answer begins that recommends a title first."""
    if profile.json_answer:
        return f"[{json.dumps(title, ensure_ascii=False)}"
    return f"1. {title}\n"

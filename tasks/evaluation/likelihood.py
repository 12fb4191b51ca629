"""Rankings by a model that can only name titles of the catalogue.

It ranks them by how likely it finds each as its answer, or writes a list in which nothing else can
stand.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any, Final, Protocol

from tasks.errors import UserError
from tasks.evaluation.concurrent_asks import all_of
from tasks.evaluation.matching import How, Ranking
from tasks.evaluation.metrics import KS
from tasks.evaluation.prompts import RecommendProfile, Setting
from tasks.evaluation.recommend import Benchmark, question_messages
from tasks.evaluation.references import Recommender, check_reference, fit_reference
from tasks.evaluation.samples import Sample
from tasks.llm import Answer, Ask, CallFailed, Message, likelihood_of

AT_ONCE: Final = 8  # texts of one request: its reply names every token of each prompt
_BEST_FIRST = ("itemknn", "popularity", "bm25", "random")  # references that choose candidates


class Rank(Protocol):
    """Chooses among texts what answers messages; see `LocalModel.rank` and `write_list`."""

    def __call__(
        self, messages: tuple[Message, ...], texts: Sequence[str], *, most: int
    ) -> Coroutine[Any, Any, Answer]:
        """Return the likeliest texts as JSON: places with scores, or a list of texts."""
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
) -> list[Ranking | None]:
    """Return a model's ranking of each question's candidates, the likeliest first.

    None is a question that got no answer.

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

    async def one(
        sample: Sample, messages: tuple[Message, ...], items: Sequence[str]
    ) -> Ranking | None:
        nonlocal done
        texts = [_beginning(profile, benchmark.corpus.titles[item]) for item in items]
        try:
            rank = rank_for(sample.sample_id)
            answer = await rank(messages, texts, most=max(KS)) if items else None
        except CallFailed:
            return None
        finally:
            done += 1
            watch(done, len(asked))
        best = [items[place] for place, _ in json.loads(answer.text)] if answer else []
        exact: How = "exact"
        return Ranking(tuple(best), (exact,) * len(best), len(best), 0, 0, False)

    questions = zip(benchmark.questions, asked, chosen, strict=True)
    return await all_of([one(*question) for question in questions])


async def constrained_answers(
    benchmark: Benchmark,
    list_for: RankFor,
    profile: RecommendProfile,
    setting: Setting,
    *,
    history: bool,
    candidates: int | None = None,
    watch: Callable[[int, int], None] = lambda _, __: None,
) -> list[str | None]:
    """Return a model's answers, decoded so that they are lists of each question's candidates.

    Arguments and errors as in `likelihood_rankings`.

    Raises:
        UserError: the words do not ask for JSON.
    """
    if not profile.json_answer:
        raise UserError(
            "--rank constrained needs words that ask for JSON: use --profile recommend_json"
        )
    asked = question_messages(benchmark, profile, setting, history=history)
    chosen = candidate_items(benchmark, candidates)
    titles = benchmark.corpus.titles
    done = 0

    async def one(
        sample: Sample, messages: tuple[Message, ...], items: Sequence[str]
    ) -> str | None:
        nonlocal done
        # Items of one title are one entry of a list.
        named = list(dict.fromkeys(titles[item] for item in items))
        answer = None
        if named:
            ask = list_for(sample.sample_id)
            answer = await ask(messages, named, most=profile.recommendations)
        done += 1
        watch(done, len(asked))
        return None if answer is None else answer.text

    questions = zip(benchmark.questions, asked, chosen, strict=True)
    return await all_of([one(*question) for question in questions])


async def rank_by_server(
    ask: Ask, messages: tuple[Message, ...], texts: Sequence[str], *, most: int
) -> Answer:
    """Return which of some texts a model behind a server finds likeliest as its answer.

    As `LocalModel.rank` returns it; the answer's other fields are those of the first request.

    Raises:
        CallFailed: a request got no answer.
        RunStopped: the evaluation was stopped.
        UserError: the server returns no log-probabilities.
    """
    common = len(os.path.commonprefix(texts)) if len(texts) > 1 else 0
    groups = [texts[start : start + AT_ONCE] for start in range(0, len(texts), AT_ONCE)]
    answers = await all_of(
        [_asked(ask, messages, likelihood_of(group, common)) for group in groups]
    )
    means = list(chain.from_iterable(json.loads(answer.text) for answer in answers))
    best = sorted(range(len(means)), key=lambda place: -means[place])[:most]
    return replace(answers[0], text=json.dumps([(place, means[place]) for place in best]))


async def _asked(ask: Ask, messages: tuple[Message, ...], wanted: dict[str, Any]) -> Answer:
    return await ask(messages, response_format=wanted)


def _beginning(profile: RecommendProfile, title: str) -> str:
    """Return how an answer begins that recommends a title first."""
    if profile.json_answer:
        return f"[{json.dumps(title, ensure_ascii=False)}"
    return f"1. {title}\n"

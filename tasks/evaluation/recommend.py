"""The recommendation benchmark (4.2): the same questions to references and models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from tasks.evaluation.answer_formats import titles_format
from tasks.evaluation.concurrent_asks import AskFor, Watch, ask_all
from tasks.evaluation.corpora import Corpus
from tasks.evaluation.echoes import Prompt
from tasks.evaluation.he2023 import VARIANTS, Question, generated_names, nearest_entities, summary
from tasks.evaluation.matching import How, Matcher, Ranking
from tasks.evaluation.metrics import KS, Metric, Scores, chance, difference, rank, scores
from tasks.evaluation.prompts import (
    RecommendProfile,
    Setting,
    draw_examples,
    recommend_messages,
    shown_history,
)
from tasks.evaluation.recommendation_tables import Result, results
from tasks.evaluation.references import Knowledge, fit_reference
from tasks.evaluation.samples import Sample
from tasks.evaluation.splits import Split
from tasks.fingerprint import unit
from tasks.intervals import Interval
from tasks.llm import Message
from tasks.model_output import parse_answer


@dataclass(frozen=True)
class Benchmark:
    """What every recommender of one table is asked: test questions, and what may be learnt before.

    Attributes:
        questions: the test samples, at most as many as wanted.
        split: where they come from; its training samples serve as examples.
        known: what reference recommenders may know; its popularity settles ties between equal
            titles.
        noun: what one item is called.
    """

    corpus: Corpus
    split: Split
    questions: tuple[Sample, ...]
    known: Knowledge
    noun: str = "item"
    seed: int = 0
    _examples: dict[tuple[str, int], tuple[Sample, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def examples(self, sample: Sample, count: int) -> tuple[Sample, ...]:
        """Return a question's few-shot examples, drawn once: that hashes every training sample."""
        key = (sample.sample_id, count)
        if key not in self._examples:
            self._examples[key] = draw_examples(self.split.train, sample, count, self.seed)
        return self._examples[key]


def draw_questions(split: Split, most: int | None, seed: int) -> tuple[Sample, ...]:
    """Return at most `most` test samples, drawn by seed, in corpus order.

    The paper draws 200 and 1,500 (4.2.1).
    """
    if most is None or most >= len(split.test):
        return split.test
    drawn = sorted(split.test, key=lambda sample: unit(seed, "question", sample.sample_id))[:most]
    chosen = {sample.sample_id for sample in drawn}
    return tuple(sample for sample in split.test if sample.sample_id in chosen)


def reference_rankings(benchmark: Benchmark, name: str) -> list[Ranking]:
    """Return a reference recommender's ranking of each question.

    Raises UserError: unknown, or lacking what it needs.
    """
    ranked = fit_reference(name, benchmark.known, seed=benchmark.seed).rank(
        benchmark.questions, max(KS)
    )
    exact: How = "exact"
    return [Ranking(items, (exact,) * len(items), len(items), 0, 0, False) for items in ranked]


def reference_results(benchmark: Benchmark, name: str) -> list[Result]:
    """Return a reference recommender's rows of Table 5.

    All but BM25 read the history; BM25 and the dense one read the dialogue.
    """
    return results(
        name,
        "reference",
        name != "bm25",
        benchmark.questions,
        reference_rankings(benchmark, name),
        seed=benchmark.seed,
    )


async def model_answers(
    benchmark: Benchmark,
    ask_for: AskFor,
    profile: RecommendProfile,
    setting: Setting,
    *,
    history: bool,
    watch: Watch = lambda _: None,
) -> list[str | None]:
    """Ask a model each question and return its answers' texts; None where no answer came.

    Raises:
        RunStopped: the budget is spent or the circuit breaker opened; what was answered is kept by
            the store behind `ask_for`.
        UserError: the model cannot be asked at all.
    """
    asked = question_messages(benchmark, profile, setting, history=history)
    return await ask_all(
        [
            (ask_for(sample.sample_id), messages)
            for sample, messages in zip(benchmark.questions, asked, strict=True)
        ],
        _schema(profile, setting),
        watch,
    )


def _schema(profile: RecommendProfile, setting: Setting) -> Mapping[str, Any] | None:
    """Return the schema of answers, where the words ask for JSON and nothing else was taught."""
    if not profile.json_answer or setting == "fine-tuned":
        return None
    return titles_format(profile.recommendations)


def question_messages(
    benchmark: Benchmark, profile: RecommendProfile, setting: Setting, *, history: bool
) -> list[tuple[Message, ...]]:
    """Return the messages of each question."""
    shots = profile.shots if setting == "few-shot" else 0

    def messages(sample: Sample) -> tuple[Message, ...]:
        return recommend_messages(
            profile,
            sample,
            benchmark.corpus.titles,
            noun=benchmark.noun,
            history=history,
            examples=benchmark.examples(sample, shots) if shots else (),
        )

    return [messages(sample) for sample in benchmark.questions]


def answer_rankings(
    benchmark: Benchmark,
    texts: Sequence[str | None],
    profile: RecommendProfile,
    setting: Setting,
    *,
    history: bool,
) -> list[Ranking | None]:
    """Return the ranking in each answer's text; None stays None.

    What an answer repeats of its prompt, the history's titles among it, is not ranked.
    """
    matcher = Matcher(benchmark.corpus.titles, benchmark.known.popularity())
    asked = question_messages(benchmark, profile, setting, history=history)
    prompts = [
        Prompt(messages, shown_history(profile, sample) if history else ())
        for sample, messages in zip(benchmark.questions, asked, strict=True)
    ]
    answered = [place for place, text in enumerate(texts) if text is not None]
    ranked = matcher.rankings(
        [parse_answer(texts[place] or "") for place in answered],
        [prompts[place] for place in answered],
    )
    found = dict(zip(answered, ranked, strict=True))
    return [found.get(place) for place in range(len(texts))]


def protocol_questions(benchmark: Benchmark, texts: Sequence[str | None]) -> list[Question]:
    """Return answers as the protocol of He et al.

    (2023) sees them, for `he2023.summary`: the catalogue's titles are its entities.

    An unanswered question counts as an answer without names.
    """
    titles = benchmark.corpus.titles
    generated = [[] if text is None else generated_names(text) for text in texts]
    near = nearest_entities(chain.from_iterable(generated), titles.values())
    return [
        Question(
            tuple(near[name] for name in names),
            (sample.title,),
            frozenset(
                {titles[item] for item in sample.mentioned if item in titles}
                | ({sample.title} if sample.named_before else set())
            ),
        )
        for sample, names in zip(benchmark.questions, generated, strict=True)
    ]


def protocol_rows(
    benchmark: Benchmark, texts: Sequence[str | None], **named: str
) -> list[dict[str, object]]:
    """Return answers' scores by the protocol of He et al. (2023).

    There is one row a variant and condition; `named` has the columns that say what was asked.
    """
    asked = protocol_questions(benchmark, texts)
    return [
        {
            **named,
            "near only": variant.near_only,
            "mentioned dropped": variant.drop_mentioned,
            **row,
        }
        for variant in VARIANTS
        for row in summary(asked, variant).to_dicts()
    ]


def margin_over_chance(
    benchmark: Benchmark, ranked: Sequence[Ranking | None], metric: Metric = "ndcg", k: int = 10
) -> Interval:
    """Return a recommender's score minus that of random rankings, with its 95 % interval.

    Random rankings are over the items a reference recommender may recommend: the catalogue without
    the user's history and what the context names.
    """
    titles = benchmark.corpus.titles
    left = [
        len(titles) - len(titles.keys() & {*sample.history, *sample.mentioned})
        for sample in benchmark.questions
    ]
    return difference(
        _scores(benchmark, ranked, metric, k),
        chance(left, metric, k),
        _clusters(benchmark),
        seed=benchmark.seed,
    )


def _scores(
    benchmark: Benchmark, ranked: Sequence[Ranking | None], metric: Metric, k: int
) -> Scores:
    ranks = [
        rank(one.items, sample.target) if one else None
        for sample, one in zip(benchmark.questions, ranked, strict=True)
    ]
    return scores(ranks, metric, k)


def _clusters(benchmark: Benchmark) -> list[str]:
    return [sample.cluster for sample in benchmark.questions]

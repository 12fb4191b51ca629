"""What a model is taught: examples of the training part, and the record of what they hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from tasks.evaluation.finetune.examples import Example, response_examples, training_examples
from tasks.evaluation.finetune.taught_lists import taught_lists, teachable
from tasks.evaluation.finetune.training_record import Training, answer_hash, question_hash
from tasks.evaluation.prompts import RecommendProfile
from tasks.evaluation.recommend import Benchmark
from tasks.evaluation.respond import RespondProfile
from tasks.evaluation.samples import Sample
from tasks.fingerprint import unit


@dataclass(frozen=True)
class Lesson:
    """What a model is to be taught.

    Attributes:
        examples: of training samples.
        validation: of the split's validation part; they are never learnt.
        record: what the examples hold.
        left_out: training samples that would have given away an answer of validation or test.
    """

    examples: list[Example]
    validation: list[Example]
    record: Training
    left_out: int


def recommend_lesson(
    benchmark: Benchmark,
    profile: RecommendProfile,
    how: str,
    *,
    history: bool,
    length: int | None = None,
    most: int | None = None,
) -> Lesson:
    """Return what teaches a model to recommend ranked lists, as `taught_lists` makes them.

    Args:
        benchmark: the corpus and its split.
        profile: the words of the questions.
        how: the options that make the same split, for a person.
        history: whether the user's history is in the questions.
        length: titles in a list, and asked for; as many as the profile asks for if not given.
        most: most examples, drawn by the benchmark's seed.
    """
    titles = benchmark.corpus.titles
    length = min(length or profile.recommendations, len(titles))
    words = profile.model_copy(update={"recommendations": length})
    lists = taught_lists(benchmark.split, benchmark.known, length)

    def examples(samples: Sequence[Sample]) -> list[Example]:
        return training_examples(
            samples, words, titles, lists, noun=benchmark.noun, history=history
        )

    taught, left_out = _taught(benchmark, most)
    answers = chain.from_iterable(
        [answer_hash(sample, titles[item]) for item in lists(sample)] for sample in taught
    )
    record = Training(
        "recommend",
        how,
        profile.name,
        history,
        length,
        len(taught),
        tuple(sorted(map(question_hash, taught))),
        tuple(sorted(set(answers))),
    )
    return Lesson(examples(taught), examples(benchmark.split.valid), record, left_out)


def respond_lesson(
    benchmark: Benchmark,
    profile: RespondProfile,
    how: str,
    *,
    history: bool,
    most: int | None = None,
) -> Lesson:
    """Return what teaches a model to say the agent's next utterance.

    Arguments as in `recommend_lesson`.
    """

    def examples(samples: Sequence[Sample]) -> list[Example]:
        return response_examples(benchmark, profile, samples, history=history)

    taught, left_out = _taught(benchmark, most)
    record = Training(
        "respond",
        how,
        profile.name,
        history,
        0,
        len(taught),
        tuple(sorted(map(question_hash, taught))),
        tuple(sorted({answer_hash(sample, sample.title) for sample in taught})),
    )
    return Lesson(examples(taught), examples(benchmark.split.valid), record, left_out)


def _taught(benchmark: Benchmark, most: int | None) -> tuple[list[Sample], int]:
    """Return the training samples that are taught, and how many give away a held-out answer."""
    usable = teachable(benchmark.split)
    left_out = len(benchmark.split.train) - len(usable)
    if most is None or most >= len(usable):
        return usable, left_out
    drawn = sorted(usable, key=lambda sample: unit(benchmark.seed, "taught", sample.sample_id))
    return drawn[:most], left_out

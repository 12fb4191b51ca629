"""Table 4 and Figure 4 from anyone's ratings, and how far raters agree on them."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from tasks.errors import UserError
from tasks.evaluation.agreement import (
    Concordance,
    all_ratings,
    kendall_w,
    krippendorff_alpha,
    shared_ratings,
)
from tasks.evaluation.quality.values import (
    METRICS,
    Metric,
    PairTask,
    Preference,
    Rating,
    UtteranceTask,
)
from tasks.intervals import Interval, bootstrap_mean
from tasks.web import markdown_table

_TITLES = {
    "fluency": "Fluency",
    "informativeness": "Informative",
    "logic": "Logical",
    "coherence": "Coherence",
}


@dataclass(frozen=True)
class Scores:
    """One row of Table 4: mean grades from 0 to 2 with 95 % intervals over dialogues.

    Attributes:
        utterances: how many were to be graded.
        rated: how many of them have a grade; means and intervals are over these alone.
        unreadable: how many got an answer that could not be read.
        means: NaN where nothing could be read.
    """

    corpus: str
    utterances: int
    rated: int
    unreadable: int
    ratings: int
    means: Mapping[Metric, Interval]


@dataclass(frozen=True)
class Comparison:
    """One bar of Figure 4: how often each of two corpora was preferred.

    `pairs` is how many were to be compared; wins, ties and losses are over those with a verdict.
    """

    corpus: str
    other: str
    pairs: int
    wins: int
    ties: int
    losses: int
    share: Interval  # of `corpus`, a tie counted as half, 95 % interval by bootstrap over pairs


@dataclass(frozen=True)
class PositionBias:
    """Whether a rater goes by the place where a conversation is shown.

    Attributes:
        first_share: how often the conversation shown first was chosen, ties left out; 0.5 is no
            bias.
        p: the two-sided binomial chance of such a share without bias.
        turned: pairs the rater saw in both orders.
        consistent: of those, how many got the same verdict both times.
    """

    first_share: float
    p: float
    turned: int
    consistent: int


@dataclass(frozen=True)
class Agreement:
    """Agreement on one metric: Kendall's W and Krippendorff's alpha.

    W is over what all raters rated, alpha over everything.

    Either is None where it is not defined, such as with one rater or the same value everywhere.
    """

    metric: Metric
    concordance: Concordance | None
    alpha: float | None


def table4(
    tasks: Sequence[UtteranceTask],
    ratings: Iterable[Rating],
    unreadable: Iterable[str] = (),
    *,
    seed: int = 0,
) -> list[Scores]:
    """Return Table 4: one row for each corpus that was to be graded, in order of name.

    `unreadable` holds the ids of tasks whose answers could not be read.
    """
    corpus_of = {task.task_id: task.corpus for task in tasks}
    dialogue_of = {task.task_id: task.dialogue_id for task in tasks}
    values: dict[tuple[str, Metric], list[tuple[float, str]]] = defaultdict(list)
    rated: dict[str, set[str]] = defaultdict(set)
    for rating in ratings:
        corpus = corpus_of.get(rating.task_id)
        if corpus is not None:
            rated[corpus].add(rating.task_id)
            value = (float(rating.value), dialogue_of[rating.task_id])
            values[corpus, rating.metric].append(value)
    asked = Counter(corpus_of.values())
    unread = Counter(corpus_of[task] for task in unreadable if task in corpus_of)
    return [
        Scores(
            corpus,
            asked[corpus],
            len(rated[corpus]),
            unread[corpus],
            sum(len(values[corpus, metric]) for metric in METRICS),
            {metric: _mean(values[corpus, metric], seed) for metric in METRICS},
        )
        for corpus in sorted(asked)
    ]


def figure4(
    preferences: Iterable[Preference],
    corpus: str,
    tasks: Sequence[PairTask] = (),
    *,
    seed: int = 0,
) -> list[Comparison]:
    """Return Figure 4 for one corpus: a row for each corpus it was compared with, by name.

    `tasks` are the pairs that were to be compared, so that one without a verdict has a row too.
    """
    pairs: dict[str, set[str]] = defaultdict(set)
    for task in tasks:
        other = _other(corpus, task.first_corpus, task.second_corpus)
        if other is not None:
            pairs[other].add(task.task_id)
    against: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for one in preferences:
        other = _other(corpus, one.shown_first, one.shown_second)
        if other is not None:
            preferred = 0.5 if one.winner is None else float(one.winner == corpus)
            against[other].append((preferred, one.task_id))
            pairs[other].add(one.task_id)
    return [
        _comparison(corpus, other, len(pairs[other]), against[other], seed)
        for other in sorted(pairs)
    ]


def _other(corpus: str, first: str, second: str) -> str | None:
    """Return what a corpus was compared with; None if it is neither of the two."""
    if corpus not in {first, second}:
        return None
    return second if first == corpus else first


def position_bias(preferences: Iterable[Preference]) -> PositionBias:
    """Return whether raters prefer the conversation shown first; pairs in both orders tell most."""
    shown = list(preferences)
    chosen = [one.choice == "first" for one in shown if one.choice != "tie"]
    both: dict[tuple[str, str], dict[str, str | None]] = defaultdict(dict)
    for one in shown:
        both[one.task_id, one.rater][one.shown_first] = one.winner
    turned = [verdicts for verdicts in both.values() if len(verdicts) == 2]
    return PositionBias(
        sum(chosen) / len(chosen) if chosen else float("nan"),
        float(stats.binomtest(sum(chosen), len(chosen)).pvalue) if chosen else float("nan"),
        len(turned),
        sum(len(set(verdicts.values())) == 1 for verdicts in turned),
    )


def settle_orders(preferences: Iterable[Preference]) -> list[Preference]:
    """Return one preference for each rater and pair: where two orders got two verdicts, a tie."""
    grouped: dict[tuple[str, str], list[Preference]] = defaultdict(list)
    for one in preferences:
        grouped[one.task_id, one.rater].append(one)
    settled = []
    for (task, rater), found in sorted(grouped.items()):
        first = found[0]
        same = len({one.winner for one in found}) == 1
        settled.append(
            first if same else Preference(task, rater, "tie", first.shown_first, first.shown_second)
        )
    return settled


def rater_agreement(ratings: Iterable[Rating]) -> list[Agreement]:
    """Return how far raters agree, one row a metric."""
    by_metric: dict[Metric, dict[str, dict[str, float]]] = {
        metric: defaultdict(dict) for metric in METRICS
    }
    for rating in ratings:
        by_metric[rating.metric][rating.rater][rating.task_id] = float(rating.value)
    return [
        Agreement(metric, _concordance(by_rater), _alpha(by_rater))
        for metric, by_rater in by_metric.items()
        if by_rater
    ]


def against_people(judges: Iterable[Rating], people: Iterable[Rating]) -> dict[Metric, float]:
    """Return Spearman's correlation of judges' and people's means, for each metric.

    It is over the utterances both rated: NaN where either side gives all of them the same mean; a
    metric without two common utterances is left out.
    """
    means = [_means(judges), _means(people)]
    rated_by_both = means[0].keys() & means[1].keys()
    correlations: dict[Metric, float] = {}
    for metric in METRICS:
        common = sorted(task for task, rated in rated_by_both if rated == metric)
        sides = [[side[task, metric] for task in common] for side in means]
        if len(common) < 2:
            continue
        constant = any(len(set(side)) == 1 for side in sides)
        rho = float("nan") if constant else float(stats.spearmanr(*sides).statistic)
        correlations[metric] = rho
    return correlations


def table4_markdown(rows: Sequence[Scores]) -> str:
    """Return Table 4 as Markdown."""
    titles = (f"{_TITLES[metric]} (0-2)" for metric in METRICS)
    head = ["corpus", "utterances rated", "unreadable", *titles]
    lines = []
    for row in rows:
        means = [_cell(row.means[metric], ".2f") for metric in METRICS]
        lines.append([row.corpus, f"{row.rated} of {row.utterances}", row.unreadable, *means])
    return markdown_table(head, lines)


def figure4_markdown(rows: Sequence[Comparison]) -> str:
    """Return Figure 4 as a Markdown table."""
    head = ["corpus", "against", "pairs judged", "better", "alike", "worse", "share preferred"]
    lines = []
    for row in rows:
        verdicts = [row.wins, row.ties, row.losses]
        judged = f"{sum(verdicts)} of {row.pairs}"
        lines.append([row.corpus, row.other, judged, *verdicts, _cell(row.share, ".1%")])
    return markdown_table(head, lines)


def shortfalls(
    scores: Sequence[Scores], comparisons: Sequence[Comparison], least: float
) -> list[str]:
    """Return a line for each corpus or comparison of which too little could be read.

    `least` is the share of what was asked that needs a verdict, for the figures to be a finding.
    """
    read = [(row.corpus, row.rated, row.utterances, "utterances") for row in scores]
    for row in comparisons:
        judged = row.wins + row.ties + row.losses
        read.append((f"{row.corpus} against {row.other}", judged, row.pairs, "pairs"))
    return [
        f"{name}: {count} of {asked} {what} could be read, {least:.0%} are needed"
        for name, count, asked, what in read
        if count < least * asked
    ]


def _cell(value: Interval, form: str) -> str:
    """Return a value with its interval, or a dash where nothing could be read."""
    if math.isnan(value.value):
        return "-"
    return f"{value.value:{form}} [{value.low:{form}}, {value.high:{form}}]"


def _comparison(
    corpus: str, other: str, pairs: int, found: Sequence[tuple[float, str]], seed: int
) -> Comparison:
    wins, ties, losses = (sum(value == wanted for value, _ in found) for wanted in (1.0, 0.5, 0.0))
    return Comparison(corpus, other, pairs, wins, ties, losses, _mean(found, seed))


def _mean(values: Sequence[tuple[float, str]], seed: int) -> Interval:
    return bootstrap_mean(
        np.array([value for value, _ in values]), [cluster for _, cluster in values], seed=seed
    )


def _means(ratings: Iterable[Rating]) -> dict[tuple[str, Metric], float]:
    gathered: dict[tuple[str, Metric], list[int]] = defaultdict(list)
    for rating in ratings:
        gathered[rating.task_id, rating.metric].append(rating.value)
    return {key: sum(values) / len(values) for key, values in gathered.items()}


def _concordance(by_rater: Mapping[str, Mapping[str, float]]) -> Concordance | None:
    try:
        return kendall_w(shared_ratings(by_rater)[1])
    except UserError:
        return None


def _alpha(by_rater: Mapping[str, Mapping[str, float]]) -> float | None:
    try:
        return krippendorff_alpha(all_ratings(by_rater)[1])
    except UserError:
        return None

"""Scores of one recommender under one setting, and Table 5 from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal

import polars as pl

from tasks.evaluation.matching import Ranking
from tasks.evaluation.metrics import KS, METRICS, rank, scores
from tasks.evaluation.samples import Sample
from tasks.intervals import Interval, bootstrap_mean
from tasks.web import markdown_table

Contexts = Literal["target not named", "target named before"]
_SHORT = {"recall": "R", "ndcg": "N", "mrr": "M"}
_SCORES = {f"{metric}@{k}": (metric, k) for metric, k in product(METRICS, KS)}
_SCORE_HEADS = [f"{_SHORT[metric]}@{k}" for metric, k in product(METRICS, KS)]
_KEY = ["model", "setting", "input", "contexts"]


@dataclass(frozen=True)
class Losses:
    """What was lost between answer and ranking.

    Attributes:
        unanswered: questions for which no answer came.
        parse_failures: answers in which no title could be read.
        generated: titles read, over all answers.
        out_of_catalogue: of those, how many are not in the catalogue.
        duplicates: of those, how many named an item again; they are removed before @K.
        fuzzy_hits: questions whose target is in the ranking by a fuzzy match alone.
    """

    unanswered: int = 0
    parse_failures: int = 0
    generated: int = 0
    out_of_catalogue: int = 0
    duplicates: int = 0
    fuzzy_hits: int = 0


@dataclass(frozen=True)
class Result:
    """One row of Table 5 (4.2.2).

    `estimates` has the keys "recall@5", "ndcg@50", "mrr@10" and so on.
    """

    model: str
    setting: str
    history: bool
    contexts: Contexts
    questions: int
    users: int
    estimates: Mapping[str, Interval]
    losses: Losses


def results(
    model: str,
    setting: str,
    history: bool,
    samples: Sequence[Sample],
    rankings: Sequence[Ranking | None],
    *,
    seed: int = 0,
) -> list[Result]:
    """Score the rankings of one recommender; None is an unanswered question and scores 0.

    Returns:
        One result for the questions whose context does not name the target and, if there are any,
        one for those whose does.
    """
    kinds: tuple[tuple[bool, Contexts], ...] = (
        (False, "target not named"),
        (True, "target named before"),
    )
    rows = []
    pairs = list(zip(samples, rankings, strict=True))
    for named, contexts in kinds:
        asked = [pair for pair in pairs if pair[0].named_before == named]
        if asked:
            rows.append(_result(model, setting, history, contexts, asked, seed))
    return rows


def _result(
    model: str,
    setting: str,
    history: bool,
    contexts: Contexts,
    asked: Sequence[tuple[Sample, Ranking | None]],
    seed: int,
) -> Result:
    ranks = [rank(ranking.items, sample.target) if ranking else None for sample, ranking in asked]
    clusters = [sample.cluster for sample, _ in asked]
    estimates = {
        name: bootstrap_mean(scores(ranks, metric, k), clusters, seed=seed)
        for name, (metric, k) in _SCORES.items()
    }
    return Result(
        model,
        setting,
        history,
        contexts,
        len(asked),
        len(set(clusters)),
        estimates,
        _losses(asked, ranks),
    )


def _losses(asked: Sequence[tuple[Sample, Ranking | None]], ranks: Sequence[int | None]) -> Losses:
    answered = [ranking for _, ranking in asked if ranking]
    return Losses(
        unanswered=len(asked) - len(answered),
        parse_failures=sum(ranking.parse_failed for ranking in answered),
        generated=sum(ranking.generated for ranking in answered),
        out_of_catalogue=sum(ranking.out_of_catalogue for ranking in answered),
        duplicates=sum(ranking.duplicates for ranking in answered),
        fuzzy_hits=sum(
            _is_fuzzy_hit(ranking, place) for (_, ranking), place in zip(asked, ranks, strict=True)
        ),
    )


def _is_fuzzy_hit(ranking: Ranking | None, place: int | None) -> bool:
    if ranking is None or place is None or place > max(KS):
        return False
    return ranking.hows[place - 1] == "fuzzy"


def table5(results: Sequence[Result]) -> pl.DataFrame:
    """Return results as a table, one row each: scores with intervals, then losses."""
    rows = []
    for result in results:
        row: dict[str, object] = {
            "model": result.model,
            "setting": result.setting,
            "input": "dialogue + history" if result.history else "dialogue",
            "contexts": result.contexts,
            "questions": result.questions,
            "users": result.users,
        }
        for name, value in result.estimates.items():
            row |= {name: value.value, f"{name} low": value.low, f"{name} high": value.high}
        rows.append(
            row | {name.replace("_", " "): count for name, count in vars(result.losses).items()}
        )
    return pl.DataFrame(rows)


def table5_markdown(results: Sequence[Result], *, intervals: bool = True) -> str:
    """Return results as a Markdown table in the columns of Table 5, the losses under it."""
    score_rows, loss_rows = [], []
    for result in results:
        source = "Dial. + H. I." if result.history else "Dial. Only"
        key = [result.model, result.setting, source, result.contexts]
        cells = [_cell(result.estimates[name], intervals) for name in _SCORES]
        score_rows.append([*key, str(result.questions), *cells])
        loss_rows.append([*key, *map(str, vars(result.losses).values())])
    loss_names = [name.replace("_", " ") for name in Losses.__dataclass_fields__]
    score_table = markdown_table([*_KEY, "questions", *_SCORE_HEADS], score_rows)
    return f"{score_table}\n{markdown_table([*_KEY, *loss_names], loss_rows)}"


def table5_text(results: Sequence[Result]) -> str:
    """Return results as plain text, means only, columns aligned."""
    head = [*_KEY, "n", *_SCORE_HEADS]
    rows = [head]
    for result in results:
        source = "+ H. I." if result.history else "dial."
        key = [result.model, result.setting, source, result.contexts, str(result.questions)]
        rows.append([*key, *(f"{result.estimates[name].value:.4f}" for name in _SCORES)])
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _cell(value: Interval, intervals: bool) -> str:
    if not intervals:
        return f"{value.value:.4f}"
    return f"{value.value:.4f} [{value.low:.4f}, {value.high:.4f}]"

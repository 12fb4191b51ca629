"""Scores of one recommender under one setting, and Table 5 from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, product
from pathlib import Path
from typing import Literal

import polars as pl

from tasks.evaluation.matching import Ranking
from tasks.evaluation.metrics import KS, METRICS, detectable, rank, scores
from tasks.evaluation.samples import Sample
from tasks.evaluation.text_table import text_table
from tasks.intervals import Interval, bootstrap_mean
from tasks.web import markdown_cell, markdown_table

Contexts = Literal["target not named", "target named before"]
_SHORT = {"recall": "R", "ndcg": "N", "mrr": "M"}
_SCORES = {f"{metric}@{k}": (metric, k) for metric, k in product(METRICS, KS)}
_SCORE_HEADS = [f"{_SHORT[metric]}@{k}" for metric, k in product(METRICS, KS)]
_KEY = ["model", "setting", "input", "contexts"]
_HELD = ["answered", "list length", "distinct", "in history", "out of catalogue", "echoes"]
_HELD_SHORT = ["answered", "list", "items", "hist", "out", "echo"]
_LEGEND = (
    "answered: with a readable title; list: its mean length; items: different ones recommended; "
    "hist: in the history already; out: of the catalogue; echo: pieces of the prompt"
)
_LONGEST_NAME = 32  # characters of a model's name in a table


@dataclass(frozen=True)
class AnswerCounts:
    """What a model's answers held, beside what counts for the scores.

    Attributes:
        unanswered: questions for which no answer came.
        unreadable: answers in which no title could be read.
        titles: titles read, over all answers.
        listed: of those, items in the rankings, over all answers.
        distinct: different items among them: 1 if every answer recommends the same.
        in_history: entries that name an item which the prompt shows as known to the user.
        out_of_catalogue: titles that are not in the catalogue.
        duplicates: titles that name an item again; they are removed before @K.
        echoes: entries that are pieces of the prompt, and no titles.
        fuzzy_hits: questions whose target is in the ranking by a fuzzy match alone.
    """

    unanswered: int = 0
    unreadable: int = 0
    titles: int = 0
    listed: int = 0
    distinct: int = 0
    in_history: int = 0
    out_of_catalogue: int = 0
    duplicates: int = 0
    echoes: int = 0
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
    counts: AnswerCounts

    @property
    def answered(self) -> int:
        """Number of questions with an answer in which a title could be read."""
        return self.questions - self.counts.unanswered - self.counts.unreadable

    @property
    def list_length(self) -> float:
        """Mean number of items ranked, over the answers that could be read; 0 without any."""
        return self.counts.listed / self.answered if self.answered else 0.0


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
        _counts(asked, ranks),
    )


def rank_rows(
    model: str,
    setting: str,
    history: bool,
    samples: Sequence[Sample],
    rankings: Sequence[Ranking | None],
) -> list[dict[str, object]]:
    """Return the place of the right item for every question, for paired comparisons.

    `rank` counts from 1 and is None where the ranking does not hold it or there is none.
    """
    source = "dialogue + history" if history else "dialogue"
    return [
        {
            "model": model,
            "setting": setting,
            "input": source,
            "question": sample.sample_id,
            "cluster": sample.cluster,
            "named before": sample.named_before,
            "rank": rank(ranking.items, sample.target) if ranking else None,
        }
        for sample, ranking in zip(samples, rankings, strict=True)
    ]


def ranks_table(rows: Sequence[dict[str, object]]) -> pl.DataFrame:
    """Return rows of `rank_rows` as a table; a model may place no title at all."""
    return pl.DataFrame(rows, schema_overrides={"rank": pl.Int64}, infer_schema_length=None)


def _counts(
    asked: Sequence[tuple[Sample, Ranking | None]], ranks: Sequence[int | None]
) -> AnswerCounts:
    answered = [ranking for _, ranking in asked if ranking]
    ranked = list(chain.from_iterable(ranking.items for ranking in answered))
    return AnswerCounts(
        unanswered=len(asked) - len(answered),
        unreadable=sum(ranking.parse_failed for ranking in answered),
        titles=sum(ranking.generated for ranking in answered),
        listed=len(ranked),
        distinct=len(set(ranked)),
        in_history=sum(ranking.known for ranking in answered),
        out_of_catalogue=sum(ranking.out_of_catalogue for ranking in answered),
        duplicates=sum(ranking.duplicates for ranking in answered),
        echoes=sum(ranking.echoes for ranking in answered),
        fuzzy_hits=sum(
            _is_fuzzy_hit(ranking, place) for (_, ranking), place in zip(asked, ranks, strict=True)
        ),
    )


def _is_fuzzy_hit(ranking: Ranking | None, place: int | None) -> bool:
    if ranking is None or place is None or place > max(KS):
        return False
    return ranking.hows[place - 1] == "fuzzy"


def table5(results: Sequence[Result]) -> pl.DataFrame:
    """Return results as a table, one row each: scores with intervals, then what answers held."""
    rows = []
    for result in results:
        row: dict[str, object] = {
            "model": result.model,
            "setting": result.setting,
            "input": "dialogue + history" if result.history else "dialogue",
            "contexts": result.contexts,
            "questions": result.questions,
            "users": result.users,
            "answered": result.answered,
            "list length": result.list_length,
        }
        for name, value in result.estimates.items():
            row |= {name: value.value, f"{name} low": value.low, f"{name} high": value.high}
        rows.append(
            row | {name.replace("_", " "): count for name, count in vars(result.counts).items()}
        )
    return pl.DataFrame(rows, infer_schema_length=None)


def table5_markdown(results: Sequence[Result], *, intervals: bool = True) -> str:
    """Return results as a Markdown table in the columns of Table 5, with what answers held."""
    notes = Footnotes()
    rows = []
    for result in results:
        source = "Dial. + H. I." if result.history else "Dial. Only"
        key = [notes.short(result.model), result.setting, source, result.contexts]
        cells = [_cell(result, name, intervals) for name in _SCORES]
        rows.append([*key, *_held(result), *cells])
    table = markdown_table([*_KEY, *_HELD, *_SCORE_HEADS], rows)
    remarks = [*notes.lines, *_unread(results, notes), *_detectable(results)]
    below = "".join(f"\n- {markdown_cell(line)}" for line in remarks)
    return f"{table}{below}\n" if below else table


def table5_text(results: Sequence[Result]) -> str:
    """Return results as plain text, means only, columns aligned."""
    notes = Footnotes()
    head = [*_KEY, *_HELD_SHORT, *_SCORE_HEADS]
    rows = [head]
    for result in results:
        source = "+ H. I." if result.history else "dial."
        key = [notes.short(result.model), result.setting, source, result.contexts]
        cells = [_cell(result, name, intervals=False) for name in _SCORES]
        rows.append([*key, *_held(result), *cells])
    remarks = [_LEGEND, *notes.lines, *_unread(results, notes), *_detectable(results)]
    return "\n".join([text_table(rows), *remarks])


class Footnotes:
    """Short names of models; what a shortened one stands for is a line under the table."""

    def __init__(self) -> None:
        """Begin without a line."""
        self.lines: list[str] = []
        self._short: dict[str, str] = {}

    def short(self, model: str) -> str:
        """Return a model's name as it stands in a table."""
        if len(model) <= _LONGEST_NAME:
            return model
        if model not in self._short:
            mark = f"[{len(self._short) + 1}]"
            base, plus, adapter = model.partition("+")
            name = Path(base).name.removesuffix(".yaml")
            name = f"local/{name}+adapter" if plus else name
            self._short[model] = f"{name[: _LONGEST_NAME - 4]} {mark}"
            self.lines.append(f"{mark} {model}")
        return self._short[model]


def _held(result: Result) -> list[str]:
    """Return what answers held, for the columns `_HELD`."""
    counts = result.counts
    return [
        f"{result.answered}/{result.questions}",
        f"{result.list_length:.1f}",
        *map(
            str,
            (
                counts.distinct,
                counts.in_history,
                counts.out_of_catalogue,
                counts.echoes,
            ),
        ),
    ]


def _unread(results: Sequence[Result], notes: Footnotes) -> list[str]:
    """Return a line for each row of which not every answer could be read."""
    lines = []
    for result in results:
        counts = result.counts
        if result.answered < result.questions:
            source = "with history" if result.history else "dialogue only"
            lines.append(
                f"{notes.short(result.model)}, {result.setting}, {source}, {result.contexts}: of "
                f"{result.questions:,} questions {counts.unanswered:,} have no answer and "
                f"{counts.unreadable:,} an answer without a readable title"
                + ("" if result.answered else ", so there is nothing to score")
            )
    return lines


def _detectable(results: Sequence[Result]) -> list[str]:
    """Return a line on the differences that so many questions show, where rows are compared."""
    rows = [row for row in results if row.contexts == "target not named" and row.answered]
    if len(rows) < 2:
        return []
    questions = rows[0].questions
    best = max(row.estimates["recall@10"].value for row in rows)
    share = min(max(best, 1 / questions), 0.5)
    return [
        f"{questions:,} questions show a difference in R@10 of {detectable(share, questions):.3f} "
        "or more (80 % power, 5 % level, independent hits)"
    ]


def _cell(result: Result, name: str, intervals: bool) -> str:
    """Return a score; a dash where no answer could be read, because 0 would be a finding."""
    if not result.answered:
        return "-"
    value = result.estimates[name]
    if not intervals:
        return f"{value.value:.4f}"
    return f"{value.value:.4f} [{value.low:.4f}, {value.high:.4f}]"

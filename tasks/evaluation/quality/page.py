"""One page for dialogue quality: Table 4, Figure 4, agreement, bias, judges and people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final, Protocol

from tasks.evaluation.quality.halo import halo, halo_text
from tasks.evaluation.quality.judge import Judged
from tasks.evaluation.quality.tables import (
    Comparison,
    PositionBias,
    Scores,
    against_people,
    figure4,
    figure4_markdown,
    position_bias,
    rater_agreement,
    settle_orders,
    shortfalls,
    table4,
    table4_markdown,
)
from tasks.evaluation.quality.values import (
    DefectTask,
    Metric,
    PairTask,
    Preference,
    Rating,
    UtteranceTask,
)
from tasks.web import markdown_cell, markdown_table

LEAST_READ: Final = 0.8
"""Share of a judge's questions that needs a verdict, for its figures to be a finding."""


class Answered(Protocol):
    """A study that people have answered."""

    @property
    def tasks(self) -> Sequence[UtteranceTask | PairTask | DefectTask]:
        """What they were shown."""
        ...

    def ratings(self) -> list[Rating]:
        """Every grade they gave."""
        ...

    def preferences(self) -> list[Preference]:
        """Every choice they made."""
        ...


@dataclass(frozen=True)
class QualityPage:
    """The page as Markdown, and a line for each table of which too little could be read."""

    text: str
    shortfalls: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Asked:
    """What was to be judged: utterances, and pairs of `corpus` with the others."""

    corpus: str
    utterances: Sequence[UtteranceTask]
    pairs: Sequence[PairTask]


def quality_page(
    corpus: str,
    tasks: Sequence[UtteranceTask | PairTask | DefectTask],
    judged: Mapping[str, Judged],
    people: Answered | None,
    *,
    least: float = LEAST_READ,
) -> QualityPage:
    """Return the page.

    Args:
        corpus: the corpus that Figure 4 compares with the others.
        tasks: the utterances and pairs that were to be judged.
        judged: the verdicts of each judge, by name.
        people: a study answered by people, or None.
        least: share of a judge's questions that needs a verdict, for its figures to be a finding.
    """
    asked = _asked(corpus, tasks)
    parts = ["# Dialogue quality"]
    missed: list[str] = []
    for name, verdicts in judged.items():
        text, lines = _rater(asked, name, verdicts, least)
        parts.append(text)
        missed += [f"{name}: {line}" for line in lines]
    ratings = list(chain.from_iterable(verdicts.ratings for verdicts in judged.values()))
    if people is not None:
        scores, compared = _tables(
            _asked(corpus, people.tasks),
            Judged(tuple(people.ratings()), tuple(people.preferences())),
        )
        parts.append(_verdicts("people", scores, compared))
        parts.append(_agreement("people among themselves", people.ratings()))
    if people is not None and judged:
        held = against_people(ratings, people.ratings())
        parts.append(
            "## Judges against people\n\nSpearman's correlation of mean grades\n\n" + _list(held)
        )
    if len(judged) > 1:
        parts.append(_agreement("judges among themselves", ratings))
    return QualityPage("\n\n".join(parts) + "\n", tuple(missed))


def _asked(corpus: str, tasks: Sequence[UtteranceTask | PairTask | DefectTask]) -> _Asked:
    return _Asked(
        corpus,
        [task for task in tasks if isinstance(task, UtteranceTask)],
        [task for task in tasks if isinstance(task, PairTask)],
    )


def _tables(asked: _Asked, verdicts: Judged) -> tuple[list[Scores], list[Comparison]]:
    """Return Table 4 and Figure 4 of one rater."""
    unreadable = [one.task_id for one in verdicts.unread if one.answered]
    scores = table4(asked.utterances, verdicts.ratings, unreadable)
    return scores, figure4(verdicts.preferences, asked.corpus, asked.pairs)


def _rater(asked: _Asked, name: str, verdicts: Judged, least: float) -> tuple[str, list[str]]:
    """Return a judge's part of the page, and what too little could be read of."""
    settled = replace(verdicts, preferences=tuple(settle_orders(verdicts.preferences)))
    scores, compared = _tables(asked, settled)
    missed = shortfalls(scores, compared, least)
    parts = [_verdicts(name, scores, compared)]
    if name.startswith("offline/"):
        parts.append(
            "**The mock model grades by surface rules. It is no language model, and these grades "
            "say nothing about quality.**"
        )
    if missed:
        lines = "\n".join(f"- {markdown_cell(line)}" for line in missed)
        parts.append(f"**This is no finding: too few answers could be read.**\n\n{lines}")
    parts.append(
        f"{verdicts.unanswered} questions without an answer, "
        f"{verdicts.unreadable} answers that could not be read."
    )
    together = halo(verdicts.ratings)
    if together:
        parts.append(halo_text(together))
    if verdicts.preferences:
        parts.append(_bias(position_bias(verdicts.preferences)))
    return "\n\n".join(parts), missed


def _bias(bias: PositionBias) -> str:
    return (
        f"Position bias: the conversation shown first was chosen in {bias.first_share:.1%} of the "
        f"cases without a tie (p = {bias.p:.3g}); "
        f"{bias.consistent} of {bias.turned} pairs got the same verdict in both orders."
    )


def _verdicts(name: str, scores: Sequence[Scores], compared: Sequence[Comparison]) -> str:
    parts = [f"## {markdown_cell(name)}"]
    if scores:
        parts.append(
            "Table 4, means of what was rated, 95 % intervals\n\n" + table4_markdown(scores)
        )
    if compared:
        parts.append("Figure 4\n\n" + figure4_markdown(compared))
    return "\n\n".join(parts)


def _agreement(title: str, ratings: Sequence[Rating]) -> str:
    agreement = rater_agreement(ratings)
    if not agreement:
        return f"## Agreement of {title}\n\nNo utterance was graded by two."
    rows = []
    for row in agreement:
        by = row.concordance
        figures = [f"{by.w:.3f}", f"{by.chi_square:.1f}", f"{by.p:.3g}"] if by else ["-"] * 3
        alpha = "-" if row.alpha is None else f"{row.alpha:.3f}"
        rows.append([row.metric, *figures, alpha])
    head = ["metric", "Kendall's W", "chi-square", "p", "Krippendorff's alpha"]
    return f"## Agreement of {title}\n\n" + markdown_table(head, rows).rstrip()


def _list(figures: Mapping[Metric, float]) -> str:
    return (
        "\n".join(f"- {name}: {value:.3f}" for name, value in figures.items())
        or "No utterance was graded by both."
    )

"""One page for dialogue quality: Table 4, Figure 4, agreement, bias, judges and people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Protocol

from tasks.evaluation.quality.judge import Judged
from tasks.evaluation.quality.tables import (
    against_people,
    figure4,
    figure4_markdown,
    position_bias,
    rater_agreement,
    settle_orders,
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


def quality_markdown(
    corpus: str,
    tasks: Sequence[UtteranceTask],
    judged: Mapping[str, Judged],
    people: Answered | None,
) -> str:
    """Return the page as Markdown.

    Args:
        corpus: the corpus that Figure 4 compares with the others.
        tasks: the utterances that were graded.
        judged: the verdicts of each judge, by name.
        people: a study answered by people, or None.
    """
    parts = [
        "# Dialogue quality",
        *(_rater(corpus, tasks, name, verdicts) for name, verdicts in judged.items()),
    ]
    ratings = list(chain.from_iterable(verdicts.ratings for verdicts in judged.values()))
    if people is not None:
        own = [task for task in people.tasks if isinstance(task, UtteranceTask)]
        parts.append(_verdicts(corpus, own, "people", people.ratings(), people.preferences()))
        parts.append(_agreement("people among themselves", people.ratings()))
    if people is not None and judged:
        held = against_people(ratings, people.ratings())
        parts.append(
            "## Judges against people\n\nSpearman's correlation of mean grades\n\n" + _list(held)
        )
    if len(judged) > 1:
        parts.append(_agreement("judges among themselves", ratings))
    return "\n\n".join(parts) + "\n"


def _rater(corpus: str, tasks: Sequence[UtteranceTask], name: str, verdicts: Judged) -> str:
    bias = position_bias(verdicts.preferences)
    lost = (
        f"{verdicts.unanswered} questions without an answer, "
        f"{verdicts.unreadable} answers that could not be read."
    )
    bias_text = (
        f"Position bias: the conversation shown first was chosen in {bias.first_share:.1%} of the "
        f"cases without a tie (p = {bias.p:.3g}); "
        f"{bias.consistent} of {bias.turned} pairs got the same verdict in both orders."
    )
    body = _verdicts(corpus, tasks, name, verdicts.ratings, settle_orders(verdicts.preferences))
    warning = [
        "**The mock model grades by surface rules. It is no language model, and these grades "
        "say nothing about quality.**"
    ]
    return "\n\n".join(
        [
            body,
            *(warning if name.startswith("offline/") else []),
            lost,
            *([bias_text] if verdicts.preferences else []),
        ]
    )


def _verdicts(
    corpus: str,
    tasks: Sequence[UtteranceTask],
    name: str,
    ratings: Sequence[Rating],
    preferences: Sequence[Preference],
) -> str:
    parts = [f"## {markdown_cell(name)}"]
    if ratings:
        parts.append("Table 4, 95 % intervals\n\n" + table4_markdown(table4(tasks, ratings)))
    if preferences:
        parts.append("Figure 4\n\n" + figure4_markdown(figure4(preferences, corpus)))
    return "\n\n".join(parts if len(parts) > 1 else [*parts, "No verdict could be read."])


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

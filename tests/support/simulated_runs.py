"""Runs whose figures are drawn at random, as points of a history."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import numpy as np

from tasks.history.values import (
    ACCEPTANCE,
    DOLLARS,
    FIRST,
    RULE,
    TOKENS,
    Distribution,
    Figures,
    Mean,
    Point,
    Share,
)

_RATES = [0.0, 0.0005, 0.002, 0.01, 0.03, 0.06] * 4
_MEANS = [0.0, 0.01, 0.1, 0.5, 2.0, 10.0] * 6
RULES = {f"{RULE}rule-{number}": rate for number, rate in enumerate(_RATES)}
FACTS = {f"dialogue fact-{number}": mean for number, mean in enumerate(_MEANS)}
START = datetime(2026, 1, 1)


def simulated(
    random: np.random.Generator,
    number: int,
    dialogues: int,
    acceptance: float = 0.9,
    **other: float,
) -> Point:
    """Return a run whose figures are drawn.

    Rates and means are the same for every run except those in `other`, by the figure's name.
    """

    def share(rate: float) -> Share:
        return Share(int(random.binomial(dialogues, rate)), dialogues)

    def mean(centre: float) -> Mean:
        drawn = random.lognormal(0.0, 0.6, dialogues) * centre
        return Mean(float(drawn.mean()), float(drawn.std(ddof=1)), dialogues)

    rules = {name: share(other.get(name, rate)) for name, rate in RULES.items()}
    facts = {
        name: Counter(map(int, random.poisson(other.get(name, rate), dialogues)))
        for name, rate in FACTS.items()
    }
    figures = Figures(
        shares={
            ACCEPTANCE: share(acceptance),
            FIRST: share(acceptance - 0.1),
            "failed": share(0.01),
            **rules,
        },
        means={TOKENS: mean(other.get(TOKENS, 1300.0)), DOLLARS: mean(0.001)},
        facts={name: Distribution(dict(counts), dialogues) for name, counts in facts.items()},
        amounts={"requests": float(dialogues)},
    )
    return point_of(number, figures)


def point_of(number: int, figures: Figures, state: str = "completed") -> Point:
    """Return a run of a day of its own, with figures that are given."""
    started_at = START + timedelta(days=number)
    return Point(f"run-{number}", started_at, state, "c", "v", figures)

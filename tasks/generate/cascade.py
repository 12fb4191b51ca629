"""What each order of a cascade's models costs for an accepted dialogue, measured on a sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from tasks.generate.estimate import ratio_of_sums
from tasks.intervals import Interval, wilson
from tasks.settings import CascadeModel, Generate
from tasks.verdicts import ATTEMPT_OUTCOMES
from tasks.warehouse import transaction

_OUTCOMES = f"""
WITH {ATTEMPT_OUTCOMES},
sampled AS (SELECT unnest($ids) AS dialogue_id),
asked AS (
    SELECT DISTINCT dialogue_id, unnest(request_keys) AS request_key
    FROM transcripts
),
bills AS (
    SELECT a.dialogue_id, r.cost_usd
    FROM asked a
    JOIN responses r USING (request_key)
    UNION ALL
    SELECT t.dialogue_id, u.cost_usd
    FROM transcripts t
    JOIN unusable_answers u USING (dialogue_id, attempt)
    WHERE u.model = list_extract($models, least(t.attempt, len($models)))
),
paid AS (
    SELECT dialogue_id, fsum(cost_usd) AS dollars
    FROM bills
    GROUP BY dialogue_id
),
ended AS (
    SELECT dialogue_id, bool_or(outcome = 'accepted') AS accepted
    FROM attempt_outcomes
    GROUP BY dialogue_id
)
SELECT coalesce(dollars, 0.0), coalesce(accepted, false)
FROM sampled
LEFT JOIN paid USING (dialogue_id)
LEFT JOIN ended USING (dialogue_id)
ORDER BY dialogue_id
"""
_NEW_ANSWERS = """
INSERT INTO {table} BY NAME
SELECT * FROM tried.{table}
ANTI JOIN {table} known USING ({key})
"""
_KEYS = {"responses": "request_key", "unusable_answers": "request_key, asked_at"}


@dataclass(frozen=True)
class Outcome:
    """How one brief ended: what its attempts cost, and whether one of them was accepted."""

    dollars: float
    accepted: bool


@dataclass(frozen=True)
class OrderCost:
    """What one order of models came to on a sample.

    Attributes:
        models: the model of each attempt, the last one of all that follow.
        briefs: how many were sampled.
        accepted: share of them, from 0 to 1.
        dollars: for an accepted dialogue; None where none was accepted.
    """

    models: tuple[str, ...]
    briefs: int
    accepted: Interval
    dollars: Interval | None


def candidate_orders(generate: Generate) -> tuple[Generate, ...]:
    """Return the settings of the orders worth a trial.

    They are each model alone, the cascade as it is, and the cascade whose first model repairs once
    before the next one is asked. A cascade with one model gives that alone.
    """
    models = generate.models
    orders: list[tuple[CascadeModel, ...]] = [(model,) for model in models]
    orders.append(models)
    if generate.max_attempts > len(models):
        orders.append((models[0], *models))
    alike: dict[str, tuple[CascadeModel, ...]] = {}
    for order in orders:
        alike.setdefault(repr(order), order)
    return tuple(
        generate.model_copy(update={"model": order[0].model, "models": order})
        for order in alike.values()
    )


def outcomes(con: duckdb.DuckDBPyConnection, ids: Sequence[str], order: Generate) -> list[Outcome]:
    """Return how each brief ended under an order, whoever paid for the answers and when."""
    models = [model.model for model in order.models]
    found = con.execute(_OUTCOMES, {"ids": list(ids), "models": models}).fetchall()
    return [Outcome(float(dollars), bool(accepted)) for dollars, accepted in found]


def order_cost(order: Generate, found: Sequence[Outcome]) -> OrderCost:
    """Return what an order costs for an accepted dialogue, with 95 % intervals.

    Raises ValueError without an outcome.
    """
    accepted = sum(one.accepted for one in found)
    dollars = None
    if accepted:
        value, spread = ratio_of_sums([(one.dollars, float(one.accepted)) for one in found])
        exact = sum(one.dollars for one in found) / accepted
        dollars = Interval(exact, exact, exact).times(1.0, spread)
    names = tuple(model.model for model in order.models)
    return OrderCost(names, len(found), wilson(accepted, len(found)), dollars)


def cheapest(costs: Sequence[OrderCost]) -> OrderCost | None:
    """Return the order that costs least for an accepted dialogue; None if none accepted any."""
    priced = [(cost.dollars.value, place) for place, cost in enumerate(costs) if cost.dollars]
    return costs[min(priced)[1]] if priced else None


def keep_answers(con: duckdb.DuckDBPyConnection, tried: Path) -> None:
    """Take over the answers that a copy of the warehouse was asked for, so that none is lost."""
    con.execute(f"ATTACH '{str(tried).replace(chr(39), chr(39) * 2)}' AS tried (READ_ONLY)")
    try:
        with transaction(con):
            for table, key in _KEYS.items():
                con.execute(_NEW_ANSWERS.format(table=table, key=key))
    finally:
        con.execute("DETACH tried")

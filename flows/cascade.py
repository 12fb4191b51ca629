"""A sample of briefs written with each order of a cascade's models, to find the cheapest one.

It works on a copy of the warehouse, so that the domain's own attempts stay as they are; what was
paid for is kept in the warehouse itself, and a build finds it there.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from flows.pipeline import JUDGE, PARSE, asking_stage
from flows.stages import Context
from tasks.errors import UserError
from tasks.fingerprint import unit
from tasks.generate import (
    OrderCost,
    Outcome,
    Progress,
    candidate_orders,
    generate_transcripts,
    keep_answers,
    order_cost,
    outcomes,
)
from tasks.llm import find_price
from tasks.repair import escalates, forget_attempts, next_briefs, rejected_before
from tasks.settings import Generate
from tasks.warehouse import WarehouseSession, transaction

Show = Callable[[Progress], None]


async def try_orders(context: Context, size: int, show: Show | None = None) -> list[OrderCost]:
    """Write `size` briefs with each order of the domain's models and say what each one costs.

    Answers that are stored are not asked for again, nor those that another order asked for.

    Raises:
        UserError: fewer than two models, a model without a price, or the run had to end.
    """
    _check(context.domain.generate)
    orders = candidate_orders(context.domain.generate)
    with context.warehouse.use() as con:
        ids = sorted(
            next_briefs(con, None),
            key=lambda dialogue_id: unit(context.domain.seed, "cascade", dialogue_id),
        )[:size]
    context.warehouse.close()
    own = context.home.warehouse(context.domain.name)
    with tempfile.TemporaryDirectory(prefix=".trial-", dir=own.parent) as folder:
        copy = Path(folder) / own.name
        shutil.copyfile(own, copy)
        costs = []
        for order in orders:
            trial = _Trial(context, copy, order, show)
            costs.append(order_cost(order, await trial.run(ids)))
    return costs


def _check(generate: Generate) -> None:
    """Raise UserError for settings of which no orders can be compared."""
    if len({repr(model) for model in generate.models}) < 2:
        raise UserError(
            "a sample compares orders of models: name two or more, the cheapest first, as in "
            "--model CHEAP,STRONG or generate.models"
        )
    for settings in generate.each_model():
        if find_price(settings, batch=settings.mode == "batch") is None:
            raise UserError(
                f"the price of {settings.model!r} is unknown, so orders cannot be compared: "
                "set its input_cost_per_token and output_cost_per_token in generate.models"
            )


class _Trial:
    """One order of models, tried on a copy of the warehouse."""

    def __init__(self, context: Context, copy: Path, order: Generate, show: Show | None) -> None:
        domain = context.domain.model_copy(update={"generate": order})
        specifications = replace(context.specifications, domain=domain)
        self._context = replace(
            context,
            specifications=specifications,
            warehouse=WarehouseSession(copy, context.domain.machine.machine()),
        )
        self._own, self._copy, self._order, self._show = context.warehouse, copy, order, show

    async def run(self, ids: Sequence[str]) -> list[Outcome]:
        """Write, judge and repair the briefs, and return how each one ended."""
        with self._context.warehouse.use() as con:
            forget_attempts(con, 1)
        for attempt in range(1, self._order.max_attempts + 1):
            due = self._due(attempt, ids)
            if not due:
                break
            await self._ask(attempt, due)
            self._judge(attempt)
        with closing(self._context.warehouse), self._context.warehouse.use() as con:
            return outcomes(con, ids, self._order)

    def _due(self, attempt: int, ids: Sequence[str]) -> Sequence[str]:
        if attempt == 1:
            return ids
        with self._context.warehouse.use() as con:
            return rejected_before(con, attempt, failed=escalates(self._order, attempt))

    async def _ask(self, attempt: int, ids: Sequence[str]) -> None:
        context = self._context
        settings = self._order.at_attempt(attempt)
        journals = context.home.journals(context.domain.name)
        try:
            with closing(context.warehouse), context.warehouse.use() as con:
                work = asking_stage(attempt).work(con, context, attempt, ids)
                counts = await generate_transcripts(
                    con, work, settings, journals, context.run_id, on_progress=self._show
                )
        finally:
            self._keep_answers()
        if counts.stopped:
            raise UserError(f"the sample ended before its end: {counts.stopped}")

    def _keep_answers(self) -> None:
        with closing(self._own), self._own.use() as con:
            keep_answers(con, self._copy)

    def _judge(self, attempt: int) -> None:
        with self._context.warehouse.use() as con:
            for stage in (PARSE, JUDGE):
                with transaction(con):
                    stage.work(con, self._context, attempt)

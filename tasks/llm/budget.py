"""The hard stop: money is set aside before a call and settled after it."""

from __future__ import annotations

import asyncio

from tasks.llm.errors import RunStopped
from tasks.settings import BudgetScope


class Budget:
    """Dollars that may be spent, dollars spent, dollars set aside for calls in flight. No limit when `limit` is None.

    `scope` says in messages what the budget is for.
    """

    def __init__(self, limit: float | None, spent: float = 0.0, scope: BudgetScope = "run") -> None:
        self.limit = limit
        self.scope = scope
        self.spent = spent
        self.held = 0.0
        self._settled = asyncio.Event()

    async def hold(self, dollars: float) -> None:
        """Set aside what a call is expected to cost; waits while calls in flight may still leave enough.

        Raises:
            RunStopped: it would go over the limit, whatever the calls in flight cost.
        """
        while not self.try_hold(dollars):
            if self.held <= 0:
                raise RunStopped("budget", self.refusal(dollars))
            self._settled.clear()
            await self._settled.wait()

    def try_hold(self, dollars: float) -> bool:
        """Set dollars aside if they are there now, and tell whether they were."""
        if self.limit is not None and self.spent + self.held + dollars > self.limit:
            return False
        self.held += dollars
        return True

    def refusal(self, dollars: float) -> str:
        """Return why a call of so many dollars cannot be paid for, and the way out."""
        of = "all runs with these settings" if self.scope == "dataset" else "this run"
        if not self.spent:
            return f"the first call would cost about ${dollars:.4f}, the budget for {of} is ${self.limit:g}; raise it to begin"
        return (
            f"the next call (about ${dollars:.4f}) would pass the budget of ${self.limit:g} for {of}: "
            f"${self.spent:.4f} is spent; raise it to go on"
        )

    def settle(self, held: float, spent: float) -> None:
        """Replace what was set aside by what was spent."""
        self.held = max(0.0, self.held - held)
        if self.held < 1e-12:
            self.held = 0.0  # what floating point leaves over would make a waiter wait for ever
        self.spent += spent
        self._settled.set()

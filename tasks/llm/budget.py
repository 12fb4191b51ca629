"""The hard stop: money is reserved before a call and settled after it."""

from __future__ import annotations

import asyncio

from tasks.llm.errors import RunStopped
from tasks.settings import BudgetScope

ROUNDING_USD = 1e-12  # less is floating point's, and would make a waiter wait for ever


class Budget:
    """Dollars that may be spent, that are spent, and that are reserved for calls in flight.

    No limit when `limit` is None. `scope` says in messages what the budget is for.
    """

    def __init__(self, limit: float | None, spent: float = 0.0, scope: BudgetScope = "run") -> None:
        self.limit = limit
        self.scope = scope
        self.spent = spent
        self.reserved = 0.0
        self._settled = asyncio.Event()

    async def reserve(self, dollars: float) -> None:
        """Reserve what a call should cost; waits while calls in flight may still leave enough.

        Raises:
            RunStopped: it would go over the limit, whatever the calls in flight cost.
        """
        while not self.try_reserve(dollars):
            if self.reserved <= 0:
                raise RunStopped("budget", self.refusal(dollars))
            self._settled.clear()
            await self._settled.wait()

    def try_reserve(self, dollars: float) -> bool:
        """Reserve dollars if they are free now, and return True if they were."""
        if self.limit is not None and self.spent + self.reserved + dollars > self.limit:
            return False
        self.reserved += dollars
        return True

    def refusal(self, dollars: float) -> str:
        """Return why a call of so many dollars cannot be paid for, and what to do."""
        runs = "all runs with these settings" if self.scope == "dataset" else "this run"
        if not self.spent:
            return (
                f"the first call would cost about ${dollars:.4f}, the budget for {runs} is "
                f"${self.limit:g}; raise it to begin"
            )
        return (
            f"the next call (about ${dollars:.4f}) would pass the budget of ${self.limit:g} "
            f"for {runs}: ${self.spent:.4f} is spent; raise it to go on"
        )

    def settle(self, reserved: float, spent: float) -> None:
        """Replace a reservation by what was spent."""
        self.reserved = max(0.0, self.reserved - reserved)
        if self.reserved < ROUNDING_USD:
            self.reserved = 0.0
        self.spent += spent
        self._settled.set()

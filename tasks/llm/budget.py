"""The hard stop: money is set aside before a call and settled after it."""

from __future__ import annotations

import asyncio

from tasks.llm.errors import RunStopped


class Budget:
    """Dollars that may be spent, dollars spent, dollars set aside for calls in flight. No limit when `limit` is None."""

    def __init__(self, limit: float | None, spent: float = 0.0) -> None:
        self.limit = limit
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
                raise RunStopped("budget", f"the budget of ${self.limit:g} is spent (${self.spent:.4f} so far); raise it to go on")
            self._settled.clear()
            await self._settled.wait()

    def try_hold(self, dollars: float) -> bool:
        """Set dollars aside if they are there now, and tell whether they were."""
        if self.limit is not None and self.spent + self.held + dollars > self.limit:
            return False
        self.held += dollars
        return True

    def settle(self, held: float, spent: float) -> None:
        """Replace what was set aside by what was spent."""
        self.held = max(0.0, self.held - held)
        if self.held < 1e-12:
            self.held = 0.0  # what floating point leaves over would make a waiter wait for ever
        self.spent += spent
        self._settled.set()

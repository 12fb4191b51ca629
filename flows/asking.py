"""The way evaluations reach a model: the same store, journal, limits and budget as the build, in a store of their own."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from tasks.errors import UserError
from tasks.llm import Ask, Budget, Journal, RunStopped, Session, StoredAnswers, Usage, load_journal, recover_journals
from tasks.settings import Generate, Home
from tasks.warehouse import domain_lock, open_warehouse

STORE = "_evaluation"  # no domain can be called so


class Asking:
    """Models to ask in one evaluation, and what was used so far."""

    def __init__(self, lookup: StoredAnswers, journal: Journal, run_id: str) -> None:
        """Keep what every model shares."""
        self._lookup, self._journal, self._run_id = lookup, journal, run_id
        self._sessions: list[Session] = []

    def of(self, generate: Generate) -> Callable[[str], Ask]:
        """Return the way to one model: for a question's id an `Ask`. Raises UserError when it cannot be asked at all."""
        session = Session(generate, self._lookup, Budget(generate.limits.budget_usd, 0.0), self._run_id)
        self._sessions.append(session)
        return lambda question: session.ask_for(question, 1, self._journal)

    @property
    def usage(self) -> Usage:
        """What was used so far, over all models."""
        return sum((session.meter.usage for session in self._sessions), Usage())


@asynccontextmanager
async def asking(home: Home, run_id: str) -> AsyncIterator[Asking]:
    """Open the store of evaluations, load what an earlier run left in its journals, and load this run's answers at the end.

    Raises:
        UserError: another evaluation is running in this data folder, it cannot be written, or the run had to stop.
    """
    folder = home.journals(STORE)
    with domain_lock(home, STORE), open_warehouse(home.warehouse(STORE)) as con:
        recover_journals(con, folder)
        path = folder / f"{time.time_ns()}-{uuid.uuid4().hex[:8]}.jsonl"
        journal = Journal(path)
        try:
            yield Asking(StoredAnswers.of(con), journal, run_id)
        except RunStopped as stopped:
            raise UserError(f"{stopped}; what was answered is kept: run the same command again to go on") from None
        finally:
            await journal.close()  # removes it where nothing was answered anew
            if path.exists():
                con.begin()
                load_journal(con, path)
                con.commit()
                path.unlink()

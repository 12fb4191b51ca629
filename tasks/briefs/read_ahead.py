"""Briefs for a caller who asks for a few at a time, mostly in order: a page is read ahead, so the tables are not searched each time."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from tasks.briefs.reading import BRIEFS_PER_PAGE, load_briefs
from tasks.briefs.values import Brief
from tasks.settings import Domain


class ReadAhead:
    """Fetches briefs by id and keeps the page of `brief_order` it read last. For one thread, while `briefs` stays as it is."""

    def __init__(self, con: duckdb.DuckDBPyConnection, domain: Domain, page: int = BRIEFS_PER_PAGE) -> None:
        self._con = con
        self._domain = domain
        self._size = page
        self._page: dict[str, Brief] = {}

    def fetch(self, ids: Sequence[str]) -> list[Brief]:
        """Return the briefs of these ids, in the order given. Raises UserError on an id that is no brief's."""
        found = {dialogue_id: self._page[dialogue_id] for dialogue_id in ids if dialogue_id in self._page}
        missing = [dialogue_id for dialogue_id in ids if dialogue_id not in found]
        if missing:
            self._turn_to(missing[0])
            found |= {dialogue_id: self._page[dialogue_id] for dialogue_id in missing if dialogue_id in self._page}
            found |= {
                brief.dialogue_id: brief for brief in load_briefs(self._con, self._domain, [one for one in missing if one not in found])
            }
        return [found[dialogue_id] for dialogue_id in ids]

    def _turn_to(self, dialogue_id: str) -> None:
        """Read the page that begins with a brief; an unknown id leaves it empty."""
        orders = self._con.execute("SELECT brief_order FROM briefs WHERE dialogue_id = ?", [dialogue_id]).fetchall()
        ahead = range(orders[0][0], orders[0][0] + self._size) if orders else range(0)
        self._page = {brief.dialogue_id: brief for brief in load_briefs(self._con, self._domain, ahead)}

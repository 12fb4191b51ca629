"""Looks up answers that are already paid for, by request key."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

import duckdb
import numpy as np

from tasks.llm.response_table import answers_by_key
from tasks.llm.values import Answer

GATHER_S = 0.002  # lookups that come within this time share one query
_HEADS = """
    SELECT DISTINCT ('0x' || substr(request_key, 1, 16))::UBIGINT AS head
    FROM responses
    WHERE regexp_full_match(request_key, '[0-9a-f]{64}')
    ORDER BY head
"""


class ResponseCache(Protocol):
    """Looks up answers that are already paid for."""

    async def get(self, key: str) -> Answer | None:
        """Return the answer to a request, or None."""
        ...


class KnownAnswers:
    """A cache in memory: given answers, by request key."""

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        self._answers = answers

    async def get(self, key: str) -> Answer | None:
        """Return the answer to a request, or None."""
        return self._answers.get(key)


Find = Callable[[list[str]], Awaitable[Mapping[str, Answer]]]


class StoredAnswers:
    """The cache over the table `responses`.

    An index in memory, 8 bytes a key, saves the query for what was never asked.

    Args:
        index: which requests may be in the table.
        find: queries the table, wherever it is; lookups that come close together share one query.
    """

    def __init__(self, index: KeyIndex, find: Find) -> None:
        self.index = index
        self._find = find
        self._waiting: dict[str, asyncio.Future[Answer | None]] = {}
        self._lookups: set[asyncio.Task[None]] = set()

    @classmethod
    def of(cls, con: duckdb.DuckDBPyConnection) -> StoredAnswers:
        """Return the cache over a warehouse that is open in this process."""

        async def find(keys: list[str]) -> Mapping[str, Answer]:
            return answers_by_key(con, keys)

        return cls(KeyIndex.of_store(con), find)

    async def get(self, key: str) -> Answer | None:
        """Return the stored answer to a request, or None."""
        if key not in self.index:
            return None
        if key not in self._waiting:
            if not self._waiting:
                lookup = asyncio.create_task(self._look_up())
                self._lookups.add(lookup)
                lookup.add_done_callback(self._lookups.discard)
            self._waiting[key] = asyncio.get_running_loop().create_future()
        return await self._waiting[key]

    async def _look_up(self) -> None:
        await asyncio.sleep(GATHER_S)
        waiting, self._waiting = self._waiting, {}
        try:
            answers = await self._find(list(waiting))
        except duckdb.Error as error:
            for future in waiting.values():
                future.set_exception(error)
            return
        for key, future in waiting.items():
            if not future.done():
                future.set_result(answers.get(key))


class KeyIndex:
    """Request keys that may be in the table, by their first 64 bits.

    A "no" is certain, a "yes" is to be looked up.
    """

    def __init__(self, heads: np.ndarray[Any, np.dtype[np.uint64]]) -> None:
        self.heads = heads

    @classmethod
    def of_store(cls, con: duckdb.DuckDBPyConnection) -> KeyIndex:
        """Read the index of a warehouse."""
        columns = con.execute(_HEADS).fetchnumpy()
        return cls(np.asarray(columns["head"], dtype=np.uint64))

    def __contains__(self, key: str) -> bool:
        head = np.uint64(int(key[:16], 16))
        position = int(np.searchsorted(self.heads, head))
        return position < len(self.heads) and bool(self.heads[position] == head)

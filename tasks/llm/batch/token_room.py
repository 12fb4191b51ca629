"""How many input tokens may wait at the provider, over all batches that are out."""

from __future__ import annotations

import re

ENQUEUED = re.compile(r"enqueued[ _]token|token_limit_exceeded", re.IGNORECASE)
_LIMIT = re.compile(r"limit:?\s*(\d[\d,_ ]*)", re.IGNORECASE)


def limit_named(message: str) -> float | None:
    """Return the tokens that a provider's refusal names as its limit, or None."""
    found = _LIMIT.search(message)
    digits = re.sub(r"\D", "", found[1]) if found else ""
    return float(digits) if digits and int(digits) else None


class TokenRoom:
    """The room for further batches under a limit of enqueued tokens, which a refusal may teach."""

    def __init__(self, limit: int | None) -> None:
        self.limit = None if limit is None else float(limit)
        self._out: dict[str, float] = {}

    @property
    def out(self) -> int:
        """Batches that are out."""
        return len(self._out)

    @property
    def taken(self) -> float:
        """Input tokens of the batches that are out, by our forecast."""
        return sum(self._out.values())

    def fits(self, tokens: float) -> bool:
        """Return True if so many input tokens more may be sent."""
        return self.limit is None or self.taken + tokens <= self.limit

    def take(self, label: str, tokens: float) -> None:
        """Count a batch as out."""
        self._out[label] = tokens

    def release(self, label: str) -> None:
        """Count a batch as back, or as never taken."""
        self._out.pop(label, None)

    def learn(self, message: str, refused: float) -> None:
        """Lower the limit after a refusal of a batch of so many tokens.

        To what the provider names; where it names nothing below what was out by our forecast, to
        half of that.
        """
        tried = self.taken + refused
        named = limit_named(message)
        self.limit = named if named is not None and named < tried else tried / 2

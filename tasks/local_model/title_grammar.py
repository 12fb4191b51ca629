"""Keeps a model to a JSON list of titles from a catalogue, none of them twice."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Tokens = Sequence[int]


class TitleTokens:
    """The tokens of titles as the first entry of a list, as a later one, and of its end."""

    def __init__(
        self, titles: Sequence[str], tokens_of: Callable[[str], Tokens], vocabulary: int
    ) -> None:
        """Take titles, what makes tokens of a text, and the number of tokens there are."""
        written = [json.dumps(title, ensure_ascii=False) for title in titles]
        self.first = [tokens_of(f"[{title}") for title in written]
        self.later = [tokens_of(f", {title}") for title in written]
        self.closing = tokens_of("]")
        self.vocabulary = vocabulary


class TitleGrammar:
    """One list of titles, as far as it is written.

    It has the methods of `Grammar`: `allowed`, `take` and `complete`.
    """

    def __init__(self, titles: TitleTokens, most: int) -> None:
        """Begin a list of at most so many titles, at least one."""
        self._titles, self._left = titles, most
        self._unused = set(range(len(titles.first)))
        self._closing: list[Tokens] = [titles.closing]
        self._begin(titles.first)
        self.complete = False

    def allowed(self) -> Mask:
        """Return which tokens may come next, one truth value for each of the vocabulary."""
        mask = np.zeros(self._titles.vocabulary, dtype=np.bool_)
        mask[list(self._next)] = True
        return mask

    def take(self, token: int) -> None:
        """Go on by one token, which must be an allowed one."""
        if token not in self._next:
            raise ValueError(f"token {token} is not allowed here")
        self._open = self._next[token]
        self._depth += 1
        ended = [place for place in self._open if len(self._texts[place]) == self._depth]
        if not ended:
            self._branch()
        elif self._texts is self._closing:
            self.complete = True
        else:
            self._unused.discard(ended[0])
            self._left -= 1
            self._begin(self._titles.later if self._left and self._unused else self._closing)

    def _begin(self, texts: list[Tokens]) -> None:
        self._texts, self._depth = texts, 0
        self._open = [0] if texts is self._closing else sorted(self._unused)
        self._branch()

    def _branch(self) -> None:
        """Find which token each of the texts that are still open goes on with."""
        self._next: dict[int, list[int]] = defaultdict(list)
        for place in self._open:
            self._next[self._texts[place][self._depth]].append(place)

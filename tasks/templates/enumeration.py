"""How many templates the grammar has, and the k-th of them, without listing them."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

from tasks.errors import UserError
from tasks.fingerprint import unit
from tasks.templates.assembly import build_template, spoken
from tasks.templates.grammar import Grammar, Said
from tasks.templates.state_machine import Place, onward, opening
from tasks.templates.values import Collection, Template


class Cell(NamedTuple):
    """Templates of one kind: recommendations, utterances, and how many items of the history are disliked ones.

    The history gives as many items as there are recommendations: the greeting's, and each rejected
    one.
    """

    recommendations: int
    utterances: int
    dislikes: int

    @property
    def likes(self) -> int:
        """Items of the history that are liked ones."""
        return self.recommendations - self.dislikes


class Left(NamedTuple):
    """Items a dialogue has still to introduce, by collection."""

    LIKES: int
    DISLIKES: int
    MIGHT_LIKES: int


def cells(grammar: Grammar) -> list[Cell]:
    """Return every kind of template the grammar's lengths allow, in order."""
    return [
        Cell(recommendations, utterances, dislikes)
        for recommendations, (fewest, most) in sorted(grammar.lengths.items())
        for utterances in range(fewest, most + 1)
        for dislikes in range(recommendations + 1)
    ]


@dataclass(frozen=True)
class Census:
    """Counts a grammar's templates.

    Each utterance leads to one place, so walks and templates are the same in number.
    """

    grammar: Grammar
    _known: dict[tuple[Place, Left, int], int] = field(default_factory=dict, repr=False)
    _onward: dict[Place, list[tuple[Said, Place, tuple[Collection, ...]]]] = field(
        default_factory=dict, repr=False
    )
    _ahead: Mapping[str, frozenset[str]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_ahead", _goals_ahead(self.grammar))

    def count(self, cell: Cell) -> int:
        """Return how many templates of a kind there are."""
        return self._ways(opening(self.grammar), _items(cell), cell.utterances)

    def template(self, cell: Cell, rank: int) -> tuple[Said, ...]:
        """Return the sub-goals of the `rank`-th template of a kind, from 0. Raises IndexError."""
        if not 0 <= rank < self.count(cell):
            raise IndexError(f"{cell} has {self.count(cell)} templates, not {rank + 1}")
        place, left, told = opening(self.grammar), _items(cell), []
        for remaining in range(cell.utterances - 1, -1, -1):
            for said, place_then, left_then in self._steps(place, left):
                ways = self._ways(place_then, left_then, remaining)
                if rank < ways:
                    told.append(said)
                    place, left = place_then, left_then
                    break
                rank -= ways
        return tuple(told)

    def _ways(self, place: Place, left: Left, remaining: int) -> int:
        """Return in how many ways a dialogue can go on for exactly `remaining` utterances and end with no item left."""
        if remaining == 0:
            return int(self.grammar.states[place.state].ends and not any(left))
        key = (place, left, remaining)
        if key not in self._known:
            self._known[key] = sum(
                self._ways(then, left_then, remaining - 1)
                for _, then, left_then in self._steps(place, left)
            )
        return self._known[key]

    def _steps(self, place: Place, left: Left) -> Iterator[tuple[Said, Place, Left]]:
        if place not in self._onward:
            self._onward[place] = [
                (said, self._same(then), self._introduced(said))
                for said, then in onward(self.grammar, place)
            ]
        for said, then, introduced in self._onward[place]:
            left_then = _after(left, introduced)
            if left_then is not None:
                yield said, then, left_then

    def _same(self, place: Place) -> Place:
        """Forget how much is spent of what cannot be said any more: places that go on alike are counted once."""
        ahead = self._ahead[place.state]
        spent = (
            used if names & ahead else 0
            for used, (names, _) in zip(place.spent, self.grammar.at_most, strict=True)
        )
        return place._replace(spent=tuple(spent))

    def _introduced(self, said: Said) -> tuple[Collection, ...]:
        found = (self.grammar.goals[goal].introduces for goal in said)
        return tuple(collection for collection in found if collection)


@cache
def _after(left: Left, introduced: tuple[Collection, ...]) -> Left | None:
    """Return what is left once items are introduced; None if one is not there, or the target comes before the others."""
    for collection in introduced:
        left = left._replace(**{collection: getattr(left, collection) - 1})
        if min(left) < 0 or (collection == "MIGHT_LIKES" and any(left)):
            return None
    return left


def _goals_ahead(grammar: Grammar) -> dict[str, frozenset[str]]:
    """Return for each state the sub-goals that can still be said from it on."""
    ahead = {
        name: {goal for said in state.moves for goal in said}
        for name, state in grammar.states.items()
    }
    grown = True
    while grown:
        grown = False
        for name, state in grammar.states.items():
            more = set().union(*(ahead[then] for then in state.moves.values())) - ahead[name]
            grown |= bool(more)
            ahead[name] |= more
    return {name: frozenset(goals) for name, goals in ahead.items()}


def _items(cell: Cell) -> Left:
    return Left(cell.likes, cell.dislikes, 1)


def count_templates(grammar: Grammar) -> dict[Cell, int]:
    """Return how many templates of each kind the grammar has."""
    census = Census(grammar)
    return {cell: census.count(cell) for cell in cells(grammar)}


def enumerate_templates(grammar: Grammar) -> Iterator[Template]:
    """Yield every template of the grammar, kind by kind, in the grammar's order."""
    census = Census(grammar)
    for cell in cells(grammar):
        for rank in range(census.count(cell)):
            yield _template(census, cell, rank)


def sample_templates(grammar: Grammar, n: int, seed: int) -> list[Template]:
    """Draw n distinct templates, as evenly over the kinds as their numbers allow, and uniformly within a kind.

    Raises:
        UserError: the grammar has fewer than n templates.
    """
    census, counts = Census(grammar), count_templates(grammar)
    if n > sum(counts.values()):
        raise UserError(f"the grammar has {sum(counts.values()):,} templates, {n:,} were asked for")
    shares = _spread(counts, n, seed)
    return [
        _template(census, cell, rank)
        for cell, share in shares.items()
        for rank in _ranks(counts[cell], share, seed, cell)
    ]


def _template(census: Census, cell: Cell, rank: int) -> Template:
    return build_template(census.grammar.goals, spoken(census.template(cell, rank)))


def _ranks(count: int, share: int, seed: int, cell: Cell) -> list[int]:
    return sorted(random.Random(unit(seed, "templates", *cell)).sample(range(count), share))


def _spread(counts: Mapping[Cell, int], n: int, seed: int) -> dict[Cell, int]:
    """Share n out among kinds evenly; a kind that has fewer gives all of its own and the others take more."""
    shares = dict.fromkeys(counts, 0)
    left = n
    while left:
        open_cells = [cell for cell in counts if shares[cell] < counts[cell]]
        open_cells.sort(key=lambda cell: unit(seed, "spread", *cell))
        each = max(1, left // len(open_cells))
        for cell in open_cells[:left]:
            more = min(each, counts[cell] - shares[cell], left)
            shares[cell] += more
            left -= more
    return shares

"""The number of templates of the grammar, and the k-th of them, without listing all."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import chain, product
from typing import NamedTuple

from tasks.errors import UserError
from tasks.fingerprint import unit
from tasks.templates.assembly import build_template, with_speakers
from tasks.templates.grammar import GoalIds, Grammar
from tasks.templates.state_machine import Place, onward, opening
from tasks.templates.values import Collection, Template


class Cell(NamedTuple):
    """Templates of one kind: recommendations, utterances, and disliked items of the history.

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
    """The items that a dialogue still has to introduce, by collection."""

    LIKES: int
    DISLIKES: int
    MIGHT_LIKES: int


def cells(grammar: Grammar) -> list[Cell]:
    """Return every kind of template the grammar's lengths allow, in order."""
    kinds: list[Cell] = []
    for recommendations, (fewest, most) in sorted(grammar.lengths.items()):
        sizes = product(range(fewest, most + 1), range(recommendations + 1))
        kinds += [Cell(recommendations, utterances, dislikes) for utterances, dislikes in sizes]
    return kinds


@dataclass(frozen=True)
class Census:
    """Counts a grammar's templates.

    Each utterance leads to one position, so walks and templates are equal in number.
    """

    grammar: Grammar
    _known: dict[tuple[Place, Left, int], int] = field(default_factory=dict, repr=False)
    _onward: dict[Place, list[tuple[GoalIds, Place, tuple[Collection, ...]]]] = field(
        default_factory=dict, repr=False
    )
    _ahead: Mapping[str, frozenset[str]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_ahead", _goals_ahead(self.grammar))

    def count(self, cell: Cell) -> int:
        """Return how many templates of a kind there are."""
        return self._walks(opening(self.grammar), _items(cell), cell.utterances)

    def template(self, cell: Cell, rank: int) -> tuple[GoalIds, ...]:
        """Return the sub-goals of the `rank`-th template of a kind, from 0. Raises IndexError."""
        if not 0 <= rank < self.count(cell):
            raise IndexError(f"{cell} has {self.count(cell)} templates, not {rank + 1}")
        place, left = opening(self.grammar), _items(cell)
        utterances = []
        for remaining in range(cell.utterances - 1, -1, -1):
            for goal_ids, next_place, next_left in self._steps(place, left):
                walks = self._walks(next_place, next_left, remaining)
                if rank < walks:
                    utterances.append(goal_ids)
                    place, left = next_place, next_left
                    break
                rank -= walks
        return tuple(utterances)

    def _walks(self, place: Place, left: Left, remaining: int) -> int:
        """Return the number of walks of `remaining` utterances that end with no item left."""
        if remaining == 0:
            return int(self.grammar.states[place.state].ends and not any(left))
        key = (place, left, remaining)
        if key not in self._known:
            self._known[key] = sum(
                self._walks(next_place, next_left, remaining - 1)
                for _, next_place, next_left in self._steps(place, left)
            )
        return self._known[key]

    def _steps(self, place: Place, left: Left) -> Iterator[tuple[GoalIds, Place, Left]]:
        if place not in self._onward:
            self._onward[place] = [
                (goal_ids, self._normalised(then), self._introduced(goal_ids))
                for goal_ids, then in onward(self.grammar, place)
            ]
        for goal_ids, then, introduced in self._onward[place]:
            next_left = _after(left, introduced)
            if next_left is not None:
                yield goal_ids, then, next_left

    def _normalised(self, place: Place) -> Place:
        """Set counts to 0 of sub-goals that can no longer follow, so that equal places are one."""
        ahead = self._ahead[place.state]
        spent = (
            used if names & ahead else 0
            for used, (names, _) in zip(place.spent, self.grammar.at_most, strict=True)
        )
        return place._replace(spent=tuple(spent))

    def _introduced(self, goal_ids: GoalIds) -> tuple[Collection, ...]:
        collections = (self.grammar.goals[goal].introduces for goal in goal_ids)
        return tuple(collection for collection in collections if collection)


@cache
def _after(left: Left, introduced: tuple[Collection, ...]) -> Left | None:
    """Return what is left after items are introduced; None if that is not allowed.

    An item must be left, and the target must be the last.
    """
    for collection in introduced:
        left = left._replace(**{collection: getattr(left, collection) - 1})
        if min(left) < 0 or (collection == "MIGHT_LIKES" and any(left)):
            return None
    return left


def _goals_ahead(grammar: Grammar) -> dict[str, frozenset[str]]:
    """Return for each state the sub-goals that can still be said from it on."""
    ahead = {name: set(chain.from_iterable(state.moves)) for name, state in grammar.states.items()}
    changed = True
    while changed:
        changed = False
        for name, state in grammar.states.items():
            more = set().union(*(ahead[then] for then in state.moves.values())) - ahead[name]
            changed |= bool(more)
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
    """Draw n distinct templates, evenly over the kinds as far as possible, uniformly within one.

    Raises:
        UserError: the grammar has fewer than n templates.
    """
    census, counts = Census(grammar), count_templates(grammar)
    if n > sum(counts.values()):
        raise UserError(f"the grammar has {sum(counts.values()):,} templates, {n:,} were asked for")
    templates: list[Template] = []
    for cell, share in _spread(counts, n, seed).items():
        ranks = _ranks(counts[cell], share, seed, cell)
        templates += [_template(census, cell, rank) for rank in ranks]
    return templates


def _template(census: Census, cell: Cell, rank: int) -> Template:
    return build_template(census.grammar.goals, with_speakers(census.template(cell, rank)))


def _ranks(count: int, share: int, seed: int, cell: Cell) -> list[int]:
    return sorted(random.Random(unit(seed, "templates", *cell)).sample(range(count), share))


def _spread(counts: Mapping[Cell, int], n: int, seed: int) -> dict[Cell, int]:
    """Distribute n evenly over the kinds; a kind with fewer has all of its own drawn."""
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

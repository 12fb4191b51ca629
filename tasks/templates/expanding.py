"""Templates out of the grammar: all of them one by one, or a seeded sample spread over lengths and kinds."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping

from tasks.errors import UserError
from tasks.fingerprint import unit
from tasks.templates.building import build_template, spoken
from tasks.templates.counting import Cell, Census, cells
from tasks.templates.grammar import Grammar
from tasks.templates.values import Template


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
    return [_template(census, cell, rank) for cell, share in shares.items() for rank in _ranks(counts[cell], share, seed, cell)]


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

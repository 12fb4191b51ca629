"""The choice of the curated set from the grammar, so that it can be repeated.

For each kind of template (recommendations, utterances, disliked items of the history) the grammar
gives `CANDIDATES` seeded, uniformly drawn ones. Kind by kind, `PER_KIND` of them are chosen one
after another: each time the one whose sub-goals and whose neighbouring utterances have been used
least so far. So 56 kinds give 168 templates, every length of every pattern of likes and dislikes
is there three times, and what is rare in the grammar is not rare in the set.
"""

from __future__ import annotations

import random
from collections import Counter
from itertools import chain, pairwise

from tasks.fingerprint import unit
from tasks.templates.assembly import build_template, with_speakers
from tasks.templates.enumeration import Cell, Census, cells
from tasks.templates.grammar import GoalIds, Grammar
from tasks.templates.values import Template

CURATED_SEED = 2024
CANDIDATES = 60
PER_KIND = 3

_Talk = tuple[GoalIds, ...]
_Used = Counter[str | tuple[GoalIds, GoalIds]]


def curate(grammar: Grammar, seed: int = CURATED_SEED) -> list[Template]:
    """Choose the curated templates, ordered by recommendations, utterances and disliked items."""
    census = Census(grammar)
    used: _Used = Counter()
    chosen: list[_Talk] = []
    for cell in cells(grammar):
        candidates = _candidates(census, cell, seed)
        for _ in range(min(PER_KIND, len(candidates))):
            best = max(candidates, key=lambda talk: (_freshness(talk, used), talk))
            candidates.remove(best)
            used.update(_traits(best))
            chosen.append(best)
    return [build_template(grammar.goals, with_speakers(talk)) for talk in chosen]


def _candidates(census: Census, cell: Cell, seed: int) -> list[_Talk]:
    count = census.count(cell)
    ranks = random.Random(unit(seed, "curated", *cell)).sample(range(count), min(CANDIDATES, count))
    return [census.template(cell, rank) for rank in ranks]


def _freshness(talk: _Talk, used: _Used) -> float:
    """Return how little used a dialogue's features are, from 0 to 2.

    The mean over its sub-goals plus the mean over pairs of neighbouring utterances.
    """
    goals = [1 / (1 + used[goal]) for goal in chain.from_iterable(talk)]
    pairs = [1 / (1 + used[pair]) for pair in pairwise(talk)]
    return sum(goals) / len(goals) + sum(pairs) / max(1, len(pairs))


def _traits(talk: _Talk) -> list[str | tuple[GoalIds, GoalIds]]:
    return [*chain.from_iterable(talk), *pairwise(talk)]

"""A first-order Markov chain over what users rated one after the other: the sequential reference."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import groupby, pairwise

import numpy as np
from scipy import sparse

from tasks.evaluation.references.catalogue import Knowledge
from tasks.evaluation.references.itemknn import LIKED_FROM
from tasks.evaluation.references.scoring import Score, Vector
from tasks.evaluation.samples import Sample

PRIOR = 10.0  # steps' worth of belief in popularity, for items seldom left for another

_Groups = list[tuple[int, list[str]]]  # a user's items by the time he rated them, Unix seconds


def markov(known: Knowledge) -> Score:
    """Score an item by how likely it comes next after what the user rated last before the question.

    P(next | last) = (steps from last to next + PRIOR x share of all ratings) / (steps from last + PRIOR), over users' liked items in order
    of time; several at one time share a step evenly, as their order is unknown. A user without a rating gets the shares alone.
    """
    columns = {item: column for column, item in enumerate(known.items)}
    popular = known.popularity()
    share = np.array([popular.get(item, 0) for item in known.items], dtype=np.float64)
    share /= share.sum() or 1.0
    sequences = _sequences(known)
    steps = _steps(sequences, columns)
    left = np.asarray(steps.sum(axis=1)).ravel()

    def score(sample: Sample) -> Vector:
        last = [columns[item] for item in _last(sequences.get(sample.user_id or "", []), sample) if item in columns]
        found: Vector = share.copy()
        if last:
            rows = [(steps[place].toarray().ravel() + PRIOR * share) / (left[place] + PRIOR) for place in last]
            found = np.mean(rows, axis=0)
        return found

    return score


def _sequences(known: Knowledge) -> dict[str, _Groups]:
    timed: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for made in known.interactions:
        if made.timestamp is not None and (made.rating is None or made.rating >= LIKED_FROM):
            timed[made.user_id].append((made.timestamp, made.item_id))
    return {
        user: [(time, [item for _, item in group]) for time, group in groupby(sorted(found), key=lambda entry: entry[0])]
        for user, found in timed.items()
    }


def _steps(sequences: Mapping[str, _Groups], columns: Mapping[str, int]) -> sparse.csr_matrix:
    counted: dict[tuple[int, int], float] = defaultdict(float)
    for _, groups in sorted(sequences.items()):
        for (_, before), (_, after) in pairwise(groups):
            for one in before:
                for other in after:
                    if one in columns and other in columns:
                        counted[columns[one], columns[other]] += 1 / (len(before) * len(after))
    places = np.array(list(counted), dtype=np.int64).reshape(-1, 2)
    return sparse.csr_matrix((np.array(list(counted.values())), (places[:, 0], places[:, 1])), shape=(len(columns), len(columns)))


def _last(groups: _Groups, sample: Sample) -> Sequence[str]:
    """Return what the user rated last before he rated the target, where that is known."""
    before = [items for time, items in groups if sample.timestamp is None or time < sample.timestamp]
    return before[-1] if before else []

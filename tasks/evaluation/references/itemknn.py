"""Item-kNN on interactions: what people who knew the same items also knew."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from tasks.evaluation.references.catalogue import Knowledge
from tasks.evaluation.references.scoring import Score, Vector
from tasks.evaluation.samples import Sample

LIKED_FROM = 4.0  # App. B
SHRINK = 10.0  # added to an item's users, so that two items with one common user are not taken for twins


def item_knn(known: Knowledge) -> Score:
    """Score an item by the sum of its shrunk cosines with what the user is known to like: his history, and what the context names.

    Items rated below `LIKED_FROM` count for nobody; where the corpus tells no ratings, every item of a history counts.
    """
    columns = {item: column for column, item in enumerate(known.items)}
    liked = {(made.user_id, made.item_id) for made in known.interactions if made.rating is None or made.rating >= LIKED_FROM}
    disliked = {(made.user_id, made.item_id) for made in known.interactions} - liked
    rows = {user: row for row, user in enumerate(sorted({user for user, _ in liked}))}
    pairs = np.array(sorted((rows[user], columns[item]) for user, item in liked if item in columns), dtype=np.int64).reshape(-1, 2)
    seen = sparse.csr_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(rows), len(columns)))
    norm = np.sqrt(np.asarray(seen.sum(axis=0)).ravel() + SHRINK)

    def score(sample: Sample) -> Vector:
        profile = np.zeros(len(columns))
        own = {item for item in {*sample.history, *sample.mentioned} if item in columns and (sample.user_id, item) not in disliked}
        places = [columns[item] for item in own]
        profile[places] = 1 / norm[places]
        found: Vector = seen.T @ (seen @ profile) / norm
        return found

    return score

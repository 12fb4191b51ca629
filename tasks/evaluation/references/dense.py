"""The dense reference recommender: sentence embeddings of titles, against history and dialogue."""

from __future__ import annotations

import numpy as np

from tasks.evaluation.references.catalogue import Knowledge, Score, Vector
from tasks.evaluation.references.recommenders import disliked_pairs
from tasks.evaluation.samples import Sample
from tasks.semantic import Vectors, encode


def dense(known: Knowledge) -> Score:
    """Score an item by the cosines of its title with the history and with the dialogue.

    The history is the mean vector of its titles and of those that the context names, without items
    that the user is known to dislike; the dialogue is the mean vector of its utterances. Both count
    alike, and only a title's words are known of an item. Needs the extra `[semantic]`, English.
    """
    columns = {item: column for column, item in enumerate(known.items)}
    titles = encode([known.titles[item] for item in known.items])
    disliked = disliked_pairs(known)

    def score(sample: Sample) -> Vector:
        liked = {*sample.history, *sample.mentioned} & columns.keys()
        own = sorted(item for item in liked if (sample.user_id, item) not in disliked)
        said = encode([utterance.text for utterance in sample.context])
        means = _mean(titles[[columns[item] for item in own]]), _mean(said)
        scores: Vector = (titles @ (means[0] + means[1])).astype(np.float64)
        return scores

    return score


def _mean(vectors: Vectors) -> Vectors:
    """Return the mean of some vectors at length 1; 0 of none."""
    total: Vectors = vectors.sum(axis=0)
    length = float(np.linalg.norm(total))
    return total / length if length else total

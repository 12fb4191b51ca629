"""BM25 over the reviews of each item: what people say of it, against what was said in the dialogue."""

from __future__ import annotations

from collections import Counter

import numpy as np
from scipy import sparse

from tasks.evaluation.references.catalogue import Knowledge
from tasks.evaluation.references.scoring import Score, Vector
from tasks.evaluation.samples import Sample
from tasks.titles import plain_words

K1, B = 1.2, 0.75  # the usual values (Robertson and Zaragoza 2009)


def bm25(known: Knowledge) -> Score:
    """Score an item by BM25 of its reviews, taken as one text, for the words of the context.

    A word that n of N items' texts hold weighs log(1 + (N - n + 0.5) / (n + 0.5)).
    """
    counts, vocabulary = _word_counts(known)
    lengths = np.asarray(counts.sum(axis=1)).ravel()
    holding = np.asarray((counts > 0).sum(axis=0)).ravel()
    weight = np.log(1 + (counts.shape[0] - holding + 0.5) / (holding + 0.5))
    cells = counts.tocoo()
    damping = K1 * (1 - B + B * lengths[cells.row] / (lengths.mean() or 1.0))
    values = weight[cells.col] * cells.data * (K1 + 1) / (cells.data + damping)
    weights = sparse.csr_matrix((values, (cells.row, cells.col)), counts.shape)

    def score(sample: Sample) -> Vector:
        query = np.zeros(len(vocabulary))
        for word in plain_words(" ".join(said.text for said in sample.context)):
            if word in vocabulary:
                query[vocabulary[word]] += 1
        found: Vector = weights @ query
        return found

    return score


def _word_counts(known: Knowledge) -> tuple[sparse.csr_matrix, dict[str, int]]:
    """Return how often each word stands in each item's reviews, items x words, and the words' columns."""
    vocabulary: dict[str, int] = {}
    times: list[int] = []
    columns: list[int] = []
    starts = [0]
    for item in known.items:
        words = Counter(word for review in known.reviews.get(item, ()) for word in plain_words(review))
        columns.extend(vocabulary.setdefault(word, len(vocabulary)) for word in words)
        times.extend(words.values())
        starts.append(len(times))
    shape = (len(known.items), len(vocabulary))
    return sparse.csr_matrix(
        (np.array(times, dtype=np.float64), np.array(columns, dtype=np.int64), np.array(starts)), shape=shape
    ), vocabulary

"""The reference recommenders: item neighbours, a Markov chain and BM25."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import chain, groupby, pairwise

import numpy as np
from scipy import sparse

from tasks.evaluation.corpora import Interaction
from tasks.evaluation.references.catalogue import Knowledge, Score, Vector
from tasks.evaluation.samples import Sample
from tasks.titles import plain_words

LIKED_FROM = 4.0  # App. B
SHRINK = (
    10.0  # added to an item's users, so that two items with one common user are not taken for twins
)


def is_liked(made: Interaction) -> bool:
    """Return True if a user liked an item; without a rating, every item of a history is liked."""
    return made.rating is None or made.rating >= LIKED_FROM


def disliked_pairs(known: Knowledge) -> set[tuple[str, str]]:
    """Return user and item of each interaction without liking."""
    made = {(one.user_id, one.item_id) for one in known.interactions}
    return made - {(one.user_id, one.item_id) for one in known.interactions if is_liked(one)}


def item_knn(known: Knowledge) -> Score:
    """Score an item by its summed shrunk cosines with the items the user likes.

    These are the user's history and the items the context names.

    Items rated below `LIKED_FROM` do not count; without ratings, every item of a history counts.
    """
    columns = {item: column for column, item in enumerate(known.items)}
    liked = {(made.user_id, made.item_id) for made in known.interactions if is_liked(made)}
    disliked = disliked_pairs(known)
    rows = {user: row for row, user in enumerate(sorted({user for user, _ in liked}))}
    pairs = np.array(
        sorted((rows[user], columns[item]) for user, item in liked if item in columns),
        dtype=np.int64,
    ).reshape(-1, 2)
    seen = sparse.csr_matrix(
        (np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(rows), len(columns))
    )
    norm = np.sqrt(np.asarray(seen.sum(axis=0)).ravel() + SHRINK)

    def score(sample: Sample) -> Vector:
        profile = np.zeros(len(columns))
        known_items = {*sample.history, *sample.mentioned} & columns.keys()
        own = {item for item in known_items if (sample.user_id, item) not in disliked}
        places = [columns[item] for item in own]
        profile[places] = 1 / norm[places]
        cosines: Vector = seen.T @ (seen @ profile) / norm
        return cosines

    return score


PRIOR = 10.0  # steps' worth of belief in popularity, for items seldom left for another

_Groups = list[tuple[int, list[str]]]  # a user's items by the time of rating, Unix seconds


def markov(known: Knowledge) -> Score:
    """Score an item by how likely it comes next after what the user rated last before the question.

    P(next | last) = (steps from last to next + PRIOR x share of all ratings) / (steps from last +
    PRIOR), over users' liked items in order of time; several at one time share a step evenly, as
    their order is unknown. A user without a rating gets the shares alone.
    """
    columns = {item: column for column, item in enumerate(known.items)}
    popular = known.popularity()
    share = np.array([popular.get(item, 0) for item in known.items], dtype=np.float64)
    share /= share.sum() or 1.0
    sequences = _sequences(known)
    steps = _steps(sequences, columns)
    left = np.asarray(steps.sum(axis=1)).ravel()

    def score(sample: Sample) -> Vector:
        last = [
            columns[item]
            for item in _last(sequences.get(sample.user_id or "", []), sample)
            if item in columns
        ]
        scores: Vector = share.copy()
        if last:
            rows = [
                (steps[place].toarray().ravel() + PRIOR * share) / (left[place] + PRIOR)
                for place in last
            ]
            scores = np.mean(rows, axis=0)
        return scores

    return score


def _sequences(known: Knowledge) -> dict[str, _Groups]:
    timed: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for made in known.interactions:
        if made.timestamp is not None and is_liked(made):
            timed[made.user_id].append((made.timestamp, made.item_id))
    return {
        user: [
            (time, [item for _, item in group])
            for time, group in groupby(sorted(found), key=lambda entry: entry[0])
        ]
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
    return sparse.csr_matrix(
        (np.array(list(counted.values())), (places[:, 0], places[:, 1])),
        shape=(len(columns), len(columns)),
    )


def _last(groups: _Groups, sample: Sample) -> Sequence[str]:
    """Return what the user rated last before the target, where that is known."""
    before = [
        items for time, items in groups if sample.timestamp is None or time < sample.timestamp
    ]
    return before[-1] if before else []


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
        for word in plain_words(" ".join(utterance.text for utterance in sample.context)):
            if word in vocabulary:
                query[vocabulary[word]] += 1
        scores: Vector = weights @ query
        return scores

    return score


def _word_counts(known: Knowledge) -> tuple[sparse.csr_matrix, dict[str, int]]:
    """Return the word counts of each item's reviews, items x words, and the words' columns."""
    vocabulary: dict[str, int] = {}
    times: list[int] = []
    columns: list[int] = []
    starts = [0]
    for item in known.items:
        words = Counter(chain.from_iterable(map(plain_words, known.reviews.get(item, ()))))
        columns.extend(vocabulary.setdefault(word, len(vocabulary)) for word in words)
        times.extend(words.values())
        starts.append(len(times))
    shape = (len(known.items), len(vocabulary))
    return sparse.csr_matrix(
        (np.array(times, dtype=np.float64), np.array(columns, dtype=np.int64), np.array(starts)),
        shape=shape,
    ), vocabulary

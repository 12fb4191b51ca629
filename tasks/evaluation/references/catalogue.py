"""What a reference recommender may know before the test."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
import numpy.typing as npt

from tasks.evaluation.corpora import Corpus, Interaction
from tasks.evaluation.samples import Sample
from tasks.evaluation.splits import Split

# Users' reviews of the items they are to be recommended were written after the recommendation.
_REVIEWS = """
WITH held_out AS (
    SELECT user_id, item_id FROM preferences WHERE collection = 'MIGHT_LIKES'
)
SELECT r.item_id, r.text
FROM reviews r
ANTI JOIN held_out h ON h.user_id = r.user_id AND h.item_id = r.item_id
ORDER BY r.source_order
"""


@dataclass(frozen=True)
class Knowledge:
    """What a reference recommender may know: catalogue, training interactions, reviews."""

    titles: Mapping[str, str]
    interactions: tuple[Interaction, ...]
    reviews: Mapping[str, Sequence[str]]

    @property
    def items(self) -> tuple[str, ...]:
        """The catalogue's items in a fixed order."""
        return tuple(sorted(self.titles))

    def popularity(self) -> dict[str, int]:
        """Return how many users have dealt with each item."""
        return Counter(
            item for _, item in {(made.user_id, made.item_id) for made in self.interactions}
        )


def knowledge(
    corpus: Corpus, split: Split, reviews: Mapping[str, Sequence[str]] | None = None
) -> Knowledge:
    """Return what may be known before the test, without the targets of the test.

    That is: no target of validation or test, and nothing rated after the first test target.

    In a corpus without histories, as ReDial, each training dialogue counts as a user who has
    interacted with the items it names; without reviews, the training utterances that name an item
    replace its reviews.

    Histories of test users stay, as they are part of the question. Times are only looked at where
    the corpus has them and the split is by time.
    """
    held_out = {(sample.user_id, sample.target) for sample in (*split.valid, *split.test)}
    first_test = _first_test_time(split)

    def is_known(one: Interaction) -> bool:
        if (one.user_id, one.item_id) in held_out:
            return False
        return first_test is None or one.timestamp is None or one.timestamp < first_test

    interactions = corpus.interactions or _of_histories(corpus)
    kept = tuple(filter(is_known, interactions)) if interactions else _named(split.train)
    return Knowledge(corpus.titles, kept, reviews or _texts_of_items(split.train))


def _first_test_time(split: Split) -> int | None:
    """Return when the first test target was rated (Unix seconds), for a split by time."""
    if not split.rule.startswith("by the time"):
        return None
    times = [sample.timestamp for sample in split.test if sample.timestamp is not None]
    return min(times, default=None)


def _of_histories(corpus: Corpus) -> tuple[Interaction, ...]:
    """Return the interactions in users' histories, without ratings and times."""
    interactions: list[Interaction] = []
    for user, items in corpus.history.items():
        interactions += [Interaction(user, item) for item in items]
    return tuple(interactions)


def _named(train: Sequence[Sample]) -> tuple[Interaction, ...]:
    """Return an interaction for each item a training dialogue names or recommends."""
    pairs: dict[tuple[str, str], None] = {}
    for sample in train:
        for item in (*sorted(sample.mentioned), sample.target):
            pairs[sample.cluster, item] = None
    return tuple(Interaction(dialogue, item) for dialogue, item in pairs)


def _texts_of_items(train: Sequence[Sample]) -> dict[str, list[str]]:
    """Return the texts of training utterances by the items they name, each text once an item."""
    texts_by_item: dict[str, dict[str, None]] = defaultdict(dict)
    for sample in train:
        texts_by_item[sample.target][sample.response] = None
        for utterance in sample.context:
            for item in utterance.items:
                texts_by_item[item][utterance.text] = None
    return {item: list(texts) for item, texts in texts_by_item.items()}


def catalogue_reviews(con: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """Return a warehouse's reviews by item, without those held out with MIGHT_LIKES items."""
    gathered: dict[str, list[str]] = defaultdict(list)
    con.execute(_REVIEWS)
    while rows := con.fetchmany(10_000):
        for item, text in rows:
            gathered[item].append(text)
    return dict(gathered)


Vector = npt.NDArray[np.float64]
# One number an item, in the order of `Knowledge.items`; a new array each time.
Score = Callable[[Sample], Vector]

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

# A user's review of what he is to be recommended is no knowledge: it was written after the
# recommendation.
_REVIEWS = """
WITH held_out AS (
    SELECT user_id, item_id FROM preferences WHERE collection = 'MIGHT_LIKES'
)
SELECT r.item_id, r.text FROM reviews r ANTI JOIN held_out h ON h.user_id = r.user_id AND h.item_id = r.item_id
ORDER BY r.source_order
"""


@dataclass(frozen=True)
class Knowledge:
    """What a reference recommender may know: the catalogue, training interactions and what people wrote of the items."""

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
    """Return what may be known before the test: no target of validation or test, and nothing rated after the first test target.

    Where the corpus tells no histories, as ReDial, each training dialogue stands for a user who has
    dealt with what it names; where there are no reviews, what training dialogues say in the
    utterances that name an item stands for its reviews.

    Histories of test users stay, as they are part of the question. Times are only looked at where
    the corpus tells them and the split is by time.
    """
    held_out = {(sample.user_id, sample.target) for sample in (*split.valid, *split.test)}
    cut = (
        min((s.timestamp for s in split.test if s.timestamp is not None), default=None)
        if split.rule.startswith("by the time")
        else None
    )
    made = corpus.interactions or tuple(
        Interaction(user, item) for user, items in corpus.history.items() for item in items
    )
    kept = tuple(
        one
        for one in made
        if (one.user_id, one.item_id) not in held_out
        and (cut is None or one.timestamp is None or one.timestamp < cut)
    )
    return Knowledge(
        corpus.titles, kept if made else _named(split.train), reviews or _said_of_items(split.train)
    )


def _named(train: Sequence[Sample]) -> tuple[Interaction, ...]:
    """Return an interaction for each item a training dialogue names up to a recommendation, and for the item recommended."""
    pairs = dict.fromkeys(
        (sample.cluster, item)
        for sample in train
        for item in (*sorted(sample.mentioned), sample.target)
    )
    return tuple(Interaction(dialogue, item) for dialogue, item in pairs)


def _said_of_items(train: Sequence[Sample]) -> dict[str, list[str]]:
    """Return the texts of training utterances by the items they name, each text once an item."""
    said: dict[str, dict[str, None]] = defaultdict(dict)
    for sample in train:
        said[sample.target][sample.response] = None
        for utterance in sample.context:
            for item in utterance.items:
                said[item][utterance.text] = None
    return {item: list(texts) for item, texts in said.items()}


def catalogue_reviews(con: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """Return a warehouse's reviews by item, without those of MIGHT_LIKES items by the users they are held out for."""
    gathered: dict[str, list[str]] = defaultdict(list)
    con.execute(_REVIEWS)
    while found := con.fetchmany(10_000):
        for item, text in found:
            gathered[item].append(text)
    return dict(gathered)


Vector = npt.NDArray[np.float64]
Score = Callable[
    [Sample], Vector
]  # one number an item, in the order of `Knowledge.items`; a new array each time

"""A corpus parted into what may be learnt from it and what is asked about it."""

from __future__ import annotations

from tasks.errors import UserError
from tasks.evaluation.corpora import Corpus
from tasks.evaluation.samples import recommendation_samples
from tasks.evaluation.splits import By, Split, split_samples

MOST_VALIDATION = 0.1  # share of the samples


def split_corpus(corpus: Corpus, named: str, kind: By, test_share: float, *, seed: int) -> Split:
    """Return a corpus's samples for training, validation and test.

    Args:
        corpus: where the samples come from.
        named: what the user calls it.
        kind: what the samples are parted by.
        test_share: share of the samples that is asked about; validation gets as much, at most
            MOST_VALIDATION.
        seed: of the draw.

    Raises:
        UserError: it has no sample, or none for the test.
    """
    samples = recommendation_samples(corpus).samples
    if not samples:
        raise UserError(
            f"{named} gives no question: it does not tell which items an agent recommends"
        )
    validation_share = min(test_share, MOST_VALIDATION)
    shares = (1 - validation_share - test_share, validation_share, test_share)
    split = split_samples(samples, kind, seed=seed, shares=shares)
    if split.test:
        return split
    lacks = "too few dialogues"
    if kind == "time":
        lacks = "neither times nor users with two dialogues"
    raise UserError(f"{named} gives no test question under the split by {kind}: it holds {lacks}")

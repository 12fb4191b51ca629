"""Reference recommenders that need no language model: the numbers one must beat.

The sequential one is a Markov chain of our own: of the kept-up libraries, implicit has no
sequential model, RecPack wants torch and NumPy 1, and Cornac brings an evaluation framework of its
own along.
"""

from tasks.evaluation.references.catalogue import Knowledge, catalogue_reviews, knowledge
from tasks.evaluation.references.fitting import (
    REFERENCES,
    Recommender,
    check_reference,
    fit_reference,
)
from tasks.evaluation.references.recommenders import is_liked

__all__ = [
    "REFERENCES",
    "Knowledge",
    "Recommender",
    "catalogue_reviews",
    "check_reference",
    "fit_reference",
    "is_liked",
    "knowledge",
]

"""Reference recommenders that need no language model: the numbers one must beat.

There is no sequential one: the well-kept libraries for it bring a deep-learning stack along, and the published layout keeps no order in
time between what a user liked and what he disliked.
"""

from tasks.evaluation.references.fitting import REFERENCES, Recommender, fit_reference
from tasks.evaluation.references.knowledge import Knowledge, catalogue_reviews, knowledge

__all__ = ["REFERENCES", "Knowledge", "Recommender", "catalogue_reviews", "fit_reference", "knowledge"]

"""Preprocessing (section 2.3, Appendix B): LIKES, DISLIKES and MIGHT_LIKES of each user.

In: `raw_reviews` and `items`. Out: `reviews`, of allowed length, and `preferences`. Start with
`stage.preprocess`; `word_counts` cleans and counts words, `preferences` splits ratings.
"""

from tasks.preprocess.stage import PreprocessCounts, preprocess

__all__ = ["PreprocessCounts", "preprocess"]

"""Preprocessing: reviews become each user's LIKES, DISLIKES and MIGHT_LIKES (section 2.3, Appendix B)."""

from tasks.preprocess.stage import PreprocessCounts, preprocess

__all__ = ["PreprocessCounts", "preprocess"]

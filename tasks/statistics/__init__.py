"""Statistics (section 3): the figures of Table 1 and Table 3 for any corpus."""

from tasks.statistics.corpora import folder_statistics, statistics
from tasks.statistics.counting import N_GRAM, TOKEN, Statistics, corpus_statistics

__all__ = ["N_GRAM", "TOKEN", "Statistics", "corpus_statistics", "folder_statistics", "statistics"]

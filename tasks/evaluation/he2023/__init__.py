"""The protocol of He et al. (2023), step by step, to compare with published figures."""

from tasks.evaluation.he2023.reader import (
    entity_name,
    generated_names,
    nearest_entities,
    read_entities,
    read_questions,
)
from tasks.evaluation.he2023.scoring import KS, Bound, bounds, summary
from tasks.evaluation.he2023.summaries import he2023_summaries, summary_rows
from tasks.evaluation.he2023.values import VARIANTS, Nearest, Question, Variant

__all__ = [
    "KS",
    "VARIANTS",
    "Bound",
    "Nearest",
    "Question",
    "Variant",
    "bounds",
    "entity_name",
    "generated_names",
    "he2023_summaries",
    "nearest_entities",
    "read_entities",
    "read_questions",
    "summary",
    "summary_rows",
]

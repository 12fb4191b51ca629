"""Dialogue quality (4.1): task sampling, a model as judge, Table 4 and Figure 4.

In: corpora and the verdicts of judges or people. Out: tables and one page. Start with `judge` (asks
a model) and `tables` (computes).
"""

from tasks.evaluation.quality.choices import parse_choice
from tasks.evaluation.quality.defect_sampling import defect_tasks
from tasks.evaluation.quality.grades import parse_grades
from tasks.evaluation.quality.judge import (
    Judged,
    JudgeProfile,
    Unread,
    judge_pairs,
    judge_utterances,
    load_judge_profile,
)
from tasks.evaluation.quality.page import LEAST_READ, QualityPage, quality_page
from tasks.evaluation.quality.tables import (
    Agreement,
    Comparison,
    PositionBias,
    Scores,
    against_people,
    figure4,
    figure4_markdown,
    position_bias,
    rater_agreement,
    settle_orders,
    table4,
    table4_markdown,
)
from tasks.evaluation.quality.task_sampling import pair_tasks, utterance_tasks
from tasks.evaluation.quality.values import (
    CHOICES,
    DEFECTS,
    HIGHEST,
    LOWEST,
    METRICS,
    NO_DEFECT,
    Choice,
    Defect,
    DefectTask,
    Metric,
    PairTask,
    Preference,
    Rating,
    UtteranceTask,
)

__all__ = [
    "CHOICES",
    "DEFECTS",
    "HIGHEST",
    "LEAST_READ",
    "LOWEST",
    "METRICS",
    "NO_DEFECT",
    "Agreement",
    "Choice",
    "Comparison",
    "Defect",
    "DefectTask",
    "JudgeProfile",
    "Judged",
    "Metric",
    "PairTask",
    "PositionBias",
    "Preference",
    "QualityPage",
    "Rating",
    "Scores",
    "Unread",
    "UtteranceTask",
    "against_people",
    "defect_tasks",
    "figure4",
    "figure4_markdown",
    "judge_pairs",
    "judge_utterances",
    "load_judge_profile",
    "pair_tasks",
    "parse_choice",
    "parse_grades",
    "position_bias",
    "quality_page",
    "rater_agreement",
    "settle_orders",
    "table4",
    "table4_markdown",
    "utterance_tasks",
]

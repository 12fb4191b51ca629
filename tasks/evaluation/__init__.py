"""Evaluation (section 4 of the paper): dialogue quality and recommendation.

In: a corpus (`corpora`), models behind a client, verdicts of people (`annotate`). Out: Table 4 and
Figure 4 (`quality`), Table 5 (`recommend`, `references`, `finetune`), answers to compare
(`respond`) and the protocol of He et al. (`he2023`). Start with `recommend` or `quality`.
"""

from tasks.evaluation.concurrent_asks import Asked, AskFor, Watch
from tasks.evaluation.corpora import Corpus, Dialogue, Interaction, Utterance, read_corpus
from tasks.evaluation.corpus_split import split_corpus
from tasks.evaluation.likelihood import (
    constrained_answers,
    likelihood_rankings,
    rank_by_server,
)
from tasks.evaluation.matching import Ranking
from tasks.evaluation.metrics import METRICS
from tasks.evaluation.popularity import Recommended, popularity_text, recommended
from tasks.evaluation.prompts import RecommendProfile, Setting, load_recommend_profile
from tasks.evaluation.raw_answers import (
    LOG,
    AnswerRead,
    answer_log,
    answers_markdown,
    log_lines,
    read_log,
)
from tasks.evaluation.recommend import (
    Benchmark,
    answer_rankings,
    draw_questions,
    margin_over_chance,
    model_answers,
    protocol_rows,
    question_messages,
    reference_rankings,
    reference_results,
)
from tasks.evaluation.recommendation_tables import (
    Result,
    rank_rows,
    ranks_table,
    results,
    table5,
    table5_markdown,
    table5_text,
)
from tasks.evaluation.respond import case_markdown, case_study, load_respond_profile
from tasks.evaluation.training_seeds import SeedScores, seed_scores, seeds_text

__all__ = [
    "METRICS",
    "LOG",
    "AnswerRead",
    "AskFor",
    "Asked",
    "Benchmark",
    "Corpus",
    "Dialogue",
    "Interaction",
    "RecommendProfile",
    "SeedScores",
    "Ranking",
    "Recommended",
    "Result",
    "Setting",
    "Utterance",
    "Watch",
    "answer_log",
    "answer_rankings",
    "answers_markdown",
    "case_markdown",
    "case_study",
    "constrained_answers",
    "draw_questions",
    "likelihood_rankings",
    "log_lines",
    "load_recommend_profile",
    "load_respond_profile",
    "margin_over_chance",
    "model_answers",
    "protocol_rows",
    "question_messages",
    "popularity_text",
    "rank_by_server",
    "rank_rows",
    "ranks_table",
    "read_corpus",
    "read_log",
    "recommended",
    "reference_rankings",
    "reference_results",
    "results",
    "seed_scores",
    "seeds_text",
    "split_corpus",
    "table5",
    "table5_markdown",
    "table5_text",
]

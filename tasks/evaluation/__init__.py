"""Evaluation (section 4): dialogue quality by judges and people, recommendation by models and reference recommenders."""

from tasks.evaluation.asking import AskFor
from tasks.evaluation.corpora import Corpus, Dialogue, Interaction, Utterance, read_corpus
from tasks.evaluation.metrics import METRICS, Estimate, estimate
from tasks.evaluation.prompts import RecommendProfile, Setting, load_recommend_profile
from tasks.evaluation.recommend import (
    Benchmark,
    answer_rankings,
    draw_questions,
    margin_over_chance,
    model_answers,
    protocol_rows,
    reference_rankings,
    reference_results,
)
from tasks.evaluation.recommendation_tables import Result, results, table5, table5_markdown, table5_text
from tasks.evaluation.respond import case_markdown, case_study, load_respond_profile
from tasks.evaluation.samples import recommendation_samples
from tasks.evaluation.splits import split_samples

__all__ = [
    "METRICS",
    "AskFor",
    "Benchmark",
    "Corpus",
    "Dialogue",
    "Estimate",
    "Interaction",
    "RecommendProfile",
    "Result",
    "Setting",
    "Utterance",
    "answer_rankings",
    "case_markdown",
    "case_study",
    "draw_questions",
    "estimate",
    "load_recommend_profile",
    "load_respond_profile",
    "margin_over_chance",
    "model_answers",
    "protocol_rows",
    "read_corpus",
    "recommendation_samples",
    "reference_rankings",
    "reference_results",
    "results",
    "split_samples",
    "table5",
    "table5_markdown",
    "table5_text",
]

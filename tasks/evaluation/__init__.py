"""Evaluation (section 4): dialogue quality by judges and people, recommendation by models and reference recommenders."""

from tasks.evaluation.corpora import Corpus, Dialogue, Interaction, Utterance, read_corpus

__all__ = ["Corpus", "Dialogue", "Interaction", "Utterance", "read_corpus"]

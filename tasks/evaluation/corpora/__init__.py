"""Corpora: one typed view of our releases, published LLM-REDIAL folders, ReDial, OpenDialKG, INSPIRED and plain JSON lines."""

from tasks.evaluation.corpora.lines import json_lines
from tasks.evaluation.corpora.loader import Layout, read_corpus
from tasks.evaluation.corpora.values import Corpus, Dialogue, Interaction, Role, Utterance

__all__ = [
    "Corpus",
    "Dialogue",
    "Interaction",
    "Layout",
    "Role",
    "Utterance",
    "json_lines",
    "read_corpus",
]

"""Corpora: one typed view of releases, published folders and other datasets.

In: a path to a release, an LLM-REDIAL folder, ReDial, OpenDialKG, INSPIRED or JSON lines. Out: a
`Corpus`. Start with `read_corpus`.
"""

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

"""Room: semantic. Sentence embeddings on this machine, by all-MiniLM-L6-v2 on onnxruntime.

In: texts. Out: vectors whose dot product is their cosine. Start with `encode`; `diversity` says how
varied a corpus is, `check_semantic` in one line what is missing of the extra `[semantic]`.

onnxruntime and tokenizers are imported when they are needed, never before.
"""

from tasks.semantic.corpus_diversity import Diversity, Spoken, diversity, shown_diversity
from tasks.semantic.encoder import DIMENSIONS, Vectors, check_semantic, encode

__all__ = [
    "DIMENSIONS",
    "Diversity",
    "Spoken",
    "Vectors",
    "check_semantic",
    "diversity",
    "encode",
    "shown_diversity",
]

"""Facts by sense: a target described before its turn, and claims that are near no review.

Sentences are compared by their embeddings, so that other words do not hide it (`tasks.semantic`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tasks.quality.told import BriefTexts
from tasks.semantic import Vectors, encode

LEAST_WORDS: Final = 5  # of a sentence; shorter ones are near too much ("A great movie.")
# Chosen on retellings and on reviews of items outside the brief, see docs/explanation/quality.md.
FLOOR: Final = 40  # hundredths below which nothing is near
MARGIN: Final = 20  # hundredths by which the target must be nearer than all else in the brief
# Chosen on the same retellings and on the training split of the planted defects.
FAR: Final = 25  # hundredths below which a sentence is near no review
_END: Final = re.compile(r"(?<=[.!?\u2026])\s+")


@dataclass(frozen=True)
class Near:
    """The sentence of an utterance that is nearest to a sentence of the target's review.

    Attributes:
        hundredths: of their cosine; 0 where none is near, or others are about as near.
        sentence, source: of the utterance and of the review; empty where none is near.
    """

    hundredths: int = 0
    sentence: str = ""
    source: str = ""


def sense_facts(said: pl.DataFrame, texts: BriefTexts, threads: int) -> dict[str, pl.Series]:
    """Return how near each utterance comes to the target, and how many claims are near no review.

    `target_nearness` is in hundredths of the cosine; `far_claims` counts sentences of what an agent
    tells of items.

    Args:
        said: utterances with the columns place, bare, is_before_target, role and tells.
        texts: what their briefs hold.
        threads: for the model.

    Raises:
        UserError: the extra `[semantic]` is not installed.
    """
    sources = _sentences_of_reviews(texts)
    early = _rows(said, pl.col("is_before_target"))
    early = [one for one in early if sources.get(one[1], ([], []))[0]]
    telling = _rows(said, pl.col("tells") & (pl.col("role") == "agent"))
    telling = [one for one in telling if one[1] in sources]
    wanted = [sentence for _, _, bare in early + telling for sentence in _sentences(bare)]
    held = {place for _, place, _ in early + telling}
    wanted += [sentence for place in held for part in sources[place] for sentence in part]
    vectors = _Encoded(wanted, threads)
    near, far = np.zeros(len(said), np.int32), np.zeros(len(said), np.int32)
    for row, place, bare in early:
        near[row] = _nearest(_sentences(bare), *sources[place], vectors).hundredths
    for row, place, bare in telling:
        mine, theirs = sources[place]
        far[row] = len(_far(_sentences(bare), mine + theirs, vectors))
    return {"target_nearness": pl.Series(near), "far_claims": pl.Series(far)}


def no_sense_facts() -> dict[str, pl.Expr]:
    """Return the facts where no rule asks for sentence embeddings: all are 0."""
    return {"target_nearness": pl.lit(0), "far_claims": pl.lit(0)}


def _rows(said: pl.DataFrame, condition: pl.Expr) -> list[tuple[int, int, str]]:
    """Return row, place and text of the utterances under a condition."""
    rows = said.with_row_index("row").filter(condition.fill_null(value=False))
    return list(rows.select("row", "place", "bare").iter_rows())


def far_claims(bare: str, reviews: Sequence[str]) -> list[str]:
    """Return the sentences of an utterance that are near no sentence of some reviews."""
    sentences, sources = _sentences(bare), _sentences_of(reviews)
    return _far(sentences, sources, _Encoded([*sentences, *sources], None))


def _far(sentences: Sequence[str], sources: Sequence[str], encoded: _Encoded) -> list[str]:
    told = [sentence for sentence in sentences if not sentence.endswith("?")]
    if not (told and sources):
        return []
    nearest = _hundredths(encoded.of(told) @ encoded.of(sources).T).max(axis=1)
    return [sentence for sentence, near in zip(told, nearest, strict=True) if near < FAR]


def nearest(bare: str, target: Sequence[str], others: Sequence[str]) -> Near:
    """Return where an utterance comes nearest to the target's review.

    Args:
        bare: the text without the brief's titles.
        target: the target's reviews.
        others: the brief's other reviews.
    """
    sentences = _sentences(bare)
    mine, theirs = _sentences_of(target), _sentences_of(others)
    return _nearest(sentences, mine, theirs, _Encoded([*sentences, *mine, *theirs], None))


class _Encoded:
    """The vectors of some sentences, each encoded once."""

    def __init__(self, sentences: Sequence[str], threads: int | None) -> None:
        distinct = list(dict.fromkeys(sentences))
        self._rows: Mapping[str, int] = {text: row for row, text in enumerate(distinct)}
        self._vectors = encode(distinct, threads)

    def of(self, sentences: Sequence[str]) -> Vectors:
        vectors: Vectors = self._vectors[[self._rows[sentence] for sentence in sentences]]
        return vectors


def _nearest(
    sentences: Sequence[str], target: Sequence[str], others: Sequence[str], encoded: _Encoded
) -> Near:
    if not (sentences and target):
        return Near()
    said = encoded.of(sentences)
    to_target = _hundredths(said @ encoded.of(target).T)
    nearest_other = _hundredths(said @ encoded.of(others).T).max(axis=1, initial=0)
    best = to_target.max(axis=1)
    best[(best < FLOOR) | (best - nearest_other < MARGIN)] = 0
    at = int(best.argmax())
    if not best[at]:
        return Near()
    return Near(int(best[at]), sentences[at], target[int(to_target[at].argmax())])


def _hundredths(cosines: Vectors) -> NDArray[np.int32]:
    rounded: NDArray[np.int32] = np.rint(100 * cosines).astype(np.int32)
    return rounded


def _sentences_of_reviews(texts: BriefTexts) -> dict[int, tuple[list[str], list[str]]]:
    """Return the sentences of the target's reviews and of others, by place."""
    found: dict[int, tuple[list[str], list[str]]] = {}
    for place, text, of_target in texts.reviews.select("place", "text", "of_target").iter_rows():
        mine, theirs = found.setdefault(place, ([], []))
        (mine if of_target else theirs).extend(_sentences(text))
    return found


def _sentences_of(texts: Sequence[str]) -> list[str]:
    return [part for text in texts for part in _sentences(text)]


def _sentences(text: str) -> list[str]:
    """Return the sentences of a text that are long enough to say something."""
    return [part for part in _END.split(text.strip()) if len(part.split()) >= LEAST_WORDS]

"""Whether what is said before the recommendation tells what the target's review says.

Sentences are compared by sense, so that other words do not hide it (`tasks.semantic`).
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


def target_nearness(said: pl.DataFrame, texts: BriefTexts, threads: int) -> pl.Series:
    """Return how near each utterance comes to the target's review, in hundredths of the cosine.

    Args:
        said: utterances with the columns place, bare and is_before_target.
        texts: what their briefs hold.
        threads: for the model.

    Raises:
        UserError: the extra `[semantic]` is not installed.
    """
    found = np.zeros(len(said), np.int32)
    sources = _sentences_of_reviews(texts)
    early = said.with_row_index("row").filter(pl.col("is_before_target").fill_null(value=False))
    rows = [
        (row, place, _sentences(bare))
        for row, place, bare in early.select("row", "place", "bare").iter_rows()
        if place in sources
    ]
    wanted = [sentence for _, _, sentences in rows for sentence in sentences]
    held = {place for _, place, _ in rows}
    wanted += [sentence for place in held for part in sources[place] for sentence in part]
    vectors = _Encoded(wanted, threads)
    for row, place, sentences in rows:
        found[row] = _nearest(sentences, *sources[place], vectors).hundredths
    return pl.Series(found)


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
    """Return the sentences of the target's reviews and of others, by place.

    Places without a review of the target are left out.
    """
    found: dict[int, tuple[list[str], list[str]]] = {}
    for place, text, of_target in texts.reviews.select("place", "text", "of_target").iter_rows():
        mine, theirs = found.setdefault(place, ([], []))
        (mine if of_target else theirs).extend(_sentences(text))
    return {place: parts for place, parts in found.items() if parts[0]}


def _sentences_of(texts: Sequence[str]) -> list[str]:
    return [part for text in texts for part in _sentences(text)]


def _sentences(text: str) -> list[str]:
    """Return the sentences of a text that are long enough to say something."""
    return [part for part in _END.split(text.strip()) if len(part.split()) >= LEAST_WORDS]

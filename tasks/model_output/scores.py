"""Takes off the scores that a model writes beside the titles of a list."""

from __future__ import annotations

import re
from collections.abc import Sequence

_FEWEST = 2  # titles that all have a score
_POINTS = (
    r"(?:[01]?\.\d{1,6}|\d{1,2}\.\d{1,3}|\d{1,3}(?:\.\d{1,2})?\s?%|\d{1,2}(?:\.\d{1,2})?\s?/\s?(?:5|10|100)"
    r"|\d(?:\.\d)?\sstars?|\d{1,2}(?:\.\d)?\sout\sof\s\d{1,3}|[\u2605\u2606\u2b50]{1,10})"
)
_NAME = r"(?:(?:score|rating|confidence|relevance|probability|match|similarity)\s?[:=]?\s?)?"
_BEHIND = re.compile(
    rf"(?<=\S)(?:(?:\s{{0,4}}[:=|\u2013\u2014,\t\uff1a-]\s{{0,4}}|\s{{0,4}}[(\[\uff08]|\s)\s?{_NAME}~?{_POINTS}\s?[)\]\uff09]?"
    r"|\s{0,4}[:=|\uff1a]\s{0,4}\d{1,3})(?P<mark>\*\*|__|[*_])?$",
    re.IGNORECASE,
)
_BEFORE = re.compile(rf"[(\[]?{_NAME}{_POINTS}[)\]]?\s{{0,4}}[:|\u2013\u2014-]?\s{{1,4}}(?=\S)", re.IGNORECASE)


def without_scores(titles: Sequence[str]) -> list[str]:
    """Return titles without scores before or behind them, where every one of at least two has one.

    Read as scores: 0.95, (0.95), 95 %, 4.5/5, 9/10, 4 stars, stars drawn, "score: 0.9", and whole
    numbers behind a colon. One title alone with a number behind it keeps it.
    """
    for pattern, is_behind in ((_BEHIND, True), (_BEFORE, False)):
        bare = [title.strip() for title in titles]
        found = [pattern.search(title) if is_behind else pattern.match(title) for title in bare]
        if len(titles) >= _FEWEST and None not in found:
            pairs = zip(bare, found, strict=True)
            return [_without(title, score, is_behind) for title, score in pairs if score]
    return list(titles)


def _without(title: str, score: re.Match[str], is_behind: bool) -> str:
    if not is_behind:
        return title[score.end() :]
    return title[: score.start()].rstrip() + (score["mark"] or "")

"""Single values of a source record, however the source writes them: ids, ratings, moments, texts."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

from tasks.ingest.defects import BAD_ENCODING, BAD_ID, BAD_RATING, BAD_TIMESTAMP, MISSING, OFF_SCALE, UNRATED, Defect
from tasks.settings.sources import rating_word

LONGEST_ID = 400
"""Characters of the longest id; what is longer is a text in the wrong column."""
_UNITS = ((10**17, 9), (10**14, 6), (10**11, 3))
"""From which number on a moment is in nano-, micro- or milliseconds, as powers: as seconds 10^11 is the year 5138, as milliseconds 1973."""
DAYS = (1900_01_01, 2100_12_31)
"""Eight digits between these are a day, as 20140228; as seconds they would be August 1970, before there were reviews."""
_EXACT = 2**53  # beyond it a floating-point number is no longer exact, and two ids may have become one
_ROUNDED = re.compile(r"\d(?:[.,]\d+)?[eE]\+\d\d")  # as spreadsheets write long ids
_WHOLE = re.compile(r"^(\d+)\.0$")  # as pandas writes ids of a column in which some are missing
_LAST_SECOND = 253_402_300_799  # the end of the year 9999
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_GRADE = re.compile(
    r"\s*(?:rated )?(?P<stars>\d{1,3}(?:\.\d{1,4}|,\d{1,2})?)"
    r"(?:\s?(?P<percent>%)|\s?(?:/|out of|of)\s?(?P<most>\d{1,3}))?(?:\s?stars?)?\s*",
    re.IGNORECASE,
)
"""4,5 and 4/5, 4 out of 5 stars, 5 stars, 80%."""
_WRITTEN = (
    *("%m %d, %Y", "%b %d, %Y", "%B %d, %Y", "%d %b %Y", "%d %B %Y", "%Y/%m/%d", "%Y/%m/%d %H:%M:%S", "%a %b %d %H:%M:%S %z %Y"),
    *("%d.%m.%Y", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S", "%Y.%m.%d", "%a, %d %b %Y %H:%M:%S %Z", "%a, %d %b %Y %H:%M:%S %z"),
)
"""Spellings of which each can mean one day only: a date with points begins with the day or the year, one with slashes may mean two."""


def without_control(text: str) -> str:
    """Replace control characters other than tab and line ends by spaces."""
    return _CONTROL.sub(" ", text)


def textual(value: Any) -> Any:
    """Return bytes as the UTF-8 text they are; everything else as it is. Raises Defect."""
    if not isinstance(value, bytes):
        return value
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Defect(BAD_ENCODING, f"not UTF-8 at byte {error.start}") from None


def identifier(value: Any, what: str) -> str:
    """Return a user's or item's id as text, whole numbers (123.0 is 123) and UUIDs included, without control characters. Raises Defect."""
    value = textual(value)
    if is_blank(value):
        raise Defect(MISSING, what)
    if isinstance(value, float) and abs(value) > _EXACT or (isinstance(value, str) and _ROUNDED.fullmatch(value)):
        raise Defect(BAD_ID, f"{what} is a number whose last digits are lost")
    if isinstance(value, float | Decimal) and math.isfinite(value) and value == int(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, str | int | UUID):
        raise Defect(BAD_ID, f"{what} is of type {type(value).__name__}")
    cleaned = _WHOLE.sub(r"\1", " ".join(without_control(str(value)).split()))
    if not cleaned:
        raise Defect(MISSING, what)
    if len(cleaned) > LONGEST_ID:
        raise Defect(BAD_ID, f"{what} has {len(cleaned)} characters")
    return cleaned


def title_text(value: Any) -> str:
    """Return an item's title as published, without control characters: a text, a whole number ("300") or the first of a list, else empty.

    Raises Defect.
    """
    value = textual(value[0] if isinstance(value, list) and value else value)
    named = isinstance(value, str | int) and not isinstance(value, bool)
    return without_control(str(value)).encode("utf-8", "ignore").decode() if named else ""  # half surrogate pairs cannot be kept


def rating(value: Any, scale: tuple[float, float], words: Mapping[str, float], unrated: Collection[str | None] = ()) -> float:
    """Read a rating.

    Args:
        value: a number, also as text, with a decimal comma, or out of the scale's highest (4/5, 4 out of 5 stars, 80%); or a word.
        scale: the lowest and the highest rating.
        words: what words, and numbers too, stand for, by `rating_word`.
        unrated: words and numbers that stand for no rating; with None, so does a blank.

    Raises:
        Defect: it is none of these, not on the scale, or stands for no rating.
    """
    value = textual(value)
    if is_blank(value):
        raise Defect(UNRATED) if None in unrated else Defect(MISSING, "rating")
    word = rating_word(value)
    if word in unrated:
        raise Defect(UNRATED)
    found = words[word] if word in words else _graded(value, scale)
    if found is None:
        raise Defect(BAD_RATING, f"not a finite number, of type {type(value).__name__}")
    if not scale[0] <= found <= scale[1]:
        raise Defect(OFF_SCALE, f"outside {scale[0]:g} to {scale[1]:g}")
    return found


def _graded(value: Any, scale: tuple[float, float]) -> float | None:
    """Return a rating that is a number, or one out of the scale's highest. Raises Defect on one out of another number."""
    if not isinstance(value, str) or (found := _GRADE.fullmatch(value)) is None:
        return number(value)
    most = number("100" if found["percent"] else found["most"])
    if most not in (None, scale[1]):
        raise Defect(OFF_SCALE, f"out of {most:g}, where the scale ends at {scale[1]:g}")
    return number(found["stars"].replace(",", "."))


def seconds(value: Any, written: str | None = None) -> int:
    """Read a moment as unix seconds, UTC where it names no zone.

    Args:
        value: a date or time; unix seconds, milli-, micro- or nanoseconds, told by their size; eight digits that are a day; an ISO
            date; or one of the spellings review sites publish ("02 28, 2014", "28 February 2014", "Fri Feb 28 13:55:02 -0700 2014").
        written: the strptime format texts are written in, instead of all these.

    Raises:
        Defect: it is none of these.
    """
    value = textual(value)
    if is_blank(value):
        raise Defect(MISSING, "timestamp")
    if isinstance(value, datetime):
        return _unix(value)
    if isinstance(value, str) and written:
        return _parsed(value.strip(), (written,))
    found = number(value)
    if found is None:
        return _parsed(str(value).strip(), _WRITTEN)
    if DAYS[0] <= found <= DAYS[1] and found == int(found):
        return _parsed(str(int(found)), ())
    return _scaled(found)


def number(value: Any) -> float | None:
    """Return a finite number, also when it is written as text; None for everything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def is_unicode(text: str) -> bool:
    """Tell whether a text has no half surrogate pairs, which no encoding can write."""
    return text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text)


def is_blank(value: Any) -> bool:
    """Tell of nothing, a blank text and NaN."""
    return value is None or (isinstance(value, str) and not value.strip()) or (isinstance(value, float) and math.isnan(value))


def _scaled(moment: float) -> int:
    size = abs(moment)
    unit = next((10**power for start, power in _UNITS if size >= start), 1)
    found = math.floor(moment / unit)
    if abs(found) > _LAST_SECOND:
        raise Defect(BAD_TIMESTAMP, "after the year 9999")
    return found


@lru_cache(maxsize=1 << 14)  # days come again and again
def _parsed(text: str, formats: tuple[str, ...]) -> int:
    if formats is _WRITTEN or not formats:
        with suppress(ValueError, OverflowError):
            return _unix(datetime.fromisoformat(text.removesuffix(" UTC")))
    for written in formats:
        with suppress(ValueError, OverflowError):
            return _unix(datetime.strptime(text, written))
    raise Defect(BAD_TIMESTAMP, "not a moment in any known spelling" if formats is _WRITTEN else "not written as told")


def _unix(moment: datetime) -> int:
    return math.floor((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())

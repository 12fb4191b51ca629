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

from tasks.ingest.defects import (
    ANONYMOUS,
    BAD_ENCODING,
    BAD_ID,
    BAD_RATING,
    BAD_TIMESTAMP,
    MISSING,
    OFF_SCALE,
    UNDATED,
    UNRATED,
    Defect,
)
from tasks.settings import plain_word

LONGEST_ID = 400
"""Characters of the longest id; what is longer is a text in the wrong column."""
_UNITS = ((10**17, 9), (10**14, 6), (10**11, 3))
"""From which number on a moment is in nano-, micro- or milliseconds, as powers: as seconds 10^11 is the year 5138, as milliseconds 1973.
"""
DAYS = (1900_01_01, 2100_12_31)
"""Eight digits between these are a day, as 20140228; as seconds they would be August 1970, before there were reviews.
"""
_EXACT = (
    2**53
)  # beyond it a floating-point number is no longer exact, and two ids may have become one
_ROUNDED = re.compile(r"\d(?:[.,]\d+)?[eE]\+\d\d")  # as spreadsheets write long ids
_WHOLE = re.compile(r"^(\d+)\.0$")  # as pandas writes ids of a column in which some are missing
_LAST_SECOND = 253_402_300_799  # the end of the year 9999
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SHORT_WORD = re.compile(r"\S{1,12}|\d{1,4} ?/ ?\d{1,4}")
_NO_TITLE = frozenset({"nan", "<na>", "n/a", "#n/a", "none", "null"})
"""What programs write where a title is missing; a work may be called NA, or Unknown."""
_YEARS = (1900, 2100)
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_DAY_ALONE = re.compile(
    rf"(?:[a-z]{{1,12}}:? )?(?:{_MONTH} {_DAY}|{_DAY} {_MONTH})\W{{0,2}}", re.IGNORECASE
)
"""A day without its year, as shops write days of the current one: "Posted July 15."."""
_GRADE = re.compile(
    r"\s*(?:rated )?(?P<stars>\d{1,3}(?:\.\d{1,4}|,\d{1,2})?)"
    r"(?:\s?(?P<percent>%)|\s?(?:/|out of|of)\s?(?P<most>\d{1,4}(?:\.0{1,2})?))?(?:\s?stars?)?\s*",
    re.IGNORECASE,
)
"""4,5 and 4/5, 7/10, 4 out of 5 stars, 5 stars, 80%."""
_WRITTEN = (
    *(
        "%m %d, %Y",
        "%b %d, %Y",
        "%B %d, %Y",
        "%d %b %Y",
        "%d %B %Y",
        "%Y/%m/%d",
        "%Y/%m/%d %H:%M:%S",
        "%a %b %d %H:%M:%S %z %Y",
    ),
    *(
        "%d.%m.%Y",
        "%d.%m.%Y %H:%M",
        "%d.%m.%Y %H:%M:%S",
        "%Y.%m.%d",
        "%a, %d %b %Y %H:%M:%S %Z",
        "%a, %d %b %Y %H:%M:%S %z",
    ),
)
"""Spellings of which each can mean one day only: a date with points begins with the day or the year, one with slashes may mean two.
"""


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
    if (
        isinstance(value, float)
        and abs(value) > _EXACT
        or (isinstance(value, str) and _ROUNDED.fullmatch(value))
    ):
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


def user_identifier(value: Any, anonymous: Collection[str | None]) -> str:
    """Return a user's id as `identifier` does.

    `anonymous`: words that stand for nobody; with None, so does a blank. Raises Defect.
    """
    value = textual(value)
    if is_blank(value):
        raise Defect(ANONYMOUS, "blank") if None in anonymous else Defect(MISSING, "user")
    found = identifier(value, "user")
    if plain_word(found) in anonymous:
        raise Defect(ANONYMOUS, repr(found))
    return found


def shown(value: Any) -> str:
    """Return a value that may be quoted in a message: one short word, a number or a fraction; of all else its type."""
    text = str(value).strip()
    return (
        repr(text)
        if _SHORT_WORD.fullmatch(text) and text.isprintable()
        else f"of type {type(value).__name__}"
    )


def title_text(value: Any) -> str:
    """Return an item's title as published, without control characters: a text, a whole number ("300") or the first of a list, else empty.

    What programs write for a missing title ("nan", "N/A") is none. Raises Defect.
    """
    value = textual(value[0] if isinstance(value, list) and value else value)
    named = isinstance(value, str | int) and not isinstance(value, bool)
    if isinstance(value, str) and value.strip().casefold() in _NO_TITLE:
        return ""
    return (
        without_control(str(value)).encode("utf-8", "ignore").decode() if named else ""
    )  # half surrogate pairs cannot be kept


def rating(
    value: Any,
    scale: tuple[float, float],
    words: Mapping[str, float],
    unrated: Collection[str | None] = (),
) -> float:
    """Read a rating.

    Args:
        value: a number, also as text or with a decimal comma; a fraction (7/10, 4 out of 5 stars,
            80%), which is put on the scale;
            or a word.
        scale: the lowest and the highest rating.
        words: what words, and numbers too, stand for, by `plain_word`.
        unrated: words and numbers that stand for no rating; with None, so does a blank.

    Raises:
        Defect: it is none of these, not on the scale, or stands for no rating.
    """
    value = textual(value)
    if is_blank(value):
        raise Defect(UNRATED) if None in unrated else Defect(MISSING, "rating")
    word = plain_word(value)
    if word in unrated:
        raise Defect(UNRATED)
    found = words[word] if word in words else _graded(value, scale)
    if found is None:
        raise Defect(BAD_RATING, f"not a finite number: {shown(value)}")
    if not scale[0] <= found <= scale[1]:
        raise Defect(OFF_SCALE, f"{shown(value)} is outside {scale[0]:g} to {scale[1]:g}")
    return found


def _graded(value: Any, scale: tuple[float, float]) -> float | None:
    """Return a rating that is a number, or a fraction put on the scale; None for all else."""
    if not isinstance(value, str) or (found := _GRADE.fullmatch(value)) is None:
        return number(value)
    stars, most = (
        number(found["stars"].replace(",", ".")),
        number("100" if found["percent"] else found["most"]),
    )
    if stars is None or most is None or most == scale[1]:
        return stars
    return _scaled_fraction(stars, most, scale) if most else None


def _scaled_fraction(stars: float, most: float, scale: tuple[float, float]) -> float:
    """Return a mark out of `most` on a scale: 3/4 is 3.75 of 5.

    Where the scale begins above 0, no mark is below its lowest.
    """
    low, high = scale
    start = min(low, 0.0)
    return round(max(low, start + stars * (high - start) / most), 6)


def seconds(value: Any, written: str | None = None, undated: Collection[str | None] = ()) -> int:
    """Read a moment as unix seconds, UTC where it names no zone.

    Args:
        value: a date or time; unix seconds, milli-, micro- or nanoseconds, told by their size;
            eight digits that are a day; an ISO
            date; or one of the spellings review sites publish ("02 28, 2014", "28 February 2014",
            "Fri Feb 28 13:55:02 -0700 2014").
        written: the strptime format texts are written in, instead of all these.
        undated: words and numbers that stand for no moment; with None, so does a blank. A day
            without its year is none either.

    Raises:
        Defect: it is none of these, or stands for no moment.
    """
    value = textual(value)
    if is_blank(value):
        raise Defect(UNDATED, "blank") if None in undated else Defect(MISSING, "timestamp")
    if undated and plain_word(value) in undated:
        raise Defect(UNDATED, shown(value))
    if isinstance(value, datetime):
        return _unix(value)
    if isinstance(value, str) and written:
        return _parsed(value.strip(), (written,))
    found = number(value)
    if found is None:
        return _parsed(str(value).strip(), _WRITTEN)
    if DAYS[0] <= found <= DAYS[1] and found == int(found):
        return _parsed(str(int(found)), ())
    if _YEARS[0] <= found <= _YEARS[1]:
        raise Defect(BAD_TIMESTAMP, f"a year alone: {found:g}")
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
    return (
        value is None
        or (isinstance(value, str) and not value.strip())
        or (isinstance(value, float) and math.isnan(value))
    )


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
    if _DAY_ALONE.fullmatch(text):
        raise Defect(UNDATED, "a day without its year")
    raise Defect(
        BAD_TIMESTAMP,
        f"{'in no known spelling' if formats is _WRITTEN else 'not as timestamp_format says'}: {shown(text)}",
    )


def _unix(moment: datetime) -> int:
    return math.floor((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())

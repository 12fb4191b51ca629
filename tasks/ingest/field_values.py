"""Single values of a source record, in any of their spellings: ids, ratings, times, texts."""

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
"""Least number of a time in nano-, micro- or milliseconds, with the power of ten of that unit.

As seconds 10^11 is the year 5138, as milliseconds 1973.
"""
DAYS = (1900_01_01, 2100_12_31)
"""Eight digits between these are a day, such as 20140228; as seconds they would be in 1970."""
# Beyond it a floating-point number is no longer exact, and two ids may have become one.
_EXACT = 2**53
_ROUNDED = re.compile(r"\d(?:[.,]\d+)?[eE]\+\d\d")  # as spreadsheets write long ids
_WHOLE = re.compile(r"^(\d+)\.0$")  # as pandas writes ids of a column in which some are missing
_LAST_SECOND = 253_402_300_799  # the end of the year 9999
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SHORT_WORD = re.compile(r"\S{1,12}|\d{1,4} ?/ ?\d{1,4}")
_NO_TITLE = frozenset({"nan", "<na>", "n/a", "#n/a", "none", "null"})
"""What programs write for a missing title; NA and Unknown may be titles of works."""
_YEARS = (1900, 2100)
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_DAY_ALONE = re.compile(
    rf"(?:[a-z]{{1,12}}:? )?(?:{_MONTH} {_DAY}|{_DAY} {_MONTH})\W{{0,2}}", re.IGNORECASE
)
"""A day without its year, as shops write days of the current year: "Posted July 15."."""
_GRADE = re.compile(
    r"\s*(?:rated )?(?P<stars>\d{1,3}(?:\.\d{1,4}|,\d{1,2})?)"
    r"(?:\s?(?P<percent>%)|\s?(?:/|out of|of)\s?(?P<most>\d{1,4}(?:\.0{1,2})?))?(?:\s?stars?)?\s*",
    re.IGNORECASE,
)
"""4,5 and 4/5, 7/10, 4 out of 5 stars, 5 stars, 80%."""
_DATE_FORMATS = (
    "%m %d, %Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%d %b %Y",
    "%d %B %Y",
    "%Y/%m/%d",
    "%Y/%m/%d %H:%M:%S",
    "%a %b %d %H:%M:%S %z %Y",
    "%d.%m.%Y",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%Y.%m.%d",
    "%a, %d %b %Y %H:%M:%S %Z",
    "%a, %d %b %Y %H:%M:%S %z",
)
"""Spellings that can mean one day only.

A date with points begins with the day or the year; 02/03/2014 may be two days.
"""


def replace_control(text: str) -> str:
    """Replace control characters other than tab and line ends by spaces."""
    return _CONTROL.sub(" ", text)


def decode_bytes(value: Any) -> Any:
    """Return bytes as the UTF-8 text they are; everything else as it is. Raises Defect."""
    if not isinstance(value, bytes):
        return value
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Defect(BAD_ENCODING, f"not UTF-8 at byte {error.start}") from None


def parse_id(value: Any, what: str) -> str:
    """Return a user's or item's id as text without control characters. Raises Defect.

    It may be a text, a UUID, or a whole number (123.0 is 123). `what` names it in the defect.
    """
    value = decode_bytes(value)
    if _is_plain_id(value):
        return str(value)
    if is_blank(value):
        raise Defect(MISSING, what)
    if _is_inexact(value):
        raise Defect(BAD_ID, f"{what} is a number whose last digits are lost")
    if isinstance(value, float | Decimal) and math.isfinite(value) and value == int(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, str | int | UUID):
        raise Defect(BAD_ID, f"{what} is of type {type(value).__name__}")
    cleaned = _WHOLE.sub(r"\1", " ".join(replace_control(str(value)).split()))
    if not cleaned:
        raise Defect(MISSING, what)
    if len(cleaned) > LONGEST_ID:
        raise Defect(BAD_ID, f"{what} has {len(cleaned)} characters")
    return cleaned


def _is_plain_id(value: Any) -> bool:
    """Return True for a text of ASCII letters and digits, as nearly all ids are."""
    if not isinstance(value, str) or not value.isascii() or len(value) > LONGEST_ID:
        return False
    # A number that begins like an id, as 1E15, is looked at closely.
    return value.isdigit() or (value.isalnum() and value[0].isalpha())


def _is_inexact(value: Any) -> bool:
    if isinstance(value, float):
        return abs(value) > _EXACT
    return isinstance(value, str) and _ROUNDED.fullmatch(value) is not None


def parse_user_id(value: Any, anonymous: Collection[str | None]) -> str:
    """Return a user's id as `parse_id` does. Raises Defect.

    `anonymous` are the names of unknown users; None among them means a blank.
    """
    value = decode_bytes(value)
    if is_blank(value):
        raise Defect(ANONYMOUS, "blank") if None in anonymous else Defect(MISSING, "user")
    user = parse_id(value, "user")
    if plain_word(user) in anonymous:
        raise Defect(ANONYMOUS, repr(user))
    return user


def quotable(value: Any) -> str:
    """Return a short word, number or fraction as a quotation, of anything else its type."""
    text = str(value).strip()
    if _SHORT_WORD.fullmatch(text) and text.isprintable():
        return repr(text)
    return f"of type {type(value).__name__}"


def parse_title(value: Any) -> str:
    """Return an item's title as published, without control characters; empty if it has none.

    A title is a text, a whole number ("300") or the first element of a list. What programs write
    for a missing title ("nan", "N/A") is none. Raises Defect.
    """
    value = decode_bytes(value[0] if isinstance(value, list) and value else value)
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    title = str(value)
    if title.strip().casefold() in _NO_TITLE:
        return ""
    if title.isascii() and title.isprintable():
        return title
    # Half surrogate pairs cannot be stored.
    return replace_control(title).encode("utf-8", "ignore").decode()


def parse_rating(
    value: Any,
    scale: tuple[float, float],
    words: Mapping[str, float],
    unrated: Collection[str | None] = (),
) -> float:
    """Read a rating.

    Args:
        value: a number, also as text or with a decimal comma; a fraction (7/10, 4 out of 5 stars,
            80%), which is put on the scale; or a word.
        scale: the lowest and the highest rating.
        words: the ratings of words, and of numbers too, by `plain_word`.
        unrated: words and numbers that mean no rating; None among them means a blank.

    Raises:
        Defect: it is none of these, not on the scale, or means no rating.
    """
    value = decode_bytes(value)
    if is_blank(value):
        raise Defect(UNRATED) if None in unrated else Defect(MISSING, "rating")
    word = plain_word(value)
    if word in unrated:
        raise Defect(UNRATED)
    rating = words[word] if word in words else _parse_grade(value, scale)
    if rating is None:
        raise Defect(BAD_RATING, f"not a finite number: {quotable(value)}")
    if not scale[0] <= rating <= scale[1]:
        raise Defect(OFF_SCALE, f"{quotable(value)} is outside {scale[0]:g} to {scale[1]:g}")
    return rating


def _parse_grade(value: Any, scale: tuple[float, float]) -> float | None:
    """Return a rating that is a number, or a fraction put on the scale; None for all else."""
    match = _GRADE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return parse_number(value)
    stars = parse_number(match["stars"].replace(",", "."))
    best = parse_number("100" if match["percent"] else match["most"])
    if stars is None or best is None or best == scale[1]:
        return stars
    return _scaled_fraction(stars, best, scale) if best else None


def _scaled_fraction(stars: float, best: float, scale: tuple[float, float]) -> float:
    """Return a grade out of `best` on a scale: 3/4 is 3.75 of 5; at least the scale's lowest."""
    low, high = scale
    start = min(low, 0.0)
    return round(max(low, start + stars * (high - start) / best), 6)


def parse_time(
    value: Any, time_format: str | None = None, undated: Collection[str | None] = ()
) -> int:
    """Read a time as unix seconds, UTC where it names no zone.

    Args:
        value: a date or time; unix seconds, milli-, micro- or nanoseconds, recognised by their
            size; eight digits that are a day; an ISO date; or one of the spellings of review sites
            ("02 28, 2014", "28 February 2014", "Fri Feb 28 13:55:02 -0700 2014").
        time_format: the strptime format of texts, instead of all these.
        undated: words and numbers that mean no time; None among them means a blank. A day without
            its year is none either.

    Raises:
        Defect: it is none of these, or means no time.
    """
    value = decode_bytes(value)
    if is_blank(value):
        raise Defect(UNDATED, "blank") if None in undated else Defect(MISSING, "timestamp")
    if undated and plain_word(value) in undated:
        raise Defect(UNDATED, quotable(value))
    if isinstance(value, datetime):
        return _unix_seconds(value)
    if isinstance(value, str) and time_format:
        return _parse_date(value.strip(), (time_format,))
    moment = parse_number(value)
    if moment is None:
        return _parse_date(str(value).strip(), _DATE_FORMATS)
    if DAYS[0] <= moment <= DAYS[1] and moment == int(moment):
        return _parse_date(str(int(moment)), ())
    if _YEARS[0] <= moment <= _YEARS[1]:
        raise Defect(BAD_TIMESTAMP, f"a year alone: {moment:g}")
    return _to_seconds(moment)


def parse_number(value: Any) -> float | None:
    """Return a finite number, also when it is written as text; None for everything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def is_unicode(text: str) -> bool:
    """Return True if a text has no half surrogate pairs, which no encoding can write."""
    return text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text)


def is_blank(value: Any) -> bool:
    """Return True for None, a blank text and NaN."""
    if isinstance(value, str):
        return not value.strip()
    return value is None or (isinstance(value, float) and math.isnan(value))


def _to_seconds(moment: float) -> int:
    size = abs(moment)
    unit = next((10**power for start, power in _UNITS if size >= start), 1)
    seconds = math.floor(moment / unit)
    if abs(seconds) > _LAST_SECOND:
        raise Defect(BAD_TIMESTAMP, "after the year 9999")
    return seconds


# Cached because the same days come again and again.
@lru_cache(maxsize=1 << 14)
def _parse_date(text: str, formats: tuple[str, ...]) -> int:
    if formats is _DATE_FORMATS or not formats:
        with suppress(ValueError, OverflowError):
            return _unix_seconds(datetime.fromisoformat(text.removesuffix(" UTC")))
    for date_format in formats:
        with suppress(ValueError, OverflowError):
            return _unix_seconds(datetime.strptime(text, date_format))
    if _DAY_ALONE.fullmatch(text):
        raise Defect(UNDATED, "a day without its year")
    problem = "in no known format" if formats is _DATE_FORMATS else "not as timestamp_format says"
    raise Defect(BAD_TIMESTAMP, f"{problem}: {quotable(text)}")


def _unix_seconds(moment: datetime) -> int:
    return math.floor((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())

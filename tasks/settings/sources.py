"""Settings of a domain's source files, and of a table's columns."""

from __future__ import annotations

import codecs
from datetime import UTC, datetime
from types import UnionType
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)

from tasks.addresses import (
    check_address,
    check_endpoint,
    check_file_or_endpoint,
    check_object_store,
    is_address,
    local_name,
)

Address = Annotated[str, AfterValidator(check_address)]
Endpoint = Annotated[str, AfterValidator(check_endpoint)]
ObjectStore = Annotated[str, AfterValidator(check_object_store)]
LineageTarget = Annotated[str, AfterValidator(check_file_or_endpoint)]
PAPER_SCALE = (1.0, 5.0)
"""Amazon's stars, for which the paper's thresholds are meant (Appendix B)."""


class Settings(BaseModel):
    """Base of all settings: frozen, without unknown keys, its numbers finite."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, str_strip_whitespace=True, allow_inf_nan=False
    )

    @field_validator("*", mode="before")
    @classmethod
    def _correct_yaml(cls, value: Any, info: ValidationInfo) -> Any:
        """Read an empty section as one without settings, and `off`, false in YAML, as text.

        True and false are refused for numbers, though Python accepts them as 1 and 0.
        """
        kind = cls.model_fields[info.field_name or ""].annotation
        if value is None and isinstance(kind, type) and issubclass(kind, Settings):
            return {}
        kinds = {kind, *(get_args(kind) if isinstance(kind, UnionType) else ())}
        if isinstance(value, bool) and {int, float} & kinds:
            raise ValueError("must be a number, not true or false")
        return "off" if value is False and "off" in get_args(kind) else value


_NO_TEXT_ENCODINGS = frozenset(
    {"idna", "punycode", "raw-unicode-escape", "unicode-escape", "undefined", "mbcs", "oem"}
)


def _known_encoding(value: str) -> str:
    """Return Python's name of an encoding. Raises ValueError."""
    try:
        name = codecs.lookup(value).name.removesuffix("-sig")
        known = name not in _NO_TEXT_ENCODINGS and b"a".decode(name) is not None
    except (LookupError, ValueError):
        known = False
    if not known:
        raise ValueError(
            f"{value[:40]!r} is no encoding that Python knows: "
            "use a name such as cp1252, gb18030, shift_jis or utf-16"
        )
    return name


Encoding = Annotated[str, AfterValidator(_known_encoding)]


class Source(Settings):
    """One input file: its path and, if it can be fetched, its address."""

    path: str = Field(
        description="File, relative to the domain file's folder, or absolute",
        pattern=r"^[^\x00]+$",
        max_length=4096,
    )
    url: Address | None = Field(
        None,
        description=(
            "Address `redial fetch` downloads it from: "
            "http, https, or any that fsspec reads, as s3://"
        ),
    )
    bytes: int | None = Field(
        None, gt=0, description="Size in bytes the download must have, if published"
    )
    encoding: Encoding | None = Field(
        None, description="Encoding of this file, in place of `sources.encoding`"
    )

    @field_validator("path")
    @classmethod
    def _on_this_machine(cls, path: str) -> str:
        if is_address(path):
            raise ValueError(
                "is a place on this machine: give an address as `url`, "
                "or alone in place of path and url"
            )
        return path


def _as_source(value: Any) -> Any:
    """Read an entry that is one text: a path, or an address whose file is kept in `sources`."""
    if not isinstance(value, str):
        return value
    if is_address(value):
        return {"path": f"../sources/{local_name(value)}", "url": value}
    return {"path": value}


SourceEntry = Annotated[Source, BeforeValidator(_as_source)]


def _as_list(value: Any) -> Any:
    """Read a single entry as a list of one."""
    return [value] if isinstance(value, str | dict) else value


SourceList = Annotated[tuple[SourceEntry, ...], BeforeValidator(_as_list)]
Column = Annotated[str, StringConstraints(min_length=1)]


_YAML_WORDS = {True: ("yes", "on"), False: ("no", "off")}
"""The other words that YAML reads as true and false."""


def plain_word(value: Any) -> str:
    """Return a value as words of settings are compared: lower case, whole numbers without point."""
    whole = isinstance(value, float) and value.is_integer()
    return str(int(value) if whole else value).strip().casefold().removesuffix(".0")


def _as_words(value: Any) -> Any:
    """Return words by `plain_word`; a blank text is None, as null is."""
    entries = value if isinstance(value, list | tuple) else [value]
    return [None if entry is None else plain_word(entry) or None for entry in entries]


Words = Annotated[tuple[str | None, ...], BeforeValidator(_as_words)]
ANONYMOUS = (
    None,
    *("unknown", "anonymous", "none", "null", "nan", "<na>", "n/a", "undefined", "[deleted]"),
    *("a customer", "amazon customer", "kindle customer", "a google user"),
)
"""Names that sites and programs write for unknown reviewers, who must not become one user."""
UNDATED = (None, "-1")
"""What programs write for an unknown time.

Not 0: files without dates number their lines from there.
"""


class Columns(Settings):
    """Column names of a CSV, Parquet or JSON-lines table in none of the Amazon schemas."""

    user: Column = Field(description="Column of the user's id")
    item: Column = Field(description="Column of the item's id")
    rating: Column = Field(description="Column of the rating")
    text: Column = Field(description="Column of the review's text")
    timestamp: Column | None = Field(
        None,
        description=(
            "Column of the time: unix time, an ISO date or a spelled one; file order if missing"
        ),
    )
    title: Column | None = Field(
        None,
        description=(
            "Column of the item's title, in the metadata tables if there are any, "
            "else beside the reviews"
        ),
    )
    metadata_item: Column | None = Field(
        None, description="Column of the item's id in the metadata tables, where it is another one"
    )
    timestamp_format: str | None = Field(
        None, description="How times are written, such as %d/%m/%Y, if no usual way"
    )
    rating_values: dict[str, float] = Field({}, description="Ratings of words: {true: 5, false: 1}")
    unrated: Words = Field(
        (),
        description=(
            "Values that mean no rating, such as [0, null, n/a]; "
            "those lines are skipped and not counted as bad"
        ),
    )

    @field_validator("rating_values", mode="before")
    @classmethod
    def _plain_words(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        ratings: dict[str, Any] = {}
        # An unquoted yes, no, on or off is a boolean in YAML: all words for it have the rating.
        for word, rating in value.items():
            if isinstance(word, bool):
                ratings |= dict.fromkeys(_YAML_WORDS[word], rating)
        return ratings | {plain_word(word): rating for word, rating in value.items()}

    @field_validator("timestamp_format")
    @classmethod
    def _has_the_day(cls, value: str | None) -> str | None:
        if value is not None and not _keeps_the_day(value):
            raise ValueError("must tell the day as strptime reads it, such as %d/%m/%Y")
        return value

    @model_validator(mode="after")
    def _three_columns(self) -> Columns:
        if len({self.user, self.item, self.rating}) < 3:
            raise ValueError("`user`, `item` and `rating` must be three columns")
        return self


def _keeps_the_day(time_format: str) -> bool:
    """Return True if a day written in a strptime format is read back as the same day."""
    moment = datetime(2014, 2, 28, tzinfo=UTC)
    try:
        return datetime.strptime(moment.strftime(time_format), time_format).date() == moment.date()
    except ValueError:
        return False


class Sources(Settings):
    """The sources of a domain's reviews and item metadata."""

    format: Literal["amazon_2014", "amazon_2018", "amazon_2023", "columns"] = Field(
        description="Schema of the source files"
    )
    reviews: SourceList = Field(
        min_length=1,
        description=(
            "Review files: a path, an address, or path, url and bytes; "
            "paths are relative to the domain file"
        ),
    )
    metadata: SourceList = Field((), description="Item metadata files, where titles come from")
    columns: Columns | None = Field(
        None, description="Required when format is `columns`, refused otherwise"
    )
    rating_scale: tuple[float, float] = Field(
        PAPER_SCALE, description="Lowest and highest rating; others are rejected rows"
    )
    encoding: Encoding | None = Field(
        None,
        description=(
            "Encoding of the files, such as cp1252 or gb18030; detected by content if missing"
        ),
    )
    anonymous: Words = Field(
        ANONYMOUS,
        description=(
            "Names of unknown users, null for a blank; "
            "their lines are skipped and not counted as bad"
        ),
    )
    undated: Words = Field(
        UNDATED,
        description=(
            "Values that mean no time, null for a blank; "
            "their lines are skipped and not counted as bad"
        ),
    )

    @model_validator(mode="after")
    def _consistent(self) -> Sources:
        if (self.format == "columns") != (self.columns is not None):
            raise ValueError("`columns` is needed with format `columns`, and only there")
        if self.rating_scale[0] >= self.rating_scale[1]:
            raise ValueError("`rating_scale` must be [lowest, highest]")
        low, high = self.rating_scale
        ratings = self.columns.rating_values.values() if self.columns else ()
        if not all(low <= rating <= high for rating in ratings):
            raise ValueError(
                f"`columns.rating_values` must lie on the rating_scale, {low:g} to {high:g}"
            )
        return self

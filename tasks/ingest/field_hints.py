"""What is meant when a file lacks the fields asked for: another edition of Amazon's, or a list that must be taken apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tasks.ingest.rows import FieldNames, TitleNames

_OF_2014 = FieldNames(
    ("reviewerID",), ("asin",), ("overall",), ("reviewText",), ("unixReviewTime", "reviewTime")
)
_OF_2023 = FieldNames(("user_id",), ("parent_asin", "asin"), ("rating",), ("text",), ("timestamp",))
REVIEWS = {"amazon_2014": _OF_2014, "amazon_2018": _OF_2014, "amazon_2023": _OF_2023}
_TITLES_OF_2014 = TitleNames(("asin",), ("title",))
TITLES = {
    "amazon_2014": _TITLES_OF_2014,
    "amazon_2018": _TITLES_OF_2014,
    "amazon_2023": TitleNames(("parent_asin", "asin"), ("title",)),
}


LITERAL_STARTS = (b"{'", b"{u'")
"""How the Python literals of crawls begin, which jq cannot read."""
_BY_JQ = "`jq -c '. + .{key}[] | del(.{key})'` does so"
_BY_PYTHON = (
    '`python3 -c "import ast, json, sys; [print(json.dumps(row | each)) for line in sys.stdin for row in [ast.literal_eval(line)] '
    "for each in row.pop('{key}')]\" < FILE > LINES` does so, unpacked"
)


def other_edition(found: Sequence[str]) -> str:
    """Return the edition of Amazon's reviews whose fields a file has, as the end of a message; empty if none."""
    edition = next(
        (name for name, names in REVIEWS.items() if _has_all(found, names.required())), None
    )
    return f" (as format {edition} has)" if edition else ""


def _has_all(found: Sequence[str], required: Mapping[str, tuple[str, ...]]) -> bool:
    return all(set(group) & set(found) for group in required.values())


def list_to_lines(
    names: Sequence[str], records: Sequence[Mapping[str, Any]], *, literals: bool
) -> str:
    """Return how a list that holds the wanted fields is taken apart, as the end of a message; empty if there is none."""
    inner = {name.rpartition(".")[2] for name in names}
    entries = (
        (key, value[0])
        for record in records
        for key, value in record.items()
        if isinstance(value, list) and value
    )
    key = next(
        (key for key, entry in entries if isinstance(entry, dict) and inner & entry.keys()), None
    )
    if key is None:
        return ""
    command = (_BY_PYTHON if literals else _BY_JQ).replace("{key}", key)
    return f"; `{key[:40]}` is a list: each of its entries must be a line of its own{f' ({command})' if key.isidentifier() else ''}"

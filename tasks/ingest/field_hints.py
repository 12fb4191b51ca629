"""What may be meant when a file lacks a field: another edition of Amazon's, or a nested list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
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
    '`python3 -c "import ast, json, sys; [print(json.dumps(row | each)) '
    "for line in sys.stdin for row in [ast.literal_eval(line)] "
    "for each in row.pop('{key}')]\" < FILE > LINES` does so, on the decompressed file"
)


def edition_hint(fields: Sequence[str]) -> str:
    """Return the edition of Amazon's reviews whose fields a file has, to end a message; or ""."""
    edition = next(
        (name for name, names in REVIEWS.items() if _has_all(fields, names.required())), None
    )
    return f" (as format {edition} has)" if edition else ""


def _has_all(fields: Sequence[str], required: Mapping[str, tuple[str, ...]]) -> bool:
    return all(set(group) & set(fields) for group in required.values())


def list_hint(names: Sequence[str], records: Sequence[Mapping[str, Any]], *, literals: bool) -> str:
    """Return how to take the list apart that holds the wanted fields, to end a message; or ""."""
    inner_names = {name.rpartition(".")[2] for name in names}
    key = next(filter(None, (_list_of(record, inner_names) for record in records)), None)
    if key is None:
        return ""
    hint = f"; `{key[:40]}` is a list: each of its entries must be a line of its own"
    if not key.isidentifier():
        return hint
    command = (_BY_PYTHON if literals else _BY_JQ).replace("{key}", key)
    return f"{hint} ({command})"


def _list_of(record: Mapping[str, Any], names: Set[str]) -> str | None:
    """Return the key of the record's first list of objects with one of these names."""
    for key, value in record.items():
        entry = value[0] if isinstance(value, list) and value else None
        if isinstance(entry, dict) and names & entry.keys():
            return key
    return None

"""What the columns of source files are called, by what they stand for."""

from __future__ import annotations

from collections.abc import Mapping

from tasks.ingest.field_hints import TITLES
from tasks.ingest.formats import field_names
from tasks.settings import Sources


def source_columns(sources: Sources) -> dict[str, Mapping[str, tuple[str, ...]]]:
    """Return the names of the columns that are read of `reviews` and of `metadata`.

    They are by what they mean; a value has several names if its column may have any of them.
    Without metadata files there are none.
    """
    names = field_names(sources)
    reviews = {**names.required(), **({"title": names.title} if names.title else {})}
    return {"reviews": reviews, "metadata": _metadata(sources) if sources.metadata else {}}


def _metadata(sources: Sources) -> dict[str, tuple[str, ...]]:
    if sources.columns is None:
        titles = TITLES[sources.format]
        return {"item": titles.item, "title": titles.title}
    columns = sources.columns
    return {"item": (columns.metadata_item or columns.item,), "title": (columns.title or "title",)}

"""Exports: a release in the formats of the tools that use it.

Reads releases only, never a warehouse.
"""

from tasks.exports.comparison import (
    Compared,
    compare_corpora,
    comparison_markdown,
    comparison_text,
    table_1,
    table_3,
    told_apart,
)
from tasks.exports.source import Source
from tasks.exports.user_splits import split_users
from tasks.exports.writer import (
    FORMATS,
    ExportInfo,
    export_release,
    find_source,
    publish,
    publish_export,
)

__all__ = [
    "FORMATS",
    "Compared",
    "ExportInfo",
    "Source",
    "compare_corpora",
    "comparison_markdown",
    "comparison_text",
    "export_release",
    "find_source",
    "publish",
    "publish_export",
    "split_users",
    "table_1",
    "table_3",
    "told_apart",
]

"""Exports: a release in the formats of the tools that use it.

In: a release or published folder, never a warehouse. Out: files for chat fine-tuning, CRSLab,
RecBole, Hugging Face datasets or plain tables, and comparisons of corpora. Start with
`export_release` in `writer`.
"""

from tasks.exports.comparison import (
    Compared,
    compare_corpora,
    comparison_markdown,
    comparison_text,
    distinct_names,
    table_1,
    table_3,
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
    "distinct_names",
]

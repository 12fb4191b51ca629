"""Exports: a release in the formats of the tools that use it. Reads releases only, never a warehouse."""

from tasks.exports.comparing import Compared, compare_corpora, comparison_markdown, comparison_text, table_1, table_3, told_apart
from tasks.exports.publishing import publish, publish_export
from tasks.exports.splitting import split_users
from tasks.exports.values import Source
from tasks.exports.writing import FORMATS, ExportInfo, export_release, find_source

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

"""Ingest: review and metadata files become `raw_reviews`, `rejected_rows` and `items` (section 2.1)."""

from tasks.ingest.column_names import source_columns
from tasks.ingest.compression import packing
from tasks.ingest.defects import BadLines, RejectedLines, read_rejected
from tasks.ingest.download import fetch
from tasks.ingest.stage import IngestCounts, ingest, keep_refused, source_names

__all__ = [
    "BadLines",
    "IngestCounts",
    "RejectedLines",
    "fetch",
    "ingest",
    "keep_refused",
    "packing",
    "read_rejected",
    "source_columns",
    "source_names",
]

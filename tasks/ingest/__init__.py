"""Ingest: review and metadata files become `raw_reviews`, `rejected_rows` and `items` (section 2.1)."""

from tasks.ingest.fetch import fetch
from tasks.ingest.stage import IngestCounts, ingest, source_names
from tasks.ingest.streaming import integers, sql_function, strings
from tasks.ingest.unpacking import packing

__all__ = ["IngestCounts", "fetch", "ingest", "integers", "packing", "source_names", "sql_function", "strings"]

"""Ingest: review and metadata files become `raw_reviews`, `rejected_rows` and `items` (section 2.1)."""

from tasks.ingest.fetch import fetch
from tasks.ingest.stage import IngestCounts, ingest, source_names
from tasks.ingest.titles import clean_title
from tasks.ingest.unpacking import packing

__all__ = ["IngestCounts", "clean_title", "fetch", "ingest", "packing", "source_names"]

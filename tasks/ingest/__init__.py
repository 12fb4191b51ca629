"""Ingest (section 2.1): source files in, `raw_reviews`, `rejected_rows` and `items` out.

`stage.ingest` is the stage; it reads each file through `loader`, which picks a reader in `formats`
and decides per line whether it is usable. `defects` names the kinds of lines that are not used,
`download.fetch` gets files that have an address.
"""

from tasks.ingest.column_names import source_columns
from tasks.ingest.compression import detect_compression
from tasks.ingest.defects import RejectedLines, TooManyBadLines, read_rejected
from tasks.ingest.download import fetch
from tasks.ingest.stage import IngestCounts, ingest, source_names, store_rejected_lines

__all__ = [
    "TooManyBadLines",
    "IngestCounts",
    "RejectedLines",
    "fetch",
    "ingest",
    "store_rejected_lines",
    "detect_compression",
    "read_rejected",
    "source_columns",
    "source_names",
]

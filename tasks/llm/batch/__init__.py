"""Batch mode: requests go to the provider's batch API and come back hours later.

Calls go in, answers come out, as with the layers of live mode (`tasks.llm.layers`). Start reading
at `BatchQueue` (queue.py), which gathers calls into batches and hands out their answers;
transfer.py sends and collects a batch so that no kill loses it; client.py speaks to the provider.
"""

from tasks.llm.batch.client import BatchClient, BatchStatus, read_result
from tasks.llm.batch.queue import BatchQueue
from tasks.llm.batch.transfer import BatchState, BatchTransfer, Member, label_of

__all__ = [
    "BatchClient",
    "BatchQueue",
    "BatchState",
    "BatchStatus",
    "BatchTransfer",
    "Member",
    "label_of",
    "read_result",
]

"""Room: generate. Briefs become transcripts, chunk by chunk.

Briefs and a rollout go in as a `Work`, rows of `responses` and `transcripts` come out. Start at
driver.py (`generate_transcripts`), which hands chunks to a `ChunkExecutor`: this process
(executor.py), worker processes (worker_pool.py), or a cluster through `ChunkJob` (chunk.py).
estimate.py forecasts tokens, dollars and hours by a dry run without a model.
"""

from tasks.generate.cascade import (
    OrderCost,
    Outcome,
    candidate_orders,
    cheapest,
    keep_answers,
    order_cost,
    outcomes,
)
from tasks.generate.chunk import Chunk, ChunkJob, ChunkResult, generate_chunk, make_job, run_chunk
from tasks.generate.chunk_results import save_chunk, spent
from tasks.generate.driver import generate_transcripts
from tasks.generate.estimate import Plan, plan_work, variants
from tasks.generate.executor import ChunkExecutor, InProcessExecutor, parts
from tasks.generate.first_answers import first_unpaid
from tasks.generate.rollouts import Dual, Rollout, Single
from tasks.generate.work import GenerateCounts, Progress, Work
from tasks.generate.worker_pool import WorkerPoolExecutor, share

__all__ = [
    "Chunk",
    "ChunkJob",
    "ChunkResult",
    "ChunkExecutor",
    "Dual",
    "GenerateCounts",
    "InProcessExecutor",
    "OrderCost",
    "Outcome",
    "Plan",
    "Progress",
    "Rollout",
    "Single",
    "Work",
    "WorkerPoolExecutor",
    "first_unpaid",
    "candidate_orders",
    "cheapest",
    "generate_chunk",
    "generate_transcripts",
    "keep_answers",
    "make_job",
    "order_cost",
    "outcomes",
    "parts",
    "plan_work",
    "run_chunk",
    "save_chunk",
    "share",
    "spent",
    "variants",
]

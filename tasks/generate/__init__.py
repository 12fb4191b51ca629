"""Room: generate. Briefs become transcripts, chunk by chunk."""

from tasks.generate.chunk import Chunk, ChunkResult, run_chunk
from tasks.generate.chunk_results import save_chunk, spent
from tasks.generate.driver import GenerateCounts, Progress, Work, generate_transcripts
from tasks.generate.estimate import Estimate, Plan, plan_work, variants
from tasks.generate.executor import ChunkExecutor, InProcessExecutor
from tasks.generate.remote_chunk import ChunkJob, generate_chunk, make_job
from tasks.generate.rollouts import Dual, Rollout, Single
from tasks.generate.worker_pool import WorkerPoolExecutor, share

__all__ = [
    "Chunk",
    "ChunkJob",
    "ChunkResult",
    "ChunkExecutor",
    "Dual",
    "Estimate",
    "GenerateCounts",
    "InProcessExecutor",
    "Plan",
    "Progress",
    "Rollout",
    "Single",
    "Work",
    "WorkerPoolExecutor",
    "generate_chunk",
    "generate_transcripts",
    "make_job",
    "plan_work",
    "run_chunk",
    "save_chunk",
    "share",
    "spent",
    "variants",
]

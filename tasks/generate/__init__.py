"""Room: generate. Briefs become transcripts, chunk by chunk."""

from tasks.generate.alone import ChunkJob, generate_chunk, make_job
from tasks.generate.chunk import Chunk, ChunkResult, run_chunk
from tasks.generate.crew import Crew, LocalCrew
from tasks.generate.driver import GenerateCounts, Progress, Work, generate_transcripts
from tasks.generate.plan import Estimate, Plan, plan_work, variants
from tasks.generate.rollouts import Dual, Rollout, Single
from tasks.generate.saving import save_chunk, spent
from tasks.generate.workers import WorkerCrew, share

__all__ = [
    "Chunk",
    "ChunkJob",
    "ChunkResult",
    "Crew",
    "Dual",
    "Estimate",
    "GenerateCounts",
    "LocalCrew",
    "Plan",
    "Progress",
    "Rollout",
    "Single",
    "Work",
    "WorkerCrew",
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

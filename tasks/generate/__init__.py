"""Room: generate. Briefs become transcripts, chunk by chunk."""

from tasks.generate.chunk import Chunk, ChunkResult, run_chunk
from tasks.generate.crew import Crew, LocalCrew
from tasks.generate.driver import GenerateCounts, Progress, Work, generate_transcripts
from tasks.generate.rollouts import Dual, Rollout, Single
from tasks.generate.workers import WorkerCrew

__all__ = [
    "Chunk",
    "ChunkResult",
    "Crew",
    "Dual",
    "GenerateCounts",
    "LocalCrew",
    "Progress",
    "Rollout",
    "Single",
    "Work",
    "WorkerCrew",
    "generate_transcripts",
    "run_chunk",
]

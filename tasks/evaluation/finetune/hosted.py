"""Fine-tuning at a provider, through litellm.

A job is paid for once: a job that was started is recorded and continued.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from tasks.errors import UserError
from tasks.evaluation.finetune.examples import Example, chat_lines
from tasks.files import write_atomically
from tasks.fingerprint import content_id
from tasks.llm import load_litellm

PROVIDERS = ("openai", "azure", "vertex_ai")  # those litellm's fine-tuning API reaches
_OVER = {"succeeded", "failed", "cancelled"}


@dataclass(frozen=True)
class HostedJob:
    """A fine-tuning job and its state.

    `fine_tuned_model` is the model string to evaluate, once it succeeded.
    """

    key: str
    provider: str
    base_model: str
    file_id: str = ""
    job_id: str = ""
    status: str = "new"
    fine_tuned_model: str | None = None


async def fine_tune_hosted(
    model: str,
    examples: Sequence[Example],
    folder: Path,
    *,
    epochs: int = 3,
    seed: int = 0,
    api_base: str | None = None,
    poll_s: float = 30.0,
) -> HostedJob:
    """Fine-tune a hosted model on examples and wait until the job is over.

    Args:
        model: litellm model string of the base, such as "openai/gpt-4o-mini-2024-07-18".
        examples: what to teach.
        folder: where jobs are written down, by a hash of model, examples, epochs and seed; a second
            call goes on with the first's job.
        epochs: passes over the examples.
        seed: the provider's training seed.
        api_base: another endpoint than the provider's own.
        poll_s: seconds between two looks at the job.

    Raises:
        UserError: the provider has no fine-tuning here, refuses the job, or cannot be reached; or
            the job failed.
    """
    provider, _, base = model.partition("/")
    if provider not in PROVIDERS or not base:
        raise UserError(
            f"{model!r} cannot be fine-tuned through litellm: its providers for that are "
            f"{', '.join(PROVIDERS)}"
        )
    if not examples:
        raise UserError("there is no training sample to fine-tune on")
    content = chat_lines(examples)
    job = _read(
        folder,
        HostedJob(
            content_id([model, hashlib.sha256(content).hexdigest(), epochs, seed, api_base]),
            provider,
            base,
        ),
    )
    jobs = _HostedJobs(provider, api_base)
    if not job.file_id:
        job = _write(folder, replace(job, file_id=await jobs.upload(content)))
    if not job.job_id:
        remote = await jobs.started(job.file_id)
        remote = remote or await jobs.start(base, job.file_id, epochs, seed)
        job = _write(folder, replace(job, job_id=remote.id, status=remote.status))
    return await _wait(jobs, folder, job, poll_s)


async def _wait(jobs: _HostedJobs, folder: Path, job: HostedJob, poll_s: float) -> HostedJob:
    while job.status not in _OVER:
        remote = await jobs.state(job.job_id)
        tuned = f"{job.provider}/{remote.fine_tuned_model}" if remote.fine_tuned_model else None
        job = _write(folder, replace(job, status=remote.status, fine_tuned_model=tuned))
        if job.status not in _OVER:
            await asyncio.sleep(poll_s)
    if job.status != "succeeded":
        raise UserError(
            f"the fine-tuning job {job.job_id} ended as {job.status!r}; remove "
            f"{_place(folder, job.key)} to begin another"
        )
    return job


class _HostedJobs:
    """litellm's fine-tuning calls for one provider; any error there becomes one clear line."""

    def __init__(self, provider: str, api_base: str | None) -> None:
        self._litellm = load_litellm()
        self._named: dict[str, Any] = {"custom_llm_provider": provider} | (
            {"api_base": api_base} if api_base else {}
        )
        if provider == "openai" and not os.environ.get("OPENAI_API_KEY"):
            raise UserError("fine-tuning at openai needs OPENAI_API_KEY in the environment")

    async def upload(self, content: bytes) -> str:
        """Upload a training file and return its id."""
        file = await self._call("acreate_file", file=("train.jsonl", content), purpose="fine-tune")
        return str(file.id)

    async def start(self, base: str, file_id: str, epochs: int, seed: int) -> Any:
        """Begin a job: from here on it costs money."""
        wanted = {
            "model": base,
            "training_file": file_id,
            "hyperparameters": {"n_epochs": epochs},
            "seed": seed,
        }
        return await self._call("acreate_fine_tuning_job", **wanted)

    async def started(self, file_id: str) -> Any | None:
        """Return a job already started on a file: one whose answer never reached us."""
        jobs = await self._call("alist_fine_tuning_jobs", limit=100)
        return next((job for job in jobs.data if job.training_file == file_id), None)

    async def state(self, job_id: str) -> Any:
        """Return the present state of a job."""
        return await self._call("aretrieve_fine_tuning_job", fine_tuning_job_id=job_id)

    async def _call(self, name: str, **wanted: Any) -> Any:
        import openai

        try:
            return await getattr(self._litellm, name)(**wanted, **self._named)
        except openai.OpenAIError as error:
            raise UserError(
                f"fine-tuning at {self._named['custom_llm_provider']} failed: "
                f"{type(error).__name__}"
            ) from None


def _place(folder: Path, key: str) -> Path:
    return folder / f"{key}.json"


def _read(folder: Path, new: HostedJob) -> HostedJob:
    try:
        return HostedJob(**json.loads(_place(folder, new.key).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return new
    except (ValueError, TypeError):
        raise UserError(
            f"{_place(folder, new.key)} is not the record of a fine-tuning job"
        ) from None


def _write(folder: Path, job: HostedJob) -> HostedJob:
    write_atomically(_place(folder, job.key), json.dumps(asdict(job), indent=1))
    return job

"""What a run needs before it starts: its settings read, its inputs checked, its domain held.

All of it happens once. A command does it before it starts a server, so that a mistake shows at
once, and the flow that it runs takes over what the command holds; a flow that a worker runs does it
itself.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from flows.dask_address import check_cluster
from flows.lineage_sender import check_client
from flows.options import BuildOptions
from flows.server.endpoints import check_domain_endpoint, check_scheduler
from flows.specifications import Specifications, load_specifications
from tasks.errors import UserError
from tasks.ingest import detect_compression
from tasks.judge import each_judge
from tasks.llm import OFFLINE, check_model, find_price, litellm_for, require_price
from tasks.machine import check_build_memory
from tasks.mock_model import check_mock_language
from tasks.release import check_pseudonym_key
from tasks.settings import MOCK_MODEL, Domain, Home
from tasks.warehouse import WarehouseHeld, check_warehouse, domain_lock

Check = Callable[[Home, Domain, BuildOptions], None]


@dataclass(frozen=True)
class Job:
    """What a run is to do, and what it was given to do it with."""

    home: Home
    domain: str
    options: BuildOptions
    specifications: Specifications


_HELD: ContextVar[Job | None] = ContextVar("redial_job", default=None)


def read_job(home: Home, domain: str, options: BuildOptions) -> Job:
    """Return a job with its settings read and checked, or the one that is held if it is the same.

    Raises UserError.
    """
    held = _HELD.get()
    if held and (held.home, held.domain, held.options) == (home, domain, options):
        return held
    return Job(home, domain, options, load_specifications(home, domain, options.over()))


@contextmanager
def held_job(job: Job, check: Check) -> Iterator[None]:
    """Within the block, hold the domain of a job for this process.

    What the job needs is checked first. Nothing is done in a block for a job that is held.

    Raises:
        UserError: a check failed, or another process holds the domain.
    """
    if _HELD.get() is job:
        yield
        return
    check(job.home, job.specifications.domain, job.options)
    with domain_lock(job.home, job.domain):
        token = _HELD.set(job)
        try:
            yield
        finally:
            _HELD.reset(token)


def check_build(home: Home, domain: Domain, options: BuildOptions) -> None:
    """Raise UserError for the first thing that would stop a build.

    That is memory, sources, warehouse, data folder, endpoints, cluster, model or keys.
    """
    check_build_memory(domain.machine.memory)
    check_inputs(home, domain, options)
    check_domain_endpoint(domain)
    check_scheduler(options.dask)
    if options.dask:
        check_cluster(options.dask)
    check_client(domain.lineage.to)
    _check_model(domain)
    if options.pseudonymise:
        check_pseudonym_key(home, domain.name)


def check_inputs(home: Home, domain: Domain, options: BuildOptions) -> None:
    """Raise UserError for the first thing that would stop a build before a model is asked."""
    check_sources(domain)
    with suppress(WarehouseHeld):  # the domain's lock says better who holds it
        check_warehouse(home.warehouse(domain.name))
    _check_writable(home.data)


def check_sources(domain: Domain) -> None:
    """Raise UserError when a source file is missing, empty, not readable or of an unknown kind."""
    for source in (*domain.sources.reviews, *domain.sources.metadata):
        path = Path(source.path)
        if not path.exists():
            fetch = f"; `redial fetch {domain.name}` downloads it" if source.url else ""
            pattern = (
                "; a pattern stands for no files here, list each"
                if set(path.name) & set("*?[") and not fetch
                else ""
            )
            raise UserError(f"there is no source file {path}{fetch}{pattern}")
        if not path.is_file():
            raise UserError(f"the source {path} is not a file: list the files themselves")
        if not path.stat().st_size:
            raise UserError(f"the source file {path} is empty")
        if not os.access(path, os.R_OK):
            raise UserError(f"the source file {path} cannot be read: permission denied")
        detect_compression(path)


def _check_model(domain: Domain) -> None:
    judges = each_judge(domain)
    for settings in (*domain.generate.each_model(), *judges):
        if settings.model.startswith(OFFLINE):
            if settings.model != MOCK_MODEL:
                raise UserError(
                    f"unknown model {settings.model!r}: the mock model is called {MOCK_MODEL}"
                )
            check_mock_language(domain.language)
            continue
        check_model(litellm_for(settings), settings)
        # The first model's price is required with its first request; a later one's would be
        # missed only after the first was paid.
        if domain.generate.models or judges:
            price = find_price(settings, batch=settings.mode == "batch")
            require_price(settings, price, settings.limits.budget_usd)


def _check_writable(folder: Path) -> None:
    """Raise UserError when the data folder cannot be made or written."""
    probe = folder / f".probe-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise UserError(f"the data folder {folder} cannot be written: {error.strerror}") from None

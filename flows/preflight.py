"""Looks for what would make a run fail, before anything is started or written."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from flows.dask_address import check_cluster
from flows.lineage_sender import check_client
from flows.options import BuildOptions
from flows.server.endpoints import check_domain_endpoint, check_scheduler
from tasks.errors import UserError
from tasks.ingest import detect_compression
from tasks.llm import check_model, load_litellm
from tasks.prompts import load_profile
from tasks.quality import load_rules
from tasks.release import check_pseudonym_key
from tasks.settings import Domain, Home
from tasks.templates import load_templates
from tasks.warehouse import WarehouseHeld, check_warehouse

MOCK_MODEL = "offline/writer"


def check_build(home: Home, domain: Domain, options: BuildOptions) -> None:
    """Raise UserError for the first thing that would stop a build: sources, warehouse, templates, profile, suites, model, keys, folder."""
    check_inputs(home, domain)
    check_domain_endpoint(domain)
    check_scheduler(options.dask)
    if options.dask:
        check_cluster(options.dask)
    check_client(domain.lineage.to)
    _check_model(domain)
    if options.pseudonymise:
        check_pseudonym_key(home, domain.name)


def check_inputs(home: Home, domain: Domain) -> None:
    """Raise UserError for the first thing that would stop a build before a model is asked."""
    check_sources(domain)
    with suppress(WarehouseHeld):  # the domain's lock says better who holds it
        check_warehouse(home.warehouse(domain.name))
    load_templates(home, domain.briefs.templates)
    load_profile(home, domain.generate.profile)
    load_rules(home, domain)
    _check_writable(home.data)


def check_sources(domain: Domain) -> None:
    """Raise UserError when a source file is missing, no file, empty, not readable, or of a kind that is not read here."""
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
    model = domain.generate.model
    if model.startswith("offline/"):
        if model != MOCK_MODEL:
            raise UserError(f"unknown model {model!r}: the mock model is called {MOCK_MODEL}")
        return
    check_model(load_litellm(), domain.generate)


def _check_writable(folder: Path) -> None:
    """Raise UserError when the data folder cannot be made or written."""
    probe = folder / f".probe-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise UserError(f"the data folder {folder} cannot be written: {error.strerror}") from None

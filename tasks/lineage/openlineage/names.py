"""Names and ids in events.

A name is the same in every run; an id is derived from the id in our own record of a run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, UUID, uuid5

from tasks.settings import Domain
from tasks.settings import Source as SourceSetting

Kind = Literal["reviews", "metadata"]


@dataclass(frozen=True)
class Source:
    """One source file, named as OpenLineage names files.

    The name is that of the store it is published in, else its place on this machine.
    """

    namespace: str
    name: str
    sha256: str
    kind: Kind


def run_uuid(run_id: str) -> str:
    """Return the UUID of a run: its id if that is one, as Prefect's are, else one made of it."""
    try:
        return str(UUID(run_id))
    except ValueError:
        return str(uuid5(NAMESPACE_URL, f"urn:llm-redial:run:{run_id}"))


def stage_uuid(run_id: str, stage: str, time: int = 1) -> str:
    """Return the UUID of a stage within a run.

    `time` counts how often the stage has begun in it.
    """
    return str(uuid5(UUID(run_uuid(run_id)), f"{stage}#{time}"))


def build_sources(domain: Domain, hashes: Mapping[str, str]) -> tuple[Source, ...]:
    """Return a domain's source files.

    Args:
        domain: the files are of this one.
        hashes: SHA-256 of each, review files first, each in the domain's order.
    """
    kinds: tuple[tuple[Kind, tuple[SourceSetting, ...]], ...]
    kinds = (("reviews", domain.sources.reviews), ("metadata", domain.sources.metadata))
    listed = [(kind, source) for kind, sources in kinds for source in sources]
    return tuple(
        _source(kind, source, digest)
        for (kind, source), digest in zip(listed, hashes.values(), strict=True)
    )


def _source(kind: Kind, source: SourceSetting, digest: str) -> Source:
    """Name a source; of its address neither login nor query is kept, which may be secret."""
    if source.url is None:
        return Source("file", str(Path(source.path).absolute()), digest, kind)
    parts = urlsplit(source.url)
    port = f":{parts.port}" if parts.port else ""
    return Source(
        f"{parts.scheme}://{parts.hostname or ''}{port}",
        parts.path.lstrip("/") or "/",
        digest,
        kind,
    )

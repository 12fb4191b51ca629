"""What stages depend on that is not a setting or a file of the project as it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from flows.stages import Context
from tasks.fingerprint import PACE, file_hash
from tasks.ingest import source_names
from tasks.judge import each_judge
from tasks.llm import MOCK_MODEL_MODULE, OFFLINE, endpoint, form_of, mock_model_tables
from tasks.quality import compare_by_sense
from tasks.settings import Domain, Generate


def source_hashes(domain: Domain) -> dict[str, str]:
    """Return each source file's SHA-256 by name.

    Files of one name are told apart by their place in the domain file.
    """
    sources = (*domain.sources.reviews, *domain.sources.metadata)
    paths = [Path(source.path) for source in sources]
    names = [path.name for path in paths]
    hashes = [
        name if names.count(name) == 1 else f"{name} ({number})"
        for number, name in enumerate(names, 1)
    ]
    return {name: file_hash(path) for name, path in zip(hashes, paths, strict=True)}


def sources_as_read(context: Context) -> dict[str, Any]:
    """Return how the source files are read, in order, by their names in the tables."""
    sources = context.domain.sources
    form = sources.model_dump(mode="json", exclude={"reviews", "metadata"})
    # Where a file is and how it got there; its content counts by hash.
    elsewhere = {"path", "url", "bytes"}

    def listed(kind: str, names: list[str]) -> list[dict[str, Any]]:
        return [
            {"name": name, **source.model_dump(mode="json", exclude=elsewhere)}
            for source, name in zip(getattr(sources, kind), names, strict=True)
        ]

    reviews, metadata = source_names(sources)
    read = {"reviews": listed("reviews", reviews), "metadata": listed("metadata", metadata)}
    return {"sources": {**form, **read}}


def tombstone_files(context: Context) -> dict[str, str]:
    """Return a hash of who was erased; nothing where nobody was."""
    return {"erased": context.erased.digest()} if context.erased else {}


def asked_with(context: Context) -> dict[str, Any]:
    """Return the settings of `generate` that requests and transcripts depend on.

    The endpoint is the one really asked, whether a setting or a variable such as OPENAI_API_BASE
    names it, as in the request key.
    """
    structured = context.specifications.profile.structured_output
    models = context.domain.generate.each_model()
    first, *others = (_asked_of(context, one, structured=structured) for one in models)
    return {"generate": first | ({"escalates_to": others} if others else {})}


def _asked_of(context: Context, settings: Generate, *, structured: bool) -> dict[str, Any]:
    """Return what requests to one model depend on; `structured` if they have a schema."""
    offline = settings.model.startswith(OFFLINE)
    paid = {*PACE, "max_attempts", "models", *(() if offline else ("misbehave",))}
    return {
        **settings.model_dump(mode="json", exclude=paid),
        "api_base": endpoint(settings),
        "structured_output": form_of(settings) if structured else "off",
    }


def judged_with(context: Context) -> dict[str, Any]:
    """Return the settings that verdicts of the gate's judges depend on."""
    asked = [_asked_of(context, one, structured=True) for one in each_judge(context.domain)]
    return {"quality": {"judge": {"share": context.domain.quality.judge.share, "asked": asked}}}


def sensed_with(context: Context) -> dict[str, Any]:
    """Return the version of what embeds sentences, where a rule of the gate compares by sense.

    It is an extra, and a release is the same with and without it where nothing asks for it.
    """
    if not compare_by_sense(context.specifications.suites):
        return {}
    return {"semantic": {"onnxruntime": version("onnxruntime")}}


def _is_offline(models: Iterable[Generate]) -> bool:
    return any(settings.model.startswith(OFFLINE) for settings in models)


def model_modules(context: Context) -> tuple[str, ...]:
    """Return the modules of the mock model, where it is the model."""
    return (MOCK_MODEL_MODULE,) if _is_offline(context.domain.generate.each_model()) else ()


def model_files(context: Context) -> Mapping[str, str]:
    """Return the hash of each phrase table of the mock model, where it is the model."""
    return mock_model_tables() if _is_offline(context.domain.generate.each_model()) else {}


def judge_modules(context: Context) -> tuple[str, ...]:
    """Return the modules of the mock model, where it is a judge."""
    return (MOCK_MODEL_MODULE,) if _is_offline(each_judge(context.domain)) else ()


def judge_files(context: Context) -> Mapping[str, str]:
    """Return the hash of each phrase table of the mock model, where it is a judge."""
    return mock_model_tables() if _is_offline(each_judge(context.domain)) else {}

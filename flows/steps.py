"""The stages of a build: for each, what it writes, what it is made from, and which function does it.

What a stage is made from is named here by function: its code is whatever these functions reach
(`tasks.code_identity`). Settings and data files are named as the functions read them;
tests/flows/test_stage_inputs.py runs every stage and watches what it really runs, reads and opens.

| stage        | data files                                                                                           |
|--------------|------------------------------------------------------------------------------------------------------|
| `briefs`     | goals, grammar, the template set                                                                     |
| `generate-1` | goals, the prompt profile; the mock model's tables where it is the model                             |
| `generate-N` | those, and the suites and facts, whose sentences a repair quotes                                     |
| `quality-N`  | the files of expectations/                                                                           |
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from flows.options import BuildOptions
from flows.stages import Context, Stage
from tasks.briefs import ReadAhead, plan_briefs
from tasks.code_identity import entry_modules, project_code
from tasks.dialogues import parse_transcripts
from tasks.fingerprint import PACE, file_hash
from tasks.generate import Dual, Single, Work
from tasks.goals import load_goals
from tasks.ingest import ingest, source_names, store_rejected_lines
from tasks.lineage import note_release
from tasks.llm import MOCK_MODEL, MOCK_MODEL_TABLES, OFFLINE, endpoint, make_request, takes_schema
from tasks.preprocess import preprocess
from tasks.prompts import load_profile, render
from tasks.quality import (
    PublishedRefused,
    has_passed_published_gate,
    judge,
    load_suites,
    set_verdicts,
    store_gate,
    validate_published,
)
from tasks.release import ReleaseInfo, pseudonym_key, write_release
from tasks.repair import RepairRollout, accepted_of, load_repairs
from tasks.runs import config_hash, origin_of_release
from tasks.settings import Domain, Home, Sources
from tasks.stage_inputs import StageInputs, made_by
from tasks.templates import load_templates
from tasks.warehouse import Connection, open_warehouse

GOALS = "goal_specs/goals.yaml"


def source_hashes(context: Context) -> dict[str, str]:
    """Return each source file's SHA-256 by name; files of one name are told apart by their place in the domain file."""
    paths = [
        Path(source.path)
        for source in (*context.domain.sources.reviews, *context.domain.sources.metadata)
    ]
    names = [path.name for path in paths]
    told = [
        name if names.count(name) == 1 else f"{name} ({number})"
        for number, name in enumerate(names, 1)
    ]
    return {name: file_hash(path) for name, path in zip(told, paths, strict=True)}


def ingesting(context: Context, sources: Mapping[str, str]) -> Stage:
    """Return the stage that reads the source files (2.1)."""
    domain = context.domain
    form = domain.sources.model_dump(mode="json", exclude={"reviews", "metadata"})
    reviews, metadata = _as_read(domain.sources)
    settings = {
        "sources": {**form, "reviews": reviews, "metadata": metadata},
        **_settings(domain, "untitled", "merge_editions", "max_bad_share"),
    }
    inputs = _inputs(context, [ingest], settings, sources=sources)
    writes = ("raw_reviews", "rejected_rows", "items")
    return Stage("ingest", writes, inputs, partial(ingest, domain=domain), store_rejected_lines)


def _as_read(sources: Sources) -> list[list[dict[str, Any]]]:
    """Return how review and metadata files are read, in order: by the name they have in the tables, not by where they lie."""
    kinds = zip((sources.reviews, sources.metadata), source_names(sources), strict=True)
    # Where a file is and how it got there; its content counts by hash.
    elsewhere = {
        "path",
        "url",
        "bytes",
    }
    return [
        [
            {"name": name, **source.model_dump(mode="json", exclude=elsewhere)}
            for source, name in zip(listed, names, strict=True)
        ]
        for listed, names in kinds
    ]


def preprocessing(context: Context) -> Stage:
    """Return the stage that cuts reviews and preferences (2.3, App. B)."""
    domain = context.domain
    settings = {
        "sources": {"reviews": source_names(domain.sources)[0]},
        **_settings(domain, "preprocess"),
    }
    inputs = _inputs(context, [preprocess, source_names], settings)
    return Stage(
        "preprocess", ("preferences", "reviews"), inputs, partial(preprocess, domain=domain)
    )


def planning(context: Context) -> Stage:
    """Return the stage that plans one dialogue per MIGHT_LIKES item (2.5.1)."""
    domain = context.domain
    templates = load_templates(context.home, domain.briefs.templates)
    settings = {
        **_settings(domain, "name", "briefs", "seed", "noun", "verb", "language"),
        "preprocess": domain.preprocess.model_dump(
            mode="json", include={"like_min", "min_item_interactions"}
        ),
    }
    files = (
        GOALS,
        "goal_specs/grammar.yaml",
        f"goal_specs/templates/{domain.briefs.templates}.yaml",
    )
    inputs = _inputs(context, [plan_briefs, load_templates], settings, files)
    writes = ("briefs", "brief_items", "template_turns", "template_slots", "unplanned")
    return Stage(
        "briefs", writes, inputs, partial(plan_briefs, domain=domain, templates=templates.templates)
    )


def generating(context: Context, attempt: int) -> Stage:
    """Return the stage that asks the model; it is carried out chunk by chunk in flows/generation.py.

    Its code is what shapes requests and makes transcripts of answers. What carries requests to the
    model (limits, journal, store, batches, workers) is none of it: an answer once paid for is
    looked up by all that was asked, so that code cannot change it.
    """
    domain = context.domain
    repairs = [RepairRollout, load_repairs, load_suites] if attempt > 1 else [render, Single, Dual]
    reached = [*repairs, ReadAhead, make_request, load_profile, load_goals]
    files = [
        GOALS,
        f"goal_specs/prompts/{domain.generate.profile}.yaml",
        *(_suite_files(domain) if attempt > 1 else ()),
    ]
    modules = entry_modules(reached)
    if domain.generate.model.startswith(OFFLINE):
        modules, files = (*modules, MOCK_MODEL), [*files, MOCK_MODEL_TABLES]
    inputs = made_by(
        project_code().reached(*modules),
        _asked_with(context, attempt),
        files,
        context.home.project,
        {},
    )
    writes = (f"(SELECT * EXCLUDE (run_id) FROM transcripts WHERE attempt = {attempt:d})",)
    return Stage(f"generate-{attempt}", writes, inputs, _carried_out_elsewhere)


def _asked_with(context: Context, attempt: int) -> dict[str, Any]:
    """Return the settings that requests and transcripts of an attempt depend on.

    The endpoint is the one really asked, whether a setting or a variable such as OPENAI_API_BASE
    names it, as in the request key.
    """
    domain = context.domain
    offline = domain.generate.model.startswith(OFFLINE)
    generate = domain.generate.model_dump(
        mode="json", exclude={*PACE, "max_attempts", *(() if offline else ("misbehave",))}
    )
    structured = load_profile(context.home, domain.generate.profile).structured_output
    asked = {
        **generate,
        "api_base": endpoint(domain.generate),
        "takes_schema": structured and takes_schema(domain.generate.model),
    }
    return {
        "generate": asked,
        **_settings(
            domain, "name", "noun", "verb", "language", *(["quality"] if attempt > 1 else [])
        ),
    }


def _suite_files(domain: Domain) -> tuple[str, ...]:
    return (
        "expectations/facts.yaml",
        *(f"expectations/{name}.yaml" for name in domain.quality.suites),
    )


def _settings(domain: Domain, *names: str) -> dict[str, Any]:
    """Return some settings of a domain, sections whole."""
    return domain.model_dump(mode="json", include=set(names))


def _inputs(
    context: Context,
    functions: Sequence[object],
    settings: Mapping[str, Any],
    files: Sequence[str] = (),
    sources: Mapping[str, str] | None = None,
) -> StageInputs:
    reached = project_code().reached(*entry_modules(functions))
    return made_by(reached, settings, files, context.home.project, sources or {})


def _carried_out_elsewhere(con: Connection) -> None:
    raise NotImplementedError("the generate stage runs as chunks, see flows/generation.py")


def work(con: Connection, context: Context, attempt: int, ids: Sequence[str]) -> Work:
    """Return what is to be asked in one attempt: dialogues the first time, repairs after that."""
    domain = context.domain
    profile = load_profile(context.home, domain.generate.profile)
    goals = load_goals(context.home).worded(domain.noun, domain.verb)
    read = ReadAhead(con, domain).fetch
    if attempt == 1:
        dual = domain.generate.rollout == "dual"
        rollout = (
            Dual(profile, goals, attempt)
            if dual
            else Single(partial(render, profile, goals), attempt)
        )
        return Work(ids, read, rollout, profile.name, domain.name)
    told = rule_sentences(context.home, domain)
    return Work(
        ids,
        lambda some: load_repairs(con, read(some), attempt, told),
        RepairRollout(profile, goals, attempt),
        profile.name,
        domain.name,
    )


def rule_sentences(home: Home, domain: Domain) -> dict[str, str]:
    """Return what each rule of a domain's suites says, by name."""
    suites = load_suites(home, domain.quality.suites, domain.quality.severities)
    return {rule.rule: rule.says for suite in suites for rule in suite.rules}


def parsing(context: Context, attempt: int) -> Stage:
    """Return the stage that reads one attempt's answers into dialogues and utterances."""
    domain = context.domain
    settings = {"generate": {"profile": domain.generate.profile}}
    inputs = _inputs(context, [parse_transcripts], settings)
    writes = (
        f"(SELECT * FROM dialogues WHERE attempt = {attempt:d})",
        f"(SELECT * FROM utterances WHERE attempt = {attempt:d})",
    )
    return Stage(
        f"dialogues-{attempt}",
        writes,
        inputs,
        partial(parse_transcripts, domain=domain, attempt=attempt),
    )


def judging(context: Context, attempt: int) -> Stage:
    """Return the stage that judges one attempt's dialogues (2.5.2)."""
    home, domain = context.home, context.domain
    files = ("expectations/*.yaml",)
    inputs = _inputs(context, [judge], _settings(domain, "name", "quality", "language"), files)
    tables = ("rejections", "dialogue_facts", "utterance_facts")
    writes = tuple(f"(SELECT * FROM {table} WHERE attempt = {attempt:d})" for table in tables)
    return Stage(
        f"quality-{attempt}",
        writes,
        inputs,
        partial(judge, home=home, domain=domain, attempt=attempt),
    )


def verdicts(context: Context) -> Stage:
    """Return the stage that says how each brief ended."""
    return Stage("verdicts", ("verdicts",), _inputs(context, [set_verdicts], {}), set_verdicts)


def has_accepted(context: Context) -> bool:
    """Tell whether there is any dialogue to release."""
    with open_warehouse(context.home.warehouse(context.domain.name)) as con:
        return accepted_of(con) > 0


def release(context: Context, options: BuildOptions, sources: Mapping[str, str]) -> ReleaseInfo:
    """Write the release and note it in the warehouse, or confirm the one that stands.

    Raises UserError when it must not go out.
    """
    domain = context.domain
    settings = config_hash(domain)
    writer = _inputs(context, [write_release, validate_published], {})
    key = pseudonym_key(context.home, domain.name) if options.pseudonymise else None
    with open_warehouse(context.home.warehouse(domain.name)) as con:
        origin = origin_of_release(con, writer, sources)
        facts = {
            "title": domain.title or domain.name,
            "noun": domain.noun,
            "model": domain.generate.model,
            "profile": domain.generate.profile,
            "rollout": domain.generate.rollout,
            "seed": domain.seed,
            "suites": domain.quality.suites,
            "config_hash": settings,
            "run_hash": origin.run_hash,
            "code_version": origin.code,
            "mixed": origin.mixed,
            "license": domain.license,
            "language": domain.language,
        }
        try:
            return write_release(
                con,
                context.home,
                domain.name,
                run=facts,
                pseudonymise_key=key,
                validate=partial(validate_published, con, context.home, domain),
                revalidate=not has_passed_published_gate(con),
                note=lambda version: note_release(
                    con, version, context.run_id, settings, origin.code
                ),
            )
        except PublishedRefused as refused:  # its transaction was rolled back; the evidence stays
            store_gate(con, refused.gate)
            raise

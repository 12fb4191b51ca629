"""The stages of a build: for each, what it reads, what it writes and which room does it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import duckdb

from flows.options import BuildOptions
from flows.stages import Context, Stage
from tasks.briefs import ReadAhead, plan_briefs
from tasks.dialogues import parse_transcripts
from tasks.fingerprint import file_hash, fingerprint, folder_hash
from tasks.generate import Dual, Single, Work
from tasks.goals import load_goals
from tasks.ingest import ingest
from tasks.lineage import note_release
from tasks.preprocess import preprocess
from tasks.prompts import load_profile, profile_hash, render
from tasks.quality import has_published_page, judge, load_suites, set_verdicts, validate_published
from tasks.release import ReleaseInfo, pseudonym_key, write_release
from tasks.repair import Mend, accepted_of, load_repairs
from tasks.runs import code_version, config_hash
from tasks.settings import Domain, Home
from tasks.templates import load_templates
from tasks.warehouse import open_warehouse


def source_hashes(context: Context) -> dict[str, str]:
    """Return each source file's SHA-256 by name; files of one name are told apart by their place in the domain file."""
    paths = [Path(source.path) for source in (*context.domain.sources.reviews, *context.domain.sources.metadata)]
    names = [path.name for path in paths]
    told = [name if names.count(name) == 1 else f"{name} ({number})" for number, name in enumerate(names, 1)]
    return {name: file_hash(path) for name, path in zip(told, paths, strict=True)}


def ingesting(context: Context, sources: Mapping[str, str]) -> Stage:
    """Return the stage that reads the source files (2.1)."""
    domain = context.domain
    settings = {
        "files": list(sources.items()),
        "format": domain.sources.format,
        "columns": domain.sources.columns.model_dump() if domain.sources.columns else None,
        "rating_scale": list(domain.sources.rating_scale),
        "untitled": domain.untitled,
        "merge_editions": domain.merge_editions,
        "max_bad_share": domain.max_bad_share,
    }
    return Stage("ingest", ("raw_reviews", "rejected_rows", "items"), ("tasks.ingest",), settings, lambda con: ingest(con, domain))


def preprocessing(context: Context) -> Stage:
    """Return the stage that cuts reviews and preferences (2.3, App. B)."""
    domain = context.domain
    settings = domain.preprocess.model_dump(mode="json")
    return Stage("preprocess", ("preferences", "reviews"), ("tasks.preprocess",), settings, lambda con: preprocess(con, domain))


def planning(context: Context) -> Stage:
    """Return the stage that plans one dialogue per MIGHT_LIKES item (2.5.1)."""
    domain = context.domain
    templates = load_templates(context.home, domain.briefs.templates)
    goals = load_goals(context.home)
    settings = {
        "briefs": domain.briefs.model_dump(mode="json"),
        "seed": domain.seed,
        "words": [domain.noun, domain.verb, domain.language],
        "like_min": domain.preprocess.like_min,
        "least_reviews": domain.preprocess.min_item_interactions,
        "templates": fingerprint([template.template_id for template in templates.templates]),
        "goals": fingerprint([goal.model_dump(mode="json") for goal in goals.sub_goals]),
    }
    rooms = ("tasks.goals", "tasks.templates", "tasks.briefs")
    writes = ("briefs", "brief_items", "template_turns", "template_slots")
    return Stage("briefs", writes, rooms, settings, lambda con: plan_briefs(con, domain, templates.templates))


def generating(context: Context, attempt: int) -> Stage:
    """Return the stage that asks the model; it is carried out chunk by chunk in flows/generation.py."""
    domain = context.domain
    settings = domain.generate.model_dump(mode="json", exclude={"limits", "chunk_size", "workers", "mode", "max_attempts"})
    profile = load_profile(context.home, domain.generate.profile)
    tables = folder_hash(context.home.project / "tasks" / "llm" / "offline" / "tables")
    asked = {**settings, "words": profile_hash(profile), "phrases": tables, "noun": domain.noun, "verb": domain.verb}
    writes = (f"(SELECT * EXCLUDE (run_id) FROM transcripts WHERE attempt = {attempt:d})",)
    return Stage(
        f"generate-{attempt}", writes, ("tasks.prompts", "tasks.generate.rollouts", "tasks.llm.offline"), asked, _carried_out_elsewhere
    )


def _carried_out_elsewhere(con: duckdb.DuckDBPyConnection) -> None:
    raise NotImplementedError("the generate stage runs as chunks, see flows/generation.py")


def work(con: duckdb.DuckDBPyConnection, context: Context, attempt: int, ids: Sequence[str]) -> Work:
    """Return what is to be asked in one attempt: dialogues the first time, repairs after that."""
    domain = context.domain
    profile = load_profile(context.home, domain.generate.profile)
    goals = load_goals(context.home).worded(domain.noun, domain.verb)
    read = ReadAhead(con, domain).fetch
    if attempt == 1:
        dual = domain.generate.rollout == "dual"
        rollout = Dual(profile, goals, attempt) if dual else Single(partial(render, profile, goals), attempt)
        return Work(ids, read, rollout, profile.name)
    told = rule_sentences(context.home, domain)
    return Work(ids, lambda some: load_repairs(con, read(some), attempt, told), Mend(profile, goals, attempt), profile.name)


def rule_sentences(home: Home, domain: Domain) -> dict[str, str]:
    """Return what each rule of a domain's suites says, by name."""
    suites = load_suites(home, domain.quality.suites, domain.quality.severities)
    return {rule.rule: rule.says for suite in suites for rule in suite.rules}


def parsing(context: Context, attempt: int) -> Stage:
    """Return the stage that reads one attempt's answers into dialogues and utterances."""
    domain = context.domain
    writes = (f"(SELECT * FROM dialogues WHERE attempt = {attempt:d})", f"(SELECT * FROM utterances WHERE attempt = {attempt:d})")
    return Stage(f"dialogues-{attempt}", writes, ("tasks.dialogues",), {}, lambda con: parse_transcripts(con, domain, attempt))


def judging(context: Context, attempt: int) -> Stage:
    """Return the stage that judges one attempt's dialogues (2.5.2)."""
    home, domain = context.home, context.domain
    settings = {"quality": domain.quality.model_dump(mode="json"), "suites": folder_hash(home.project / "expectations")}
    writes = (f"(SELECT * FROM rejections WHERE attempt = {attempt:d})", f"(SELECT * FROM dialogue_facts WHERE attempt = {attempt:d})")
    return Stage(f"quality-{attempt}", writes, ("tasks.quality",), settings, lambda con: judge(con, home, domain, attempt))


def verdicts(context: Context) -> Stage:
    """Return the stage that says how each brief ended."""
    return Stage("verdicts", ("verdicts",), ("tasks.quality",), {}, set_verdicts)


def has_accepted(context: Context) -> bool:
    """Tell whether there is any dialogue to release."""
    with open_warehouse(context.home.warehouse(context.domain.name)) as con:
        return accepted_of(con) > 0


def release(context: Context, options: BuildOptions, sources: Mapping[str, str]) -> ReleaseInfo:
    """Write the release and note it in the warehouse, or confirm the one that stands. Raises UserError when it must not go out."""
    domain = context.domain
    settings, code = config_hash(domain), code_version()
    facts = {
        "title": domain.title or domain.name,
        "noun": domain.noun,
        "model": domain.generate.model,
        "profile": domain.generate.profile,
        "rollout": domain.generate.rollout,
        "seed": domain.seed,
        "suites": domain.quality.suites,
        "config_hash": settings,
        "run_hash": fingerprint([settings, code, dict(sources)]),
        "code_version": code,
    }
    key = pseudonym_key(context.home, domain.name) if options.pseudonymise else None
    with open_warehouse(context.home.warehouse(domain.name)) as con:
        return write_release(
            con,
            context.home,
            domain.name,
            run=facts,
            pseudonymise_key=key,
            validate=partial(validate_published, con, context.home, domain),
            revalidate=not has_published_page(context.home, domain.name),
            note=lambda version: note_release(con, version, context.run_id, settings, code),
        )

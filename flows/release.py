"""The release of a build: what is accepted is judged once more, as published, and written."""

from __future__ import annotations

from functools import partial

from flows.stages import Context
from tasks.lineage import note_release
from tasks.quality import (
    PublishedRefused,
    Rules,
    has_passed_published_gate,
    store_gate,
    validate_published,
)
from tasks.release import MadeBy, ReleaseInfo, pseudonym_key, write_release
from tasks.runs import config_hash, origin_of_release, portable
from tasks.stage_inputs import StageInputs
from tasks.warehouse import Connection


def release(con: Connection, context: Context, writer: StageInputs) -> ReleaseInfo:
    """Write the release and note it in the warehouse, or confirm the one that is there.

    `writer` is what the stage itself is made from.

    Raises UserError when it must not go out.
    """
    domain, settings = context.domain, config_hash(context.domain)
    rules = Rules(context.specifications.suites, context.specifications.lexicon)
    key = pseudonym_key(context.home, domain.name) if context.options.pseudonymise else None
    origin = origin_of_release(con, writer, context.sources)
    facts = {
        "title": domain.title or domain.name,
        "noun": domain.noun,
        "model": domain.generate.named_models,
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
            validate=partial(validate_published, con, context.home, rules, domain),
            revalidate=not has_passed_published_gate(con),
            made_by=MadeBy(
                portable(domain),
                context.sources,
                context.specifications.contents(),
                origin.libraries,
                origin.code,
            ),
            grown=bool(domain.briefs.grow),
            note=lambda version: note_release(con, version, context.run_id, settings, origin.code),
        )
    except PublishedRefused as refused:  # its transaction was rolled back; the evidence stays
        store_gate(con, refused.gate)
        raise

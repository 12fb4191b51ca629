"""The release of a build: what is accepted is judged once more, as published, and written."""

from __future__ import annotations

from functools import partial

from flows.stages import Context
from tasks.calibration import left_by_judges, left_text, read_calibration
from tasks.lineage import note_release
from tasks.llm import OFFLINE
from tasks.quality import (
    PublishedRefused,
    Rules,
    count_judged,
    has_passed_published_gate,
    spoken_languages,
    store_gate,
    validate_published,
)
from tasks.release import MadeBy, ReleaseInfo, pseudonym_key, write_release
from tasks.repair import accepted_of
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
    languages = spoken_languages(con, rules.lexicon)
    facts = {
        "title": domain.title or domain.name,
        "noun": domain.noun,
        "model": domain.generate.named_models,
        "profile": domain.generate.profile,
        "rollout": domain.generate.rollout,
        "seed": domain.seed,
        "suites": domain.quality.suites,
        **_judged(con, context),
        "left": _left(con),
        "config_hash": settings,
        "run_hash": origin.run_hash,
        "code_version": origin.code,
        "mixed": origin.mixed,
        "license": domain.license,
        "language": languages.main,
        "languages": languages.text(),
        "not_judged": _not_judged(rules),
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


def _judged(con: Connection, context: Context) -> dict[str, str]:
    """Return what the card says of the judge; nothing where there is none."""
    judge = context.domain.quality.judge
    if judge.model is None:
        return {}
    counted = count_judged(con, context.specifications.suites)
    is_mock = judge.model.startswith(OFFLINE)
    names = [judge.model, *([f"confirmed by {judge.confirm.model}"] if judge.confirm else [])]
    note = " (no language model: its verdicts say nothing)" if is_mock else ""
    return {
        "judge": ", ".join(names) + note,
        "judged": counted.counted(),
        "judged_rest": counted.expected(),
    }


def _not_judged(rules: Rules) -> list[str]:
    """Return the rules that do not judge in the domain's language, or in part, and why."""
    notes = [note for suite in rules.suites for note in suite.unjudged]
    return [f"{note.rule}{'' if note.is_off else ' in part'} ({note.why})" for note in notes]


def _left(con: Connection) -> list[str]:
    """Return what is estimated to be left in the release, by each judge that was calibrated."""
    accepted = accepted_of(con)
    return [left_text(one, accepted) for one in left_by_judges(read_calibration(con))]

"""The pipeline, stage by stage: what each one reads, writes and depends on, and what does it.

Ingest, preprocess and plan run once. Then dialogues are asked for, parsed and judged; those that
are rejected are repaired, parsed and judged again, up to `generate.max_attempts` times
(flows/rounds.py). Then each brief has a verdict, and what is accepted is released.

A stage runs again when anything changes that it names here: the rows it reads, the code that its
functions reach by import, its settings, its specifications (flows/specifications.py: the project's
YAML files) and other files. tests/flows/test_stage_inputs.py watches a build and finds whatever a
stage runs, reads or opens without naming it.
"""

from __future__ import annotations

from typing import Final

from flows.asked_work import first_work, judge_work, repair_work
from flows.derived_inputs import (
    asked_with,
    judge_files,
    judge_modules,
    judged_with,
    model_files,
    model_modules,
    sensed_with,
    sources_as_read,
    tombstone_files,
)
from flows.release import release
from flows.stages import Context, Rows, Stage
from tasks.briefs import ReadAhead, plan_briefs
from tasks.dialogues import parse_transcripts
from tasks.funnel import might_likes, set_aside, set_aside_text, unplanned_text
from tasks.generate import Dual, Single
from tasks.ingest import ingest, source_names, store_rejected_lines
from tasks.judge import JudgeRollout, to_be_judged, with_dialogues
from tasks.llm import make_request
from tasks.preprocess import preprocess
from tasks.prompts import render
from tasks.quality import Rules, judge, set_verdicts, spoken_languages, validate_published
from tasks.release import write_release
from tasks.repair import RepairRollout, load_repairs

PLANNED: Final = ("briefs", "brief_items", "template_turns", "template_slots")
FACTS: Final = ("rejections", "dialogue_facts", "utterance_facts")

INGEST = Stage(  # 2.1
    "ingest",
    does=(ingest,),
    run=lambda con, context, _: ingest(con, context.domain, context.erased),
    files=tombstone_files,
    sources=True,
    writes=("raw_reviews", "rejected_rows", "items"),
    settings=("untitled", "merge_editions", "max_bad_share"),
    derived=sources_as_read,
    left_out=lambda con: set_aside_text(set_aside(con)),
    keep=store_rejected_lines,
)

PREPROCESS = Stage(  # 2.3, App. B
    "preprocess",
    does=(preprocess, source_names),
    run=lambda con, context, _: preprocess(con, context.domain),
    reads=(Rows("ingest", ("raw_reviews", "items")),),
    writes=("preferences", "reviews"),
    settings=("preprocess", "briefs.grow"),
    derived=lambda context: {"sources": {"reviews": source_names(context.domain.sources)[0]}},
)

PLAN = Stage(  # 2.5.1: one dialogue for each MIGHT_LIKES item
    "briefs",
    does=(plan_briefs,),
    run=lambda con, context, _: plan_briefs(
        con, context.domain, context.specifications.templates.templates, context.erased
    ),
    reads=(Rows("ingest", ("items",)), Rows("preprocess", ("reviews", "preferences"))),
    writes=("briefs", "brief_items", "template_turns", "template_slots", "unplanned"),
    settings=("name", "briefs", "seed", "noun", "verb", "language", "preprocess.like_min"),
    specifications=("templates",),
    files=tombstone_files,
    left_out=lambda con: unplanned_text(might_likes(con)),
)

# What carries requests to the model (limits, journal, store, batches, workers) is not named for the
# two stages that ask: an answer once paid for is looked up by all that was asked, so that code
# cannot change it.
GENERATE = Stage(  # 2.5.1
    "generate",
    attempts=True,
    does=(render, Single, Dual, ReadAhead, make_request),
    run=first_work,
    modules=model_modules,
    reads=(Rows("preprocess", ("reviews", "preferences")), Rows("briefs", PLANNED)),
    writes=("transcripts",),
    also_writes=("responses", "unusable_answers"),
    unhashed=("run_id",),
    settings=("name", "noun", "verb", "language"),
    derived=asked_with,
    specifications=("goals", "profile"),
    files=model_files,
)

PARSE = Stage(
    "dialogues",
    attempts=True,
    does=(parse_transcripts,),
    run=lambda con, context, attempt: parse_transcripts(con, context.domain, attempt),
    reads=(
        Rows("ingest", ("items",)),
        Rows("briefs", ("briefs", "brief_items", "template_turns")),
        Rows("generate", ("transcripts",), at="this"),
    ),
    writes=("dialogues", "utterances"),
    settings=("generate.profile",),
)

ASK_JUDGE = Stage(  # of domains with a judge: the dialogues are read before the gate
    "judge",
    attempts=True,
    does=(JudgeRollout, with_dialogues, to_be_judged, ReadAhead, make_request),
    run=judge_work,
    modules=judge_modules,
    reads=(
        Rows("preprocess", ("reviews", "preferences")),
        Rows("briefs", PLANNED),
        Rows("dialogues", ("dialogues", "utterances"), at="this"),
    ),
    writes=("judge_answers",),
    also_writes=("responses", "unusable_answers"),
    unhashed=("run_id",),
    settings=("name", "noun", "verb", "language", "seed"),
    derived=judged_with,
    specifications=("goals", "profile", "judge_words"),
    files=judge_files,
)

JUDGE = Stage(  # 2.5.2
    "quality",
    attempts=True,
    does=(judge,),
    run=lambda con, context, attempt: judge(con, _rules(context), context.domain, attempt),
    reads=(
        Rows("ingest", ("items",)),
        Rows("preprocess", ("reviews",)),
        Rows("briefs", ("briefs", "brief_items", "template_turns")),
        Rows("dialogues", ("dialogues", "utterances"), at="this"),
        Rows("judge", ("judge_answers",), at="this", optional=True),
        # No dialogue may repeat one that was accepted at an earlier attempt.
        Rows("dialogues", ("utterances",), at="earlier"),
        Rows("quality", FACTS, at="earlier"),
    ),
    writes=FACTS,
    also_writes=("gates",),
    settings=("name", "quality", "language"),
    derived=sensed_with,
    specifications=("suites", "lexicon", "causes"),
)


def _rules(context: Context) -> Rules:
    specifications = context.specifications
    return Rules(specifications.suites, specifications.lexicon, specifications.causes)


REPAIR = Stage(  # from the second attempt on in the place of GENERATE
    "generate",
    attempts=True,
    does=(RepairRollout, load_repairs, ReadAhead, make_request),
    run=repair_work,
    modules=model_modules,
    reads=(
        *GENERATE.reads,
        Rows("generate", ("transcripts",), at="last"),
        Rows("dialogues", ("dialogues",), at="last"),
        Rows("quality", ("rejections",), at="last"),
    ),
    writes=("transcripts",),
    also_writes=("responses", "unusable_answers"),
    unhashed=("run_id",),
    settings=("name", "noun", "verb", "language", "quality"),
    derived=asked_with,
    specifications=("goals", "profile", "suites"),
    files=model_files,
)

VERDICTS = Stage(
    "verdicts",
    does=(set_verdicts,),
    run=lambda con, context, _: set_verdicts(con),
    reads=(
        Rows("briefs", ("briefs",)),
        Rows("generate", ("transcripts",), at="all"),
        Rows("quality", ("rejections", "dialogue_facts"), at="all"),
    ),
    writes=("verdicts",),
)

RELEASE: Stage = Stage(  # 3: never cached, as it confirms a release that is there
    "release",
    does=(write_release, validate_published, spoken_languages),
    run=lambda con, context, _: release(con, context, RELEASE.made_by(context)),
    reads=(
        Rows("ingest", ("items",)),
        Rows("preprocess", ("preferences",)),
        Rows("briefs", ("briefs", "brief_items", "template_turns")),
        # Which model wrote what.
        Rows("generate", ("transcripts", "responses", "unusable_answers"), at="all"),
        Rows("dialogues", ("utterances",), at="all"),
        Rows("judge", ("judge_answers",), at="all"),
        Rows("quality", ("rejections", "dialogue_facts"), at="all"),
        Rows("verdicts", ("verdicts",)),
    ),
    writes=("releases", "released_dialogues"),
    also_writes=("gates",),
    # What made a release goes out with it.
    specifications=("goals", "templates", "profile", "suites", "lexicon", "causes"),
)

PREPARATION: Final = (INGEST, PREPROCESS, PLAN)
PIPELINE: Final = (
    *PREPARATION,
    # For each attempt: the first generates, later ones repair.
    GENERATE,
    PARSE,
    ASK_JUDGE,
    JUDGE,
    REPAIR,
    # Once no dialogue is left to repair.
    VERDICTS,
    RELEASE,
)


def asking_stage(attempt: int) -> Stage:
    """Return the stage that asks the model at an attempt."""
    return GENERATE if attempt == 1 else REPAIR

"""What models are asked for at an attempt: whole dialogues, repairs of rejected ones, verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from flows.stages import Context
from tasks.briefs import ReadAhead
from tasks.dialogues import read_problem
from tasks.generate import Dual, Rollout, Single, Work
from tasks.judge import Judge, JudgeRollout, with_dialogues
from tasks.prompts import render
from tasks.quality import rule_sentences
from tasks.repair import RepairRollout, load_repairs
from tasks.warehouse import Connection


def first_work(con: Connection, context: Context, attempt: int, ids: Sequence[str]) -> Work:
    """Return what is asked first: whole dialogues, in one call each or turn by turn (2.5.1)."""
    domain, profile = context.domain, context.specifications.profile
    rollout: Rollout
    if domain.generate.rollout == "dual":
        rollout = Dual(profile, context.goals, attempt)
    else:
        rollout = Single(
            partial(render, profile, context.goals),
            attempt,
            read_problem=partial(read_problem, profile.name),
        )
    return Work(ids, ReadAhead(con, domain).fetch, rollout, profile.name, domain.name)


def repair_work(con: Connection, context: Context, attempt: int, ids: Sequence[str]) -> Work:
    """Return what is asked again: what was broken in rejected dialogues, and by which rules."""
    domain, profile = context.domain, context.specifications.profile
    says = rule_sentences(context.specifications.suites)
    read = ReadAhead(con, domain).fetch
    return Work(
        ids,
        lambda some: load_repairs(con, read(some), attempt, says),
        RepairRollout(profile, context.goals, attempt),
        profile.name,
        domain.name,
    )


def judge_work(
    con: Connection, context: Context, attempt: int, ids: Sequence[str], judge: Judge = "judge"
) -> Work:
    """Return what a judge is asked: its verdict on dialogues that were read at an attempt."""
    read = ReadAhead(con, context.domain).fetch
    return Work(
        ids,
        lambda some: with_dialogues(con, read(some), attempt),
        judge_rollout(context, attempt, judge),
        context.specifications.profile.name,
        context.domain.name,
        "judge_answers",
    )


def judge_rollout(context: Context, attempt: int, judge: Judge = "judge") -> JudgeRollout:
    """Return how a judge is asked for its verdict on one dialogue."""
    specifications = context.specifications
    most = specifications.profile.max_review_words
    return JudgeRollout(specifications.judge_words, context.goals, most, attempt, judge)

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
    goals = context.specifications.goals.worded(domain.noun, domain.verb)
    rollout: Rollout
    if domain.generate.rollout == "dual":
        rollout = Dual(profile, goals, attempt)
    else:
        rollout = Single(
            partial(render, profile, goals),
            attempt,
            read_problem=partial(read_problem, profile.name),
        )
    return Work(ids, ReadAhead(con, domain).fetch, rollout, profile.name, domain.name)


def repair_work(con: Connection, context: Context, attempt: int, ids: Sequence[str]) -> Work:
    """Return what is asked again: what was broken in rejected dialogues, and by which rules."""
    domain, profile = context.domain, context.specifications.profile
    goals = context.specifications.goals.worded(domain.noun, domain.verb)
    says = rule_sentences(context.specifications.suites)
    read = ReadAhead(con, domain).fetch
    return Work(
        ids,
        lambda some: load_repairs(con, read(some), attempt, says),
        RepairRollout(profile, goals, attempt),
        profile.name,
        domain.name,
    )


def judge_work(
    con: Connection, context: Context, attempt: int, ids: Sequence[str], judge: Judge = "judge"
) -> Work:
    """Return what a judge is asked: its verdict on dialogues that were read at an attempt."""
    domain, specifications = context.domain, context.specifications
    read = ReadAhead(con, domain).fetch
    rollout = JudgeRollout(
        specifications.judge_words,
        specifications.goals.worded(domain.noun, domain.verb),
        specifications.profile.max_review_words,
        attempt,
        judge,
    )
    return Work(
        ids,
        lambda some: with_dialogues(con, read(some), attempt),
        rollout,
        specifications.profile.name,
        domain.name,
        "judge_answers",
    )

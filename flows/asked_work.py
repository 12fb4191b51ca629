"""What the model is asked for at an attempt: whole dialogues, or repairs of rejected ones."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from flows.stages import Context
from tasks.briefs import ReadAhead
from tasks.dialogues import read_problem
from tasks.generate import Dual, Rollout, Single, Work
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

"""Dialogues as they may come out, so that a judge's calls can be counted before any is written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import duckdb

from tasks.briefs import Brief
from tasks.dialogues import read_grounded, read_plain
from tasks.judge.dialogues import to_judge, with_dialogues
from tasks.judge.values import DialogueToJudge
from tasks.mock_model import write
from tasks.prompts import Goals, Profile, Spoken, render

_PLACE: Final = re.compile(r"\{\{item:(\d+)\}\}")


def forecast_dialogues(
    con: duckdb.DuckDBPyConnection, profile: Profile, goals: Goals, briefs: Sequence[Brief]
) -> list[DialogueToJudge]:
    """Return briefs with the dialogues of their first attempt; the mock model writes those missing.

    Args:
        con: the domain's warehouse.
        profile: the prompt profile.
        goals: sub-goals by id, in the domain's words.
        briefs: the briefs.
    """
    read = with_dialogues(con, briefs, 1)
    return [
        one
        if len(one.spoken) == len(one.template.turns)
        else to_judge(brief, _made_up(profile, goals, brief))
        for one, brief in zip(read, briefs, strict=True)
    ]


def _made_up(profile: Profile, goals: Goals, brief: Brief) -> list[Spoken]:
    """Return the mock model's dialogue for a brief, with titles in the place of placeholders."""
    text = write(render(profile, goals, brief).messages, seed=None, misbehave={}).text
    titles = {item.slot: item.title for item in brief.items}

    def titled(place: re.Match[str]) -> str:
        return titles.get(int(place[1]), place[0])

    turns = read_grounded(text).turns or read_plain(text).turns
    return [Spoken(turn.role, _PLACE.sub(titled, turn.text)) for turn in turns]

"""What a judge is shown and what it says, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tasks.briefs import Brief
from tasks.judge.kinds import FaultKind
from tasks.prompts import Spoken

ClaimVerdict = Literal["supported", "not_told", "contradicted"]
Fit = Literal["fits", "against", "none"]
Speech = Literal["user", "agent", "program"]


@dataclass(frozen=True)
class DialogueToJudge(Brief):
    """A brief with the dialogue that was written from it, titles in the place of placeholders."""

    spoken: tuple[Spoken, ...] = ()


@dataclass(frozen=True)
class Claim:
    """A particular that a turn states about an item.

    Attributes:
        said: the words of the turn.
        verdict: what the data say to it.
        sentence: the id of the sentence that decides; empty if there is none.
    """

    said: str
    verdict: ClaimVerdict
    sentence: str


@dataclass(frozen=True)
class TurnVerdict:
    """What a judge says of one turn.

    Attributes:
        turn: its number, from 1.
        claims: the particulars it states.
        opinion: whether an opinion of an item agrees with the user's rating.
        decision: whether a decision agrees with the template.
        goals_missed: its sub-goals that it does not carry out.
        reads_as: whose words they seem to be.
        gives_away: whether it tells, before its turn, which item will be recommended.
        contradicts_turn: an earlier turn that it contradicts; 0 if none.
        quote: the words that show what is wrong; empty where only claims are, or nothing is.
        why: the reason, in a few words.
    """

    turn: int
    claims: tuple[Claim, ...]
    opinion: Fit
    decision: Fit
    goals_missed: tuple[str, ...]
    reads_as: Speech
    gives_away: bool
    contradicts_turn: int
    quote: str
    why: str


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with a dialogue, as a judge says.

    Attributes:
        turn: its number, from 1.
        kind: what is wrong.
        piece: what people are shown: the words, the review's sentence, the reason.
    """

    turn: int
    kind: FaultKind
    piece: str

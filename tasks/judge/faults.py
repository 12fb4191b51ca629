"""The faults in a verdict: each with its kind, its turn and what people are shown of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict

from tasks.judge.kinds import FaultKind
from tasks.judge.values import Claim, DialogueToJudge, Fault, TurnVerdict


def faults(
    dialogue: DialogueToJudge, verdict: Sequence[TurnVerdict], sentences: Mapping[str, str]
) -> list[Fault]:
    """Return what is wrong with a dialogue by a verdict, in the order of turns.

    An answer is taken at its word only where it can be true: a sub-goal that the turn does not
    have, an opinion of the agent's, or a target that was named before, is no fault.

    Args:
        dialogue: the dialogue judged.
        verdict: what a judge says of each of its turns.
        sentences: the sentences of its reviews by id.
    """
    due = _target_turn(dialogue)
    return [
        fault
        for said in verdict[: len(dialogue.spoken)]
        for fault in _of_turn(dialogue, said, sentences, due)
    ]


def as_json(found: Sequence[Fault]) -> str:
    """Return faults as the table `judge_answers` holds them."""
    return json.dumps([asdict(fault) for fault in found], ensure_ascii=False)


def from_json(text: str) -> list[Fault]:
    """Return the faults that the table `judge_answers` holds as text."""
    return [Fault(**entry) for entry in json.loads(text)]


def _of_turn(
    dialogue: DialogueToJudge, said: TurnVerdict, sentences: Mapping[str, str], due: int
) -> Iterator[Fault]:
    for claim in said.claims:
        if claim.verdict != "supported":
            yield Fault(said.turn, claim.verdict, _of_claim(claim, sentences))
    spoken = dialogue.spoken[said.turn - 1]
    for kind in _kinds(dialogue, said, spoken.role, due):
        words = said.quote or spoken.text
        yield Fault(said.turn, kind, f"{words} ({said.why})" if said.why else words)


def _kinds(
    dialogue: DialogueToJudge, said: TurnVerdict, role: str, due: int
) -> Iterator[FaultKind]:
    goals = dialogue.template.turns[said.turn - 1].goals
    if role == "user" and said.opinion == "against":
        yield "opinion"
    if role == "user" and said.decision == "against":
        yield "decision"
    if set(goals).intersection(said.goals_missed):
        yield "goals"
    if said.reads_as != role:
        yield "speech"
    if said.gives_away and said.turn < due:
        yield "gives_away"
    if 0 < said.contradicts_turn < said.turn:
        yield "self_contradiction"


def _of_claim(claim: Claim, sentences: Mapping[str, str]) -> str:
    sentence = sentences.get(claim.sentence, "")
    return f"{claim.said} (review: {sentence})" if sentence else claim.said


def _target_turn(dialogue: DialogueToJudge) -> int:
    """Return the turn that must name the item to be recommended, after the last if none must."""
    targets = {item.slot for item in dialogue.items if item.collection == "MIGHT_LIKES"}
    turns = dialogue.template.turns
    due = (number for number, turn in enumerate(turns, 1) if targets.intersection(turn.introduces))
    return next(due, len(turns) + 1)

"""The dialogue grammar (2.4.2): goal_specs/grammar.yaml, read, expanded and checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, product
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tasks.errors import UserError
from tasks.goals import Goals, SubGoal
from tasks.settings import Home, ReadYaml, read_yaml, validation_line
from tasks.templates.values import Role

Said = tuple[str, ...]


class _Spec(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Move(_Spec):
    say: tuple[str, ...] = Field(min_length=1)
    then: str


class _State(_Spec):
    speaker: Role
    ends: bool = False
    moves: tuple[_Move, ...]


class _AtMost(_Spec):
    of: tuple[str, ...] = Field(min_length=1)
    times: int = Field(ge=1)


class _File(_Spec):
    lengths: dict[int, tuple[int, int]] = Field(min_length=1)
    at_most: tuple[_AtMost, ...] = ()
    sets: dict[str, tuple[str, ...]] = {}
    start: str
    states: dict[str, _State]


@dataclass(frozen=True)
class State:
    """One state: who speaks in it, which sub-goals can be said and where that leads, whether the dialogue may be over here."""

    speaker: Role
    moves: Mapping[Said, str]
    ends: bool


@dataclass(frozen=True)
class Grammar:
    """A checked grammar with sets expanded and the goals it speaks of.

    Attributes:
        lengths: fewest and most utterances by number of recommendations.
        at_most: sub-goals and how often they are said in one dialogue, taken together.
    """

    lengths: Mapping[int, tuple[int, int]]
    at_most: tuple[tuple[frozenset[str], int], ...]
    start: str
    states: Mapping[str, State]
    goals: Mapping[str, SubGoal]


def grammar_file(home: Home) -> Path:
    """Return the file of the grammar."""
    return home.project / "goal_specs" / "grammar.yaml"


def load_grammar(home: Home, goals: Goals, read: ReadYaml = read_yaml) -> Grammar:
    """Load and check the grammar. Raises UserError, naming the state and what is wrong with it."""
    path = grammar_file(home)
    return parse_grammar(read(path), goals, str(path))


def parse_grammar(content: Any, goals: Goals, source: str) -> Grammar:
    """Check a grammar as read from YAML: known names, alternating speakers, one next state for each utterance. Raises UserError."""
    try:
        file = _File.model_validate(content)
    except ValidationError as error:
        raise UserError(f"{source}: {validation_line(error)}") from None
    known = goals.by_id
    fault = next(
        chain(
            _range_faults(file),
            _name_faults(file, known),
            _speaker_faults(file, known),
            _doubles(file, known),
        ),
        None,
    )
    if fault:  # only the first: a later check relies on what an earlier one has found in order
        raise UserError(f"{source}: {fault}")
    states = {
        name: State(
            state.speaker,
            {
                said: move.then
                for move in state.moves
                for said in _expand(move.say, file.sets, known)
            },
            state.ends,
        )
        for name, state in file.states.items()
    }
    return Grammar(
        file.lengths,
        tuple((frozenset(cap.of), cap.times) for cap in file.at_most),
        file.start,
        states,
        known,
    )


def _expand(say: Said, sets: Mapping[str, Said], goals: Mapping[str, SubGoal]) -> Iterator[Said]:
    """Yield a move's utterances: each member of each set in turn, without those that cannot be about the item they introduce."""
    for said in product(*(sets.get(name, (name,)) for name in say)):
        introduced = [goals[goal].introduces for goal in said if goals[goal].introduces]
        if len(introduced) < 2 and all(
            not goals[goal].about or not introduced or introduced[0] in goals[goal].about
            for goal in said
        ):
            yield said


def _range_faults(file: _File) -> Iterator[str]:
    for recommendations, (fewest, most) in file.lengths.items():
        if not 1 <= fewest <= most:
            yield f"lengths.{recommendations}: [{fewest}, {most}] is no range of utterances"


def _name_faults(file: _File, goals: Mapping[str, SubGoal]) -> Iterator[str]:
    for name, members in file.sets.items():
        yield from (
            f"sets.{name}: unknown sub-goal {goal!r}" for goal in members if goal not in goals
        )
        if name in goals:
            yield f"sets.{name}: a sub-goal is called so already"
    for cap in file.at_most:
        yield from (f"at_most: unknown sub-goal {goal!r}" for goal in cap.of if goal not in goals)
    for name, state in file.states.items():
        for move in state.moves:
            yield from (
                f"states.{name}: unknown sub-goal {said!r}"
                for said in move.say
                if said not in goals and said not in file.sets
            )
            if move.then not in file.states:
                yield f"states.{name}: unknown state {move.then!r}"
    if file.start not in file.states:
        yield f"start: unknown state {file.start!r}"
    elif file.states[file.start].speaker != "user":
        yield f"start: the user opens, but in {file.start!r} the agent speaks"


def _speaker_faults(file: _File, goals: Mapping[str, SubGoal]) -> Iterator[str]:
    for name, state in file.states.items():
        for move in state.moves:
            if file.states[move.then].speaker == state.speaker:
                yield f"states.{name}: the {state.speaker} would speak twice, here and in {move.then!r}"
            for said in (goal for entry in move.say for goal in file.sets.get(entry, (entry,))):
                if not goals[said].may_be_said_by(state.speaker):
                    yield f"states.{name}: {said!r} is not said by the {state.speaker}"


def _doubles(file: _File, goals: Mapping[str, SubGoal]) -> Iterator[str]:
    for name, state in file.states.items():
        seen: set[Said] = set()
        for move in state.moves:
            for said in _expand(move.say, file.sets, goals):
                if said in seen:
                    yield f"states.{name}: {' + '.join(said)} stands there twice, so where it leads is open"
                seen.add(said)
    lost = sorted(set(file.states) - _reachable(file))
    if lost:
        yield f"states.{lost[0]}: nothing leads there"


def _reachable(file: _File) -> set[str]:
    reached, ahead = {file.start}, [file.start]
    while ahead:
        onward = {move.then for move in file.states[ahead.pop()].moves} - reached
        reached |= onward
        ahead.extend(onward)
    return reached

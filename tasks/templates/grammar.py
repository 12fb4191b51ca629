"""The dialogue grammar (2.4.2): goal_specs/grammar.yaml, read, expanded and checked."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, product
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tasks.errors import UserError
from tasks.goals import Goals, SubGoal
from tasks.settings import Home, ReadYaml, read_yaml, validation_line
from tasks.templates.values import Role

GoalIds = tuple[str, ...]


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
    """One state of a dialogue.

    Attributes:
        speaker: who speaks in it.
        moves: the next state by the sub-goals that may be said.
        ends: the dialogue may end here.
    """

    speaker: Role
    moves: Mapping[GoalIds, str]
    ends: bool


@dataclass(frozen=True)
class Grammar:
    """A checked grammar with its sets expanded, and its goals.

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
    return home.file("goal_specs/grammar.yaml")


def load_grammar(home: Home, goals: Goals, read: ReadYaml = read_yaml) -> Grammar:
    """Load and check the grammar. Raises UserError with the state and what is wrong with it."""
    path = grammar_file(home)
    return parse_grammar(read(path), goals, str(path))


def parse_grammar(content: Any, goals: Goals, source: str) -> Grammar:
    """Check a grammar as read from YAML. Raises UserError.

    Its names must be known, its speakers alternate, and each utterance lead to one state.
    """
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
            _ambiguities(file, known),
        ),
        None,
    )
    # Only the first is reported, because each check relies on those before it.
    if fault:
        raise UserError(f"{source}: {fault}")
    limits = tuple((frozenset(limit.of), limit.times) for limit in file.at_most)
    states = {
        name: State(state.speaker, _moves(state, file, known), state.ends)
        for name, state in file.states.items()
    }
    return Grammar(file.lengths, limits, file.start, states, known)


def _moves(state: _State, file: _File, goals: Mapping[str, SubGoal]) -> dict[GoalIds, str]:
    moves: dict[GoalIds, str] = {}
    for move in state.moves:
        moves |= dict.fromkeys(_expand(move.say, file.sets, goals), move.then)
    return moves


def _expand(
    say: GoalIds, sets: Mapping[str, GoalIds], goals: Mapping[str, SubGoal]
) -> Iterator[GoalIds]:
    """Yield a move's utterances, with each member of each set, without contradictory ones."""
    for goal_ids in product(*(sets.get(name, (name,)) for name in say)):
        if _is_consistent([goals[goal_id] for goal_id in goal_ids]):
            yield goal_ids


def _is_consistent(said: list[SubGoal]) -> bool:
    """Return True if an utterance introduces at most one item, and can be about that one."""
    introduced = [goal.introduces for goal in said if goal.introduces]
    if not introduced:
        return True
    return len(introduced) == 1 and all(
        not goal.about or introduced[0] in goal.about for goal in said
    )


def _range_faults(file: _File) -> Iterator[str]:
    for recommendations, (fewest, most) in file.lengths.items():
        if not 1 <= fewest <= most:
            yield f"lengths.{recommendations}: [{fewest}, {most}] is no range of utterances"


def _name_faults(file: _File, goals: Mapping[str, SubGoal]) -> Iterator[str]:
    for name, members in file.sets.items():
        yield from _unknown_goals(f"sets.{name}", members, goals)
        if name in goals:
            yield f"sets.{name}: a sub-goal has the same name"
    for limit in file.at_most:
        yield from _unknown_goals("at_most", limit.of, goals)
    for name, state in file.states.items():
        for move in state.moves:
            yield from _unknown_goals(f"states.{name}", move.say, {*goals, *file.sets})
            if move.then not in file.states:
                yield f"states.{name}: unknown state {move.then!r}"
    if file.start not in file.states:
        yield f"start: unknown state {file.start!r}"
    elif file.states[file.start].speaker != "user":
        yield f"start: the user begins, but in {file.start!r} the agent speaks"


def _unknown_goals(where: str, names: Iterable[str], known: Container[str]) -> Iterator[str]:
    for name in names:
        if name not in known:
            yield f"{where}: unknown sub-goal {name!r}"


def _speaker_faults(file: _File, goals: Mapping[str, SubGoal]) -> Iterator[str]:
    for name, state in file.states.items():
        for move in state.moves:
            if file.states[move.then].speaker == state.speaker:
                yield (
                    f"states.{name}: the {state.speaker} would speak twice, "
                    f"here and in {move.then!r}"
                )
            for goal in chain.from_iterable(file.sets.get(entry, (entry,)) for entry in move.say):
                if not goals[goal].may_be_said_by(state.speaker):
                    yield f"states.{name}: {goal!r} is not said by the {state.speaker}"


def _ambiguities(file: _File, goals: Mapping[str, SubGoal]) -> Iterator[str]:
    for name, state in file.states.items():
        seen: set[GoalIds] = set()
        for move in state.moves:
            for goal_ids in _expand(move.say, file.sets, goals):
                if goal_ids in seen:
                    yield (
                        f"states.{name}: {' + '.join(goal_ids)} is listed twice, "
                        "so the next state is ambiguous"
                    )
                seen.add(goal_ids)
    unreachable = sorted(set(file.states) - _reachable(file))
    if unreachable:
        yield f"states.{unreachable[0]}: no move leads to this state"


def _reachable(file: _File) -> set[str]:
    reached, ahead = {file.start}, [file.start]
    while ahead:
        onward = {move.then for move in file.states[ahead.pop()].moves} - reached
        reached |= onward
        ahead.extend(onward)
    return reached

"""Reads the protocol's test set, entity names and answers as its authors do, flaws included.

Known flaws, kept here because the published figures have them, and corrected in
`tasks.evaluation.matching`:

- names are matched against every entity: people, genres and companies too;
- two edits turn "300" into "3" as easily as they repair a spelling;
- numbering is stripped from every line that starts with digits, so that a first title (behind the
  "1." where the answer is cut), or any
  in a list without numbers, loses its own: "12 Angry Men" becomes "Angry Men", "1917" nothing;
- nothing is normalised, duplicates stay in the list and take places;
- of names equally near the one taken depends on Python's hash seed.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from tasks.errors import UserError
from tasks.evaluation.he2023.values import Nearest, Question
from tasks.machine import this_machine

_IN_BRACKETS = re.compile(r"\([^()]*\)")
_NUMBERING = re.compile(r"^(?:\d+[.)、]?\s*[-—–]?\s*)?")
_CHUNK = 128
Entity = int | str


def entity_name(address: str) -> str:
    """Return the name in an entity's URL: the part after the last slash, in plain words."""
    last = address.rsplit("/", 1)[-1]
    return _spaced(_IN_BRACKETS.sub("", re.sub("[-_>]", " ", last)))


def generated_names(answer: str) -> list[str]:
    """Return the names in an answer: by line after the first "1.", else by comma."""
    _, marker, rest = answer.partition("1.")
    lines = (rest if marker else answer.replace(",", "\n")).split("\n")
    return [_NUMBERING.sub("", _spaced(_IN_BRACKETS.sub("", line.strip()))) for line in lines]


def nearest_entities(names: Iterable[str], entities: Iterable[str]) -> dict[str, Nearest]:
    """Return the nearest entity name of each distinct name.

    Of several the alphabetically first is returned, with all of them as `ties`.
    """
    known = sorted(set(entities))
    lowered = [name.lower() for name in known]
    wanted = sorted(set(names))
    nearest: dict[str, Nearest] = {}
    for start in range(0, len(wanted), _CHUNK):
        chunk = wanted[start : start + _CHUNK]
        distances = process.cdist(
            [name.lower() for name in chunk],
            lowered,
            scorer=Levenshtein.distance,
            dtype=np.int32,
            workers=this_machine().threads,
        )
        for name, row in zip(chunk, distances, strict=True):
            least = int(row.min())
            ties = tuple(known[place] for place in np.flatnonzero(row == least).tolist())
            nearest[name] = Nearest(name, least, ties[0], ties)
    return nearest


def read_entities(path: Path) -> dict[Entity, str]:
    """Read entity2id.json: an entity's number (on Reddit a word) to its name. Raises UserError."""
    content = _json(path)
    if (
        not isinstance(content, dict)
        or not content
        or not all(isinstance(entity, int | str) for entity in content.values())
    ):
        raise UserError(f"{path} must map entities' addresses to their numbers")
    return {entity: entity_name(address) for address, entity in content.items()}


def read_questions(
    test: Path, answers: Path, entities: Mapping[Entity, str], *, stored: bool
) -> list[Question]:
    """Read the test set and a model's answers; an answer belongs to the question of its `index`.

    Args:
        test: test.jsonl, one line a question.
        answers: the authors' `extracted.jsonl`, gzipped or not.
        entities: names by number, as `read_entities` gives them.
        stored: take the nearest names the authors stored, which settles ties as their run did; else
            find them again.

    Raises:
        UserError: a file is missing or not in this layout, or they do not belong together.
    """
    asked = _lines(test)
    texts, stored_names = _read_answers(answers, stored=stored)
    if not texts or max(texts) >= len(asked) or min(texts) < 0:
        raise UserError(
            f"{answers} does not belong to {test}: it has {len(texts)} answers, up to number "
            f"{max(texts, default=0)}, and the test set {len(asked)} questions"
        )
    if stored:
        names = stored_names
    else:
        near = nearest_entities(chain.from_iterable(texts.values()), entities.values())
        names = {index: tuple(near[name] for name in text) for index, text in texts.items()}
    return [
        Question(
            names[index],
            *_question(test, index, asked[index], entities),
        )
        for index in sorted(texts)
    ]


def _read_answers(
    answers: Path, *, stored: bool
) -> tuple[dict[int, list[str]], dict[int, tuple[Nearest, ...]]]:
    """Return the names in each answer and, if they are wanted, its stored nearest names."""
    try:
        answered = {int(answer["index"]): answer for answer in _lines(answers)}
        texts = {
            index: generated_names(answer["resp"]["choices"][0]["message"]["content"])
            for index, answer in answered.items()
        }
        if not stored:
            return texts, {}
        return texts, {index: _stored(answer["rec_list"]) for index, answer in answered.items()}
    except (KeyError, TypeError, IndexError, ValueError, AttributeError) as error:
        raise UserError(
            f"{answers} is not a file of extracted answers: {type(error).__name__} "
            f"{str(error)[:80]}"
        ) from None


def _question(
    test: Path, index: int, question: Any, entities: Mapping[Entity, str]
) -> tuple[tuple[str, ...], frozenset[str]]:
    """Return the names of a question's targets and of what was mentioned before it."""
    try:
        return tuple(entities[target] for target in question["rec"]), frozenset(
            entities[entity] for entity in question["prev_entity"]
        )
    except (KeyError, TypeError) as error:
        raise UserError(
            f"{test}, question {index}: no `rec` and `prev_entity` whose entities are known "
            f"({str(error)[:40]})"
        ) from None


def _stored(entries: Sequence[Mapping[str, Any]]) -> tuple[Nearest, ...]:
    return tuple(
        Nearest(
            entry["movie_name"],
            entry["min_edit_distance"],
            entry["nearest_movie"],
            (entry["nearest_movie"],),
        )
        for entry in entries
    )


def _spaced(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _lines(path: Path) -> list[Any]:
    return [
        _parsed(path, number, line)
        for number, line in enumerate(_text(path).split("\n"), 1)
        if line.strip()
    ]


def _json(path: Path) -> Any:
    return _parsed(path, 1, _text(path))


def _parsed(path: Path, number: int, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise UserError(f"{path}, line {number}, is not JSON") from None


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
        return (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read: {error}") from None

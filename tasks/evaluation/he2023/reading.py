"""Reads the protocol's test set, entity names and a model's answers, step by step as its authors do, flaws and all.

Known flaws, kept here because the published figures have them, and put right in `tasks.evaluation.matching`:

- names are matched against every entity: people, genres and companies too;
- two edits turn "300" into "3" as easily as they mend a spelling;
- numbering is stripped from every line that starts with digits, so that a first title (behind the "1." where the answer is cut), or any
  in a list without numbers, loses its own: "12 Angry Men" becomes "Angry Men", "1917" nothing;
- nothing is normalised, duplicates stay in the list and take places;
- of names equally near the one taken depends on Python's hash seed.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from tasks.errors import UserError
from tasks.evaluation.he2023.values import Nearest, Question

_IN_BRACKETS = re.compile(r"\([^()]*\)")
_NUMBERING = re.compile(r"^(?:\d+[.)、]?\s*[-—–]?\s*)?")
_CHUNK = 128


def entity_name(address: str) -> str:
    """Return the name in an entity's address: what follows the last slash, brackets dropped, joints as spaces."""
    last = address.rsplit("/", 1)[-1]
    return _spaced(_IN_BRACKETS.sub("", re.sub("[-_>]", " ", last)))


def generated_names(answer: str) -> list[str]:
    """Return the names in an answer: one a line after the first "1.", or one a comma where there is none."""
    _, found, rest = answer.partition("1.")
    lines = (rest if found else answer.replace(",", "\n")).split("\n")
    return [_NUMBERING.sub("", _spaced(_IN_BRACKETS.sub("", line.strip()))) for line in lines]


def nearest_entities(names: Iterable[str], entities: Iterable[str]) -> dict[str, Nearest]:
    """Return the nearest entity name of each distinct name; of several the alphabetically first, with all of them as `ties`."""
    known = sorted(set(entities))
    lowered = [name.lower() for name in known]
    wanted = sorted(set(names))
    found: dict[str, Nearest] = {}
    for start in range(0, len(wanted), _CHUNK):
        chunk = wanted[start : start + _CHUNK]
        distances = process.cdist([name.lower() for name in chunk], lowered, scorer=Levenshtein.distance, dtype=np.int32, workers=-1)
        for name, row in zip(chunk, distances, strict=True):
            least = int(row.min())
            ties = tuple(known[place] for place in np.flatnonzero(row == least).tolist())
            found[name] = Nearest(name, least, ties[0], ties)
    return found


def read_entities(path: Path) -> dict[int, str]:
    """Read entity2id.json: entity number to name. Raises UserError."""
    return {number: entity_name(address) for address, number in _json(path).items()}


def read_questions(test: Path, answers: Path, entities: Mapping[int, str], *, stored: bool) -> list[Question]:
    """Read the test set and a model's answers.

    Args:
        test: test.jsonl, one line a question.
        answers: the authors' `extracted.jsonl`, gzipped or not.
        entities: names by number, as `read_entities` gives them.
        stored: take the nearest names the authors stored, which settles ties as their run did; else find them anew.

    Raises:
        UserError: a file is missing or not in this layout.
    """
    asked, answered = _lines(test), sorted(_lines(answers), key=lambda line: int(line["index"]))
    if len(asked) < len(answered):
        raise UserError(f"{answers} holds {len(answered)} answers for {len(asked)} questions")
    try:
        texts = [generated_names(answer["resp"]["choices"][0]["message"]["content"]) for answer in answered]
        near = {} if stored else nearest_entities((name for names in texts for name in names), entities.values())
        return [
            Question(
                _stored(answer["rec_list"]) if stored else tuple(near[name] for name in names),
                tuple(entities[target] for target in question["rec"]),
                frozenset(entities[entity] for entity in question["prev_entity"]),
            )
            for question, answer, names in zip(asked, answered, texts, strict=False)
        ]
    except (KeyError, TypeError, IndexError) as error:
        raise UserError(f"{answers} is not a file of extracted answers: {type(error).__name__} {error}") from None


def _stored(entries: Sequence[Mapping[str, Any]]) -> tuple[Nearest, ...]:
    return tuple(
        Nearest(entry["movie_name"], entry["min_edit_distance"], entry["nearest_movie"], (entry["nearest_movie"],)) for entry in entries
    )


def _spaced(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in _text(path).splitlines() if line]


def _json(path: Path) -> Any:
    return json.loads(_text(path))


def _text(path: Path) -> str:
    try:
        data = path.read_bytes()
        return (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read: {error}") from None

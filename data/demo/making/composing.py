"""Composes one review after another, remembering what was said before so that nobody sounds like anybody else.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from dataclasses import dataclass

from making.drafting import draft
from making.material import Film, Line, Person
from making.plan import Rating
from making.saying import Memory
from making.voices import finish, finish_title, voice_of
from making.wording import phrases

SPAN = 12  # words; no two reviews should share so long a run
TRIES = 6
PATIENCE = 24  # tries when every one so far shares a run with a review of another film
ELSEWHERE = 40  # how much worse a run is that was used of another film


@dataclass
class Written:
    """A finished review: its text and its title."""

    text: str
    title: str


class Composer:
    """Writes the reviews of a plan, in its order."""

    def __init__(self, people: list[Person], films: list[Film], frames: dict[str, list[Line]], rng: random.Random) -> None:
        self.people = people
        self.films = films
        self.rng = rng
        self.memory = Memory(frames, words_written_small(films, frames))
        self.runs: dict[tuple[str, ...], int] = {}
        self.sentences: set[tuple[int, str]] = set()

    def write(self, rating: Rating) -> Written:
        """Write one review: the least repetitive of several tries."""
        person, film = self.people[rating.person], self.films[rating.film]
        voice = voice_of(person)
        tries = []
        for number in range(PATIENCE):
            parts, sayer = draft(rating, person, film, self.memory, self.rng)
            text = finish(" ".join(part for part in parts if part), voice, person, rating.stars >= 4, self.rng)
            cost = self._cost(text, rating)
            tries.append((cost, number, text, sayer))
            least = min(each[0] for each in tries)
            if cost == 0 or (number + 1 >= TRIES and least < ELSEWHERE):
                break
        _, _, text, sayer = min(tries, key=lambda each: each[:2])
        title = finish_title(sayer.title(rating.stars), voice, self.rng)
        self.memory.keep(sayer)
        self.runs.update({run: rating.film for run in runs_of(text) if run not in self.runs})
        self.sentences.update((rating.film, sentence) for sentence in sentences_of(text))
        return Written(text, title)

    def _cost(self, text: str, rating: Rating) -> float:
        shared = [self.runs[run] for run in runs_of(text) if run in self.runs]
        repeated = sum((rating.film, sentence) in self.sentences for sentence in sentences_of(text))
        return sum(1 if film == rating.film else ELSEWHERE for film in shared) + 4 * repeated


def runs_of(text: str) -> set[tuple[str, ...]]:
    """Return every run of SPAN words of a text."""
    return {run for run in phrases(text, SPAN) if len(run) == SPAN}


def sentences_of(text: str) -> set[str]:
    """Return the sentences of six words and more, in small letters."""
    return {part.strip().lower() for part in re.split(r"[.!?]+", text) if len(part.split()) > 5}


def words_written_small(films: list[Film], frames: dict[str, list[Line]]) -> frozenset[str]:
    """Return the words that stand small somewhere in the material and are nobody's name."""
    lines = [line.text for group in frames.values() for line in group]
    lines += [line.text for film in films for group in film.lines.values() for line in group]
    small = Counter(word for text in lines for word in re.findall(r"(?<=[a-z,] )[a-z][a-z']*", text))
    names = {
        part.lower() for film in films for actor in film.cast for part in f"{actor.name} {actor.character}".split() if part[0].isupper()
    }
    return frozenset(set(small) - names)

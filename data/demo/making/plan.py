"""Decides who reviews what, when, and with how many stars."""

from __future__ import annotations

import datetime
import math
import random
from dataclasses import dataclass

from making.material import Film, Person

DAY = 86_400
# Size of a reviewer: fewest and most likes, then fewest and most ratings in all.
SIZES = {"L": (9, 10, 11, 12), "M": (20, 21, 25, 26), "H": (30, 31, 37, 39), "V": (40, 41, 50, 52), "X": (4, 5, 6, 7)}
# how strongly a film's popularity and a person's taste decide what is watched
FAME, TASTE = 2.7, 2.2
RARE = 1  # a film of this popularity gets a handful of reviews at most
ONE_LINERS = 0.55  # share of people who also left a review of a single line


@dataclass
class Rating:
    """One review to write."""

    person: int
    film: int
    stars: int
    day: datetime.date
    short: bool = False

    @property
    def timestamp(self) -> int:
        """Unix seconds of the day's start, as Amazon's 2014 files have it."""
        return (self.day - datetime.date(1970, 1, 1)).days * DAY


def mood(stars: int) -> str:
    """Name the side a rating is on."""
    return "pos" if stars >= 4 else "neg" if stars <= 2 else "mixed"


def taste(person: Person, film: Film) -> float:
    """How much a person's tastes speak for (above 0) or against (below 0) a film."""
    return float(person.tastes.get(film.genre, 0))


def plan(people: list[Person], films: list[Film], rng: random.Random) -> list[Rating]:
    """Plan every review, in the order of the days on which they are written."""
    ratings: list[Rating] = []
    for index, person in enumerate(people):
        ratings += _one_person(index, person, films, rng)
    ratings += _one_liners(ratings, people, films, rng) + _rarities(people, films, rng)
    return sorted(ratings, key=lambda rating: (rating.day, rating.person, rating.film))


def _one_person(index: int, person: Person, films: list[Film], rng: random.Random) -> list[Rating]:
    likes_low, likes_high, low, high = SIZES[person.size]
    likes, total = rng.randint(likes_low, likes_high), rng.randint(low, high)
    last_year = min(2013, person.first_year + person.years)
    chosen = _choose(person, films, last_year, total, rng)
    pleased = sorted(chosen, key=lambda film: -_pleasure(person, films[film], rng))
    dislikes = 0 if rng.random() < 0.06 else max(1, round((total - likes) * rng.uniform(0.35, 0.75)))
    ratings = []
    for rank, film in enumerate(pleased):
        stars = _stars(rank, likes, len(pleased) - dislikes, rng)
        ratings.append(Rating(index, film, stars, _day(person, films[film], last_year, rng)))
    return ratings


def _choose(person: Person, films: list[Film], last_year: int, total: int, rng: random.Random) -> list[int]:
    """Draw films without replacement: the popular and the liked genres more often (exponential keys).
    """
    keys = []
    for index, film in enumerate(films):
        if film.available > last_year or int(film.facts["pop"]) == RARE:
            continue
        weight = int(film.facts["pop"]) ** FAME * math.exp(TASTE * taste(person, film))
        keys.append((-math.log(1.0 - rng.random()) / weight, index))
    return [index for _, index in sorted(keys)[:total]]


def _pleasure(person: Person, film: Film, rng: random.Random) -> float:
    return 1.2 * taste(person, film) + 2.5 * float(film.facts["quality"]) + rng.gauss(0, 0.8)


def _stars(rank: int, likes: int, first_dislike: int, rng: random.Random) -> int:
    if rank < likes:
        return 5 if rng.random() < 0.85 - 0.6 * rank / likes else 4
    if rank < first_dislike:
        return 3
    return rng.choice((1, 2, 2))


def _day(person: Person, film: Film, last_year: int, rng: random.Random) -> datetime.date:
    first = datetime.date(max(person.first_year, film.available), 1, 1) + datetime.timedelta(rng.randrange(60))
    last = datetime.date(last_year, 12, 28)
    return first + datetime.timedelta(rng.randrange((last - first).days))


def _one_liners(ratings: list[Rating], people: list[Person], films: list[Film], rng: random.Random) -> list[Rating]:
    """Let some people rate one more film in a single line, too short for the paper's preprocessing.
    """
    seen = {(rating.person, rating.film) for rating in ratings}
    added = []
    for index, person in enumerate(people):
        last_year = min(2013, person.first_year + person.years)
        rest = [film for film in _choose(person, films, last_year, len(films), rng) if (index, film) not in seen]
        if rest and rng.random() < ONE_LINERS:
            stars = rng.choice((5, 5, 5, 4, 4, 3, 2, 1))
            added.append(Rating(index, rest[0], stars, _day(person, films[rest[0]], last_year, rng), short=True))
    return added


def _rarities(people: list[Person], films: list[Film], rng: random.Random) -> list[Rating]:
    """Give each rare film from three to seven reviews, too few for the paper's preprocessing."""
    added = []
    for index, film in enumerate(films):
        if int(film.facts["pop"]) != RARE:
            continue
        for person in sorted(rng.sample(range(len(people)), rng.randint(3, 7))):
            stars = min(5, max(1, round(3.6 + taste(people[person], film) + rng.gauss(0, 0.8))))
            last_year = min(2013, people[person].first_year + people[person].years)
            added.append(Rating(person, index, stars, _day(people[person], film, last_year, rng)))
    return added

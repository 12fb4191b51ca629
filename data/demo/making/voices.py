"""The voices: how long, how chatty, and what the finished text looks like."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from making.material import Person

# Only a sentence that begins like this may be hung on to the one before it.
JOINED = frozenset("It It's I I'm I'd I've They They're He She You You'd We There There's That That's This My The".split())
BRITISH = dict(
    pair.split(":")
    for pair in (
        "color:colour colors:colours favorite:favourite favorites:favourites neighbor:neighbour neighbors:neighbours humor:humour "
        "gray:grey theater:cinema apologizes:apologises realize:realise realized:realised mom:mum Mom:Mum marvelous:marvellous "
        "recognized:recognised behavior:behaviour harbor:harbour honor:honour rumor:rumour pajamas:pyjamas vacation:holiday trash:bin"
    ).split()
)
TYPOS = {
    **dict(
        pair.split(":")
        for pair in (
            "definitely:definately really:realy separate:seperate believe:beleive because:becuase it's:its you're:your don't:dont "
            "can't:cant didn't:didnt their:thier recommend:reccomend until:untill beautiful:beautifull weird:wierd favorite:favorit"
        ).split()
    ),
    "a lot": "alot",
}


@dataclass(frozen=True)
class Voice:
    """`shortest` and `longest` are words aimed at; the rest are chances between 0 and 1."""

    shortest: int
    longest: int
    opens: float
    retells: float
    chats: float
    closes: float
    links: float = 0.1
    typos: float = 0.0
    shouts: float = 0.0
    small: float = 0.0
    runs_on: float = 0.0
    smileys: float = 0.0
    apart: float = 0.3

    def aim(self, rng: random.Random) -> int:
        """Draw a length in words, the shorter half more often."""
        return int(rng.triangular(self.shortest, self.longest, self.shortest + (self.longest - self.shortest) * 0.35))


VOICES = {
    "terse": Voice(24, 48, 0.5, 0.05, 0.1, 0.4, 0.03, apart=0.70),
    "plain": Voice(30, 75, 0.75, 0.25, 0.25, 0.6, apart=0.45),
    "measured": Voice(50, 115, 0.6, 0.4, 0.2, 0.55, 0.08, apart=0.60),
    "film": Voice(60, 140, 0.65, 0.35, 0.15, 0.5, 0.06, apart=0.55),
    "skeptic": Voice(40, 100, 0.65, 0.3, 0.15, 0.5, apart=0.50),
    "ramble": Voice(70, 165, 0.7, 0.5, 0.8, 0.5, 0.2, 0.12, 0, 0, 0.3),
    "storyteller": Voice(60, 140, 0.55, 0.5, 0.9, 0.45, 0.1, 0, 0, 0, 0.1),
    "nostalgic": Voice(40, 110, 0.75, 0.3, 0.6, 0.5, 0.08, 0.03),
    "parent": Voice(35, 95, 0.6, 0.25, 0.7, 0.55, 0.08, 0.08, 0.1, 0, 0.05, 0.06),
    "joker": Voice(32, 85, 0.8, 0.35, 0.4, 0.55, 0.05, 0.03, 0.05, 0, 0, 0.04),
    "grumpy": Voice(30, 80, 0.8, 0.2, 0.25, 0.5, 0.05, 0.02, 0.06, apart=0.50),
    "gush": Voice(30, 90, 0.85, 0.25, 0.4, 0.7, 0.1, 0.12, 0.5, 0, 0.08, 0.2),
    "student": Voice(26, 75, 0.75, 0.3, 0.45, 0.5, 0.08, 0.15, 0.05, 0.75, 0.12, 0.06),
    "collector": Voice(35, 95, 0.65, 0.25, 0.3, 0.55, apart=0.50),
    "chatty": Voice(35, 100, 0.75, 0.3, 0.6, 0.5, 0.12, 0.08, 0.15, 0, 0.15, 0.12),
    "church": Voice(32, 90, 0.65, 0.3, 0.5, 0.65, apart=0.45),
    "teacher": Voice(40, 95, 0.6, 0.35, 0.45, 0.55, apart=0.60),
}


GROUPS = {
    "critic": {"film", "measured", "skeptic", "teacher", "collector"},
    "chat": {"gush", "chatty", "student", "joker"},
    "folk": {"plain", "terse", "church", "parent", "grumpy", "nostalgic", "ramble", "storyteller"},
}


def voice_of(person: Person) -> Voice:
    """Return how a person writes."""
    return VOICES[person.voice]


def medium(year: int, rng: random.Random) -> str:
    """Pick what a film was seen on, as the year allows."""
    share = {"vhs": max(0.05, min(0.95, (2004 - year) * 0.2)), "dvd": 0.8 if year > 1999 else 0.15}
    share |= {"bluray": 0.25 if year > 2008 else 0.0, "stream": 0.3 if year > 2010 else 0.0, "tv": 0.06}
    return rng.choices(list(share), list(share.values()))[0]


def finish(text: str, voice: Voice, person: Person, glad: bool, rng: random.Random) -> str:
    """Give a composed text its writer's habits: spelling, exclamation marks, run-on sentences, small letters.
    """
    text = re.sub(r"\s+", " ", text).strip()
    text = re.sub(r" ([.,!?])", r"\1", text)
    if rng.random() < 0.8:
        text = _run_on(text, voice.runs_on, rng)
    if "brit" in person.tags:
        text = _swapped(text, BRITISH, 1.0, rng)
    text = _swapped(text, TYPOS, voice.typos, rng)
    text = _shouted(text, voice.shouts, rng)
    if rng.random() < voice.small:
        text = _small(text)
    else:
        text = re.sub(r"\bi\b(?!\.)", "I", text)
        text = re.sub(r"(?<=[\w)\"][.!?] )([a-z])", lambda found: found.group(1).upper(), text)
    if glad and rng.random() < voice.smileys:
        text += rng.choice((" :-)", " :)", " *****", " !!!!", " ;-)"))
    return text


def finish_title(title: str, voice: Voice, rng: random.Random) -> str:
    """Put a review's title into its writer's habit: no full stop, sometimes Large Letters or small ones.
    """
    title = title.rstrip(".") if not title.endswith("...") else title
    if rng.random() < voice.small:
        return title.lower()
    if rng.random() < 0.12 and len(title.split()) < 6:
        return " ".join(word[:1].upper() + word[1:] for word in title.split(" "))
    return title


def _swapped(text: str, table: dict[str, str], chance: float, rng: random.Random) -> str:
    if chance <= 0:
        return text
    pattern = re.compile(r"\b(" + "|".join(map(re.escape, table)) + r")\b")
    return pattern.sub(lambda found: table[found.group(1)] if rng.random() < chance else found.group(1), text)


def _shouted(text: str, chance: float, rng: random.Random) -> str:
    def mark(found: re.Match[str]) -> str:
        return rng.choice(("!", "!", "!!")) + found.group(1) if rng.random() < chance * 0.5 else found.group(0)

    return re.sub(r"(?<!\.)\.( |$)", mark, text) if chance else text


def _run_on(text: str, chance: float, rng: random.Random) -> str:
    """Join some neighbouring sentences, as people who type fast do."""

    def join(found: re.Match[str]) -> str:
        word = found.group(1)
        before = text[: found.start()].rsplit(". ", 1)[-1]
        if word not in JOINED or len(before.split()) < 6 or rng.random() >= chance:
            return found.group(0)
        small = word if word.split("'")[0] == "I" else word[0].lower() + word[1:]
        return rng.choice((", and ", " and ", "... ")) + small

    return re.sub(r"(?<![.?!])\. ([A-Z][\w']*)", join, text) if chance else text


def _small(text: str) -> str:
    text = text.lower()
    return text[:-1] if text.endswith(".") and not text.endswith("..") else text

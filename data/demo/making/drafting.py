"""Lays out one review: what comes first, what fills the middle, how it ends."""

from __future__ import annotations

import random

from making.material import Film, Person
from making.plan import Rating
from making.saying import Memory, Sayer
from making.voices import Voice, voice_of
from making.wording import lowered

SHORTEST = 24  # words of a full review; the paper's preprocessing keeps 20 and more
WORDS_A_REMARK = 14
CONCEDING = frozenset({"quibble", "moment3"})  # frames that turn of themselves


def draft(rating: Rating, person: Person, film: Film, memory: Memory, rng: random.Random) -> tuple[list[str], Sayer]:
    """Return the parts of one try at a review, and the sayer that knows what was drawn on."""
    sayer = Sayer(rating, person, film, memory, rng)
    if rating.short:
        return [sayer.line(f"short{rating.stars}")], sayer
    passage = sayer.passage()
    if passage and rng.random() < 0.5:
        return _told(passage, sayer, rating, rng), sayer
    return _composed(sayer, rating, voice_of(person), rng), sayer


def _told(passage: str, sayer: Sayer, rating: Rating, rng: random.Random) -> list[str]:
    """Return a passage written in one piece, with at most an opening and a remark beside it."""
    before = [sayer.line(f"open{rating.stars}")] if rng.random() < 0.35 else []
    after = [sayer.part("P" if rating.stars >= 4 else "N")] if rng.random() < 0.4 else []
    return [*before, passage, *after]


def _composed(sayer: Sayer, rating: Rating, voice: Voice, rng: random.Random) -> list[str]:
    """Head, middle and close; the middle grows until the length aimed at is reached."""
    aim = voice.aim(rng)
    sayer.allow(more=aim > 75)
    parts = _head(sayer, rating, voice, rng)
    close = [sayer.line(f"close{rating.stars}")] if rng.random() < voice.closes else []
    if rng.random() < 0.07:
        close.insert(0, sayer.line("disc"))
    size = max(2, round((aim - count(parts) - count(close)) / WORDS_A_REMARK))
    parts += _connected(_middle(size, rating.stars, rng), sayer, voice, rng)
    while count(parts) + count(close) < SHORTEST:
        more = sayer.part("P" if rating.stars >= 4 else "N")
        if not more:
            break
        parts.append(more)
    return parts + close


def _head(sayer: Sayer, rating: Rating, voice: Voice, rng: random.Random) -> list[str]:
    names = [f"open{rating.stars}"] if rng.random() < voice.opens else []
    names += ["premise"] if rng.random() < voice.retells else []
    if rng.random() < voice.chats:
        names.insert(0 if rng.random() < 0.4 else len(names), "tie" if rng.random() < 0.35 else "ctx")
    return [sayer.tie() if name == "tie" else sayer.line(name) for name in names]


def _middle(size: int, stars: int, rng: random.Random) -> list[str]:
    """Return what the middle is made of: P praise, N complaint, Q quibble, G a saving grace; 3 in the middle tone.
    """
    if stars == 5:
        return ["P"] * size + (["Q"] if size > 2 and rng.random() < 0.12 else [])
    if stars == 4:
        return ["P"] * max(1, size - 1) + (["Q"] if rng.random() < 0.75 else ["P"])
    if stars == 3:
        good = max(1, round(size / 2))
        blocks = [["P3"] * good, ["N3"] * max(1, size - good)]
        rng.shuffle(blocks)
        return blocks[0] + blocks[1]
    if stars == 2:
        return ["N"] * max(2, size - 1) + (["G"] if rng.random() < 0.7 else [])
    return ["N"] * size


def _connected(plan: list[str], sayer: Sayer, voice: Voice, rng: random.Random) -> list[str]:
    """Say the parts in order, with a word of connection where the side changes and now and then elsewhere.
    """
    said: list[str] = []
    before = ""
    for name in plan:
        text = sayer.part(name)
        if not text:
            continue
        turned = bool(before) and before[0] != name[0]
        chance = (0.35 if name == "Q" else 0.6) if turned else voice.links
        if before and sayer.drawn_from not in CONCEDING and rng.random() < chance:
            section = ("turnup" if name[0] in "PG" else "turn") if turned else "link"
            text = _joined(sayer.line(section), text, sayer)
        said.append(text)
        before = name
    return said


def _joined(link: str, text: str, sayer: Sayer) -> str:
    if not link or link[-1] in ".!?":
        return f"{link} {text}".strip()
    first = lowered(text, sayer.memory.small)
    return first if first.split()[0] == link.split()[-1].lower() else f"{link} {first}"


def count(parts: list[str]) -> int:
    """Count the words of several parts."""
    return sum(len(part.split()) for part in parts)

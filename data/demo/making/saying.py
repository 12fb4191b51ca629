"""Chooses the next thing to say about a film, and how: little used before, true to the person, not said already.
"""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict

from making.material import Film, Line, Person
from making.plan import Rating, mood
from making.truth import suits
from making.voices import GROUPS, medium, voice_of
from making.wording import WORD, Speaker, loosened, phrases

PHRASE = 8  # words; wordings are chosen so as to share few such runs with what was said of the film
STALE = 3  # shared runs from which a wording is no longer fresh
WORDINGS = 5  # tried for each of a film's own remarks
AGED = 12  # years from which a film is one that people grew up with
RETOLD = 2  # times that a premise may be told in the same words
DROPPED = 0.22  # share of last asides left out
AGREEING = re.compile(r"\[([^|\]]*)\|([^\]]*)\]")  # [is|are]: the verb for one thing, and for many
SLOTS = {"<moment>": "moment", "<gripe>": "gripe", "<premise>": "premise", "<actor>": "actor"}
TIES = {"pos": ("tie+", "tie"), "mixed": ("tie",), "neg": ("tie-", "tie")}
TRADES = re.compile(
    r"\bI(?:'m| was| did| worked| drove| teach| do| build| repair| ran| kept| restore| fix| delivered| play| took| sold| hang| have a)\b"
)
# What a part may be drawn from, with weights: a film's own lines (pos, neg, quibbleline) and frames
# round its pieces.
SOURCES = {
    "P": (("told+", 0.3), ("pos", 0.6), ("moment4", 0.12), ("actorpos", 0.06), ("craft5", 0.03)),
    "P3": (("pos", 0.5), ("moment3", 0.35), ("actorpos", 0.15)),
    "G": (("moment3", 0.55), ("pos", 0.2), ("actorpos", 0.25)),
    "N": (("told-", 0.3), ("neg", 0.6), ("gripe3", 0.2), ("actorneg", 0.06), ("craft3", 0.05)),
    "N3": (("told-", 0.1), ("neg", 0.4), ("gripe3", 0.25), ("quibbleline", 0.25), ("craft3", 0.06)),
    "Q": (("quibbleline", 0.5), ("quibble", 0.5)),
}
OWN = {"pos": "pos", "neg": "neg", "quibbleline": "quibble", "told+": "told+", "told-": "told-"}
PLAIN = frozenset(
    "this that with have from they were what when then than there their them your about would could just like some more most much very "
    "only even ever been into over after before because where which while these those until every movie film scene never always still "
    "really think thing things made make makes know knows good great best going little without nothing something anybody".split()
)


class Memory:
    """What everybody has said so far."""

    def __init__(self, frames: dict[str, list[Line]], small: frozenset[str]) -> None:
        self.frames = frames
        self.small = small  # words that may lose their capital
        self.used: Counter[str] = Counter()
        self.said: Counter[tuple[str, str]] = Counter()
        self.spent: set[str] = set()
        self.phrases: dict[str, set[tuple[str, ...]]] = defaultdict(set)

    def keep(self, sayer: Sayer) -> None:
        """Remember what a finished review drew on."""
        for line in sayer.lines:
            self.used[line.text] += 1
            self.said[sayer.person.name, line.text] += 1
            self.said[sayer.film.key, line.text] += 1
            if not line.topic:
                self.spent.add(line.text)
        self.phrases[sayer.film.key] |= sayer.phrases


class Sayer:
    """One try at a review, as far as its sentences go."""

    def __init__(self, rating: Rating, person: Person, film: Film, memory: Memory, rng: random.Random) -> None:
        self.person = person
        self.film = film
        self.memory = memory
        self.rng = rng
        self.mood = mood(rating.stars)
        self.harsh = rating.stars in {1, 5}
        seen_on = medium(rating.day.year, rng)
        stance = {1: "fan", -1: "notfan"}.get(person.tastes.get(film.genre, 0), "neutral")
        group = next(name for name, voices in GROUPS.items() if person.voice in voices)
        age = "aged" if rating.day.year - int(film.facts["year"]) >= AGED else "recent"
        self.tags = person.tags | {age, seen_on, self.mood, stance, film.genre, group}
        self.speaker = Speaker(film, person, _slots(film, person, seen_on), rng)
        self.own = {line.text for kind in OWN.values() for line in film.lines.get(kind, [])}
        self.topics: set[str] = set()
        self.words: set[str] = set()
        self.phrases: set[tuple[str, ...]] = set()
        self.lines: list[Line] = []
        self.framed: Counter[str] = Counter()
        self.drawn_from = ""
        self.allowed: dict[str, int] = {}

    def allow(self, *, more: bool) -> None:
        """Set how many sentences may be framed alike: one of a kind, two in a long review."""
        each = 2 if more else 1
        self.allowed = {"moment": each, "gripe": each, "actorpos": 1, "actorneg": 1, "quibble": 1, "craft": 1, "told+": 1, "told-": 1}

    def part(self, name: str) -> str:
        """Return one remark of a kind of SOURCES, or nothing when the material is used up."""
        order = sorted(SOURCES[name], key=lambda choice: -(self.rng.random() ** (1 / choice[1])))
        for fresh in (True, False):
            for source, _ in order:
                frame = source.rstrip("345")
                if self.framed[frame] >= self.allowed.get(frame, 99):
                    continue
                harsher = self.harsh and frame in {"moment", "gripe"}
                if text := self.line(frame + ("5" if frame == "moment" else "1") if harsher else source, fresh):
                    self.framed[frame] += 1
                    self.drawn_from = source
                    return text
        return ""

    def line(self, source: str, fresh: bool = False) -> str:
        """Return a sentence from a section of the frames, or from the film's own lines; nothing when none fits.

        If `fresh`, the film's own lines are passed over that were said often, or can only be worded
        as before.
        """
        own = OWN.get(source)
        lines = self.film.lines.get(own, []) if own else self.memory.frames.get(source, [])
        for line in self._ranked(lines, own is not None):
            if own and fresh and self.memory.used[line.text] >= often(line):
                continue
            if text := self._filled(line, fresh and own is not None):
                return text
        return ""

    def tie(self) -> str:
        """Return what ties the person to the film, each such line used once; else where and how they saw it.
        """
        for kind in TIES[self.mood]:
            for line in self.film.lines.get(kind, []):
                trade = "trade" if TRADES.search(line.text) else "tie"
                if line.text in self.memory.spent or self.memory.said[self.person.name, trade] > (0 if trade == "trade" else 1):
                    continue
                if text := self._worded(line, line.text, {}):
                    self.lines += [line, Line(trade, trade)]
                    return text
        return self.line("ctx")

    def passage(self) -> str:
        """Return a long passage on this film if one suits the rating and the person and neither had its turn.
        """
        if voice_of(self.person).longest < 75 or self.person.voice == "student" or self.memory.said[self.person.name, "passage"]:
            return ""
        for line in self.film.lines.get({"pos": "long+", "neg": "long-"}.get(self.mood, ""), []):
            if line.text not in self.memory.spent and suits(line.text, self.person):
                self.lines += [line, Line("passage", "passage")]
                self.words |= _content(line.text)
                return line.text
        return ""

    def title(self, stars: int) -> str:
        """Return the review's title: now and then one made for the film."""
        own = self.film.lines.get({"pos": "sum+", "neg": "sum-"}.get(self.mood, ""), [])
        self.speaker.named.clear()
        if own and self.rng.random() < 0.25:
            line = self._ranked(own, False)[0]
            self.lines.append(Line(line.text, "title"))
            return line.text
        return self.line(f"sum{stars}")

    def _ranked(self, lines: list[Line], topical: bool) -> list[Line]:
        """Least used first, one's own repetitions counting most, with some chance in it."""
        drawn = {line.text for line in self.lines}
        topics = self.topics - {""} if topical else set()
        spent = self.memory.spent
        fitting = [
            line for line in lines if not (line.text in drawn or line.topic in topics or line.text in spent) and line.fits(self.tags)
        ]
        used, said, name, key = self.memory.used, self.memory.said, self.person.name, self.film.key
        same = f"@{self.speaker.last} " if self.speaker.last else "@@"

        def rank(line: Line) -> float:
            often = used[line.text] * (1 if topical else 0.35) + 3 * said[name, line.text] + (0 if topical else 3 * said[key, line.text])
            return often + 2.5 * self.rng.random() - 2 * line.text.startswith(same)

        return sorted(fitting, key=rank)

    def _filled(self, line: Line, fresh: bool) -> str:
        """Say a line, giving it a moment, a gripe, a premise or a player where it asks for one.

        If `fresh`, only a wording that shares no longer run of words with what was said of the film
        will do.
        """
        text, extra, drawn = line.text, dict[str, str](), [line]
        for slot, kind in SLOTS.items():
            if slot not in text.lower():
                continue
            piece = self._piece(kind)
            if piece is None:
                return ""
            many = piece.text.startswith("^")
            extra[kind] = piece.text.removeprefix("^")
            text = AGREEING.sub(lambda found, many=many: found.group(2 if many else 1), text)  # type: ignore[misc]
            drawn.append(piece)
        said = self._worded(line, text, extra, fresh)
        if said:
            self.lines += drawn
            self.topics |= {piece.topic for piece in drawn}
        return said

    def _piece(self, kind: str) -> Line | None:
        if kind == "actor":
            free = [letter for letter in "aaabbc" if f"actor-{letter}" not in self.topics]
            letter = self.rng.choice(free) if free else None
            return Line(f"@{letter}", f"actor-{letter}") if letter else None
        lines = self.film.premises if kind == "premise" else self.film.lines.get(kind, [])
        ranked = self._ranked(lines, True)
        if kind == "premise":
            ranked = [line for line in ranked if self.memory.used[line.text] < RETOLD]
        return ranked[0] if ranked else None

    def _worded(self, line: Line, text: str, extra: dict[str, str], fresh: bool = False) -> str:
        """Word a line several ways and keep the one least like what was said of this film before.
        """
        own = line.text in self.own
        known = self.memory.phrases[self.film.key]
        best, least = "", 10_000
        for _ in range(WORDINGS if own else 2):
            loose = loosened(text, self.rng, voice_of(self.person).apart, DROPPED) if own else text
            said = self.speaker.spun(Line(loose, line.topic), loose, extra)
            if said is not None and (shared := len(phrases(said, PHRASE) & known)) < least:
                best, least = said, shared
                if not shared:
                    break
        words = _content(best)
        if not best or (fresh and least > STALE) or (line.topic != "tie" and len(words & self.words) > max(1, len(words) // 5)):
            return ""  # it cannot be said, or it would say the same thing twice
        self.words |= words
        self.phrases |= phrases(best, PHRASE)
        return self.speaker.named_in(best)


def often(line: Line) -> int:
    """Return how often a remark may be made before others have their turn: seldom if it is one kind of person's.
    """
    choices = line.text.count("|")
    return 2 if line.conditions else min(8, 2 + choices)


def _content(text: str) -> set[str]:
    return {word for word in WORD.findall(text.lower()) if len(word) > 3} - PLAIN


def _slots(film: Film, person: Person, seen_on: str) -> dict[str, str]:
    one, many = film.kind
    disc = {"vhs": "tape", "dvd": "DVD", "bluray": "disc", "stream": "rental", "tv": "DVD"}[seen_on]
    slots = {"title": film.facts["name"], "genres": many, "genre1": one, "disc": disc, "d": "@d", "a": "@a"}
    slots |= {"hisa": "her" if film.cast[0].sex == "f" else "his", "partnerwordx": person.slots.get("partnerword", "dad")}
    return slots | person.slots

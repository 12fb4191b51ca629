"""Composes one review after another, remembering what was said before so that nobody sounds like anybody else."""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from dataclasses import dataclass

from making.material import Film, Line, Person
from making.plan import Rating
from making.voices import VOICES, Voice, finish, finish_title
from making.wording import WORD, Speaker, loosened, lowered, phrases

SPAN = 12  # words; no two reviews should share so long a run
PHRASE = 8  # words; wordings of a remark are chosen so as to share few such runs with what was said of the film
WORDINGS = 5  # tried for each remark
TRIES = 24
PLAIN = frozenset(
    "this that with have from they were what when then than there their them your about would could just like some more most much very "
    "only even ever been into over after before because where which while these those until every movie film scene never always still "
    "really think thing things made make makes know knows good great best going little without nothing something anybody".split()
)
GROUPS = {
    "critic": {"film", "measured", "skeptic", "teacher", "collector"},
    "chat": {"gush", "chatty", "student", "joker"},
    "folk": {"plain", "terse", "church", "parent", "grumpy", "nostalgic", "ramble", "storyteller"},
}
AGREEING = re.compile(r"\[([^|\]]*)\|([^\]]*)\]")  # [is|are]: the verb for one thing, and for many
TIES = {"pos": ("tie+", "tie"), "mixed": ("tie",), "neg": ("tie-", "tie")}


@dataclass
class Written:
    """A finished review: its text, its title, the lines it drew on."""

    text: str
    title: str
    lines: list[Line]
    runs: set[tuple[str, ...]]
    phrases: set[tuple[str, ...]]


def runs_of(text: str) -> set[tuple[str, ...]]:
    """Return every run of SPAN words of a text."""
    return {run for run in phrases(text, SPAN) if len(run) == SPAN}


def mood(stars: int) -> str:
    """Name the side a rating is on."""
    return "pos" if stars >= 4 else "neg" if stars <= 2 else "mixed"


def medium(rating: Rating, rng: random.Random) -> str:
    """Pick what the film was seen on, as the year allows."""
    year = rating.day.year
    share = {"vhs": max(0.05, min(0.95, (2004 - year) * 0.2)), "dvd": 0.8 if year > 1999 else 0.15}
    share |= {"bluray": 0.25 if year > 2008 else 0.0, "stream": 0.3 if year > 2010 else 0.0, "tv": 0.06}
    return rng.choices(list(share), list(share.values()))[0]


class Composer:
    """Writes the reviews; `used` counts lines over everybody, `said` lines by one person."""

    def __init__(self, people: list[Person], films: list[Film], frames: dict[str, list[Line]], rng: random.Random) -> None:
        self.people = people
        self.films = films
        self.frames = frames
        self.rng = rng
        self.used: Counter[str] = Counter()
        self.said: Counter[tuple[int, str]] = Counter()
        self.spent: set[str] = set()
        self.runs: dict[tuple[str, ...], int] = {}
        self.sentences: set[tuple[int, str]] = set()
        self.phrases: dict[int, set[tuple[str, ...]]] = defaultdict(set)

    def write(self, rating: Rating) -> Written:
        """Write one review: the least repetitive of several tries."""
        best, least = None, None
        for _ in range(TRIES):
            draft = Draft(self, rating).compose()
            cost = self._cost(draft, rating)
            if least is None or cost < least:
                best, least = draft, cost
            if cost == 0:
                break
        assert best is not None
        self._remember(best, rating)
        return best

    def _cost(self, draft: Written, rating: Rating) -> float:
        shared = [self.runs[run] for run in draft.runs if run in self.runs]
        repeated = sum((rating.film, sentence) in self.sentences for sentence in sentences_of(draft.text))
        return sum(1 if film == rating.film else 40 for film in shared) + 4 * repeated

    def _remember(self, draft: Written, rating: Rating) -> None:
        for line in draft.lines:
            self.used[line.text] += 1
            self.said[rating.person, line.text] += 1
            if line.topic == "":
                self.spent.add(line.text)
        self.phrases[rating.film] |= draft.phrases
        self.runs.update({run: rating.film for run in draft.runs if run not in self.runs})
        self.sentences.update((rating.film, sentence) for sentence in sentences_of(draft.text))


def sentences_of(text: str) -> set[str]:
    """Return the sentences of six words and more, in small letters."""
    return {part.strip().lower() for part in re.split(r"[.!?]+", text) if len(part.split()) > 5}


class Draft:
    """One try at one review."""

    def __init__(self, composer: Composer, rating: Rating) -> None:
        self.composer = composer
        self.rng = composer.rng
        self.rating = rating
        self.film = composer.films[rating.film]
        self.person = composer.people[rating.person]
        self.voice: Voice = VOICES.get(self.person.voice, VOICES["plain"])
        self.medium = medium(rating, self.rng)
        self.mood = mood(rating.stars)
        liking = self.person.tastes.get(self.film.genre, 0)
        stance = {1: "fan", -1: "notfan"}.get(liking, "neutral")
        group = next(name for name, voices in GROUPS.items() if self.person.voice in voices)
        self.tags = self.person.tags | {self.medium, self.mood, stance, self.film.genre, group}
        self.phrases: set[tuple[str, ...]] = set()
        self.words: set[str] = set()
        self.own_remarks = {line.text for kind in ("pos", "neg", "quibble") for line in self.film.lines.get(kind, [])}
        self.speaker = Speaker(self.film, self.person, self._slots(), self.rng)
        self.topics: set[str] = set()
        self.frames_used: Counter[str] = Counter()
        self.allowed: dict[str, int] = {}
        self.lines: list[Line] = []

    def _slots(self) -> dict[str, str]:
        one, many = self.film.kind
        disc = {"vhs": "tape", "dvd": "DVD", "bluray": "disc", "stream": "rental", "tv": "DVD"}[self.medium]
        lead = self.film.cast[0]
        slots = {"title": self.film.facts["name"], "genres": many, "genre1": one, "disc": disc, "d": "@d", "a": "@a"}
        slots |= {"hisa": "her" if lead.sex == "f" else "his", "partnerwordx": self.person.slots.get("partnerword", "dad")}
        return slots | self.person.slots

    def compose(self) -> Written:
        """Return a whole review."""
        if self.rating.short:
            parts = [self._part(f"short{self.rating.stars}")]
        else:
            parts = self._body()
        text = finish(" ".join(part for part in parts if part), self.voice, self.person, self.rng)
        title = finish_title(self._title(), self.voice, self.rng)
        return Written(text, title, self.lines, runs_of(text), self.phrases)

    def _body(self) -> list[str]:
        """Lay out head, middle and close; the middle grows until the length aimed at is reached."""
        aim = self.voice.aim(self.rng)
        more = 1 if aim > 75 else 0
        self.allowed = {"moment": 1 + more, "gripe": 1 + more, "actorpos": 1 + more, "actorneg": 1, "quibble": 1}
        stars, rng = self.rating.stars, self.rng
        head = [f"open{stars}"] if rng.random() < self.voice.opens else []
        head += ["premise"] if rng.random() < self.voice.retells else []
        context = rng.random() < self.voice.chats
        if context:
            head.insert(0 if rng.random() < 0.4 else len(head), "tie" if rng.random() < 0.35 else "ctx")
        parts = [self._part(name) for name in head]
        close = [self._part(f"close{stars}")] if rng.random() < self.voice.closes else []
        if rng.random() < 0.07:
            close.insert(0, self._part("disc"))
        plan = self._middle(max(2, round((aim - count(parts) - count(close)) / 14)))
        parts += self._connected(plan)
        while count(parts) + count(close) < 24:
            parts.append(self._part("P" if self.mood == "pos" else "N"))
        return parts + close

    def _middle(self, size: int) -> list[str]:
        stars, rng = self.rating.stars, self.rng
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

    def _connected(self, plan: list[str]) -> list[str]:
        """Say the parts in order, with a word of connection where the side changes and now and then elsewhere."""
        said: list[str] = []
        for position, name in enumerate(plan):
            before = plan[position - 1] if position else ""
            text = self._part(name)
            if not text:
                continue
            turned = bool(before) and before[0] != name[0]
            section = ("turnup" if name[0] in "PG" else "turn") if turned else "link"
            if (turned and self.rng.random() < (0.35 if name == "Q" else 0.6)) or (not turned and before and self.rng.random() < self.voice.links):
                link = self._part(section)
                text = f"{link} {lowered(text)}" if link and link[-1] not in ".!?" else f"{link} {text}".strip()
            said.append(text)
        return said

    def _part(self, name: str) -> str:
        choices = {
            "P": [("pos", 0.6), ("moment" + ("5" if self.rating.stars == 5 else "4"), 0.25), ("actorpos", 0.15)],
            "P3": [("pos", 0.5), ("moment3", 0.4), ("actorpos", 0.1)],
            "G": [("moment3", 0.6), ("pos", 0.15), ("actorpos", 0.25)],
            "N": [("neg", 0.6), ("gripe1" if self.rating.stars == 1 else "gripe3", 0.28), ("actorneg", 0.12)],
            "N3": [("neg", 0.45), ("gripe3", 0.3), ("quibbleline", 0.25)],
            "Q": [("quibbleline", 0.5), ("quibble", 0.5)],
        }.get(name)
        if choices is None:
            return self._line(name)
        order = sorted(choices, key=lambda choice: -(self.rng.random() ** (1 / choice[1])))
        for source, _ in order:
            frame = source.rstrip("1345")
            if self.frames_used[frame] >= self.allowed.get(frame, 99):
                continue
            if text := self._line(source):
                self.frames_used[frame] += 1
                return text
        return ""

    def _line(self, source: str) -> str:
        if source == "tie":
            return self._tie()
        own = {"pos": "pos", "neg": "neg", "quibbleline": "quibble"}.get(source)
        lines = self.film.lines.get(own, []) if own else self.composer.frames.get(source, [])
        for line in self._ranked(lines, own is not None):
            if (text := self._framed(line)) is not None:
                return text
        return ""

    def _tie(self) -> str:
        for kind in TIES[self.mood]:
            for line in self.film.lines.get(kind, []):
                ties = self.composer.said[self.rating.person, "tie"]
                if line.text not in self.composer.spent and ties < 3 and (text := self._say(line, {})) is not None:
                    self.lines += [line, Line("tie", "tie")]
                    return text
        return self._line("ctx")

    def _ranked(self, lines: list[Line], topical: bool) -> list[Line]:
        """Least used first, one's own repetitions counting most, with some chance in it."""
        fitting = [line for line in lines if line.fits(self.tags) and line not in self.lines and not (topical and line.topic in self.topics)]
        used, said, person = self.composer.used, self.composer.said, self.rating.person
        return sorted(fitting, key=lambda line: used[line.text] * (1 if topical else 0.35) + 3 * said[person, line.text] + 2.5 * self.rng.random())

    def _framed(self, line: Line) -> str | None:
        """Say a line, giving its frame a moment, a gripe, a premise or a player where it asks for one."""
        wanted = {"<moment>": "moment", "<gripe>": "gripe", "<premise>": "premise", "<actor>": "actor"}
        extra: dict[str, str] = {}
        drawn: list[Line] = []
        text = line.text
        for slot, kind in wanted.items():
            if slot not in line.text.lower():
                continue
            piece = self._piece(kind)
            if piece is None:
                return None
            many = piece.text.startswith("^")
            extra[kind] = piece.text.removeprefix("^")
            text = AGREEING.sub(lambda found, many=many: found.group(2 if many else 1), text)
            drawn.append(piece)
        said = self._say(Line(text, line.topic, line.conditions), extra)
        if said is not None:
            self.lines += [line, *drawn]
            self.topics |= {piece.topic for piece in [line, *drawn]}
        return said

    def _say(self, line: Line, extra: dict[str, str]) -> str | None:
        """Word a line several ways and keep the one least like what was said of this film before."""
        wordings = []
        loose = line.text in self.own_remarks
        for _ in range(WORDINGS):
            text = loosened(line.text, self.rng, self.voice.apart, 0.22) if loose else line.text
            if (said := self.speaker.spun(line, text, extra)) is not None:
                wordings.append(said)
        if not wordings:
            return None
        known = self.composer.phrases[self.rating.film]
        best = min(wordings, key=lambda said: len(phrases(said, PHRASE) & known))
        words = {word for word in WORD.findall(best.lower()) if len(word) > 3} - PLAIN
        if line.topic and len(words & self.words) > max(1, len(words) // 3):
            return None  # it would say the same thing twice
        self.words |= words
        self.phrases |= phrases(best, PHRASE)
        return self.speaker.named_in(best)

    def _piece(self, kind: str) -> Line | None:
        if kind == "actor":
            free = [letter for letter in "aaabbc" if f"actor-{letter}" not in self.topics]
            letter = self.rng.choice(free) if free else None
            return Line(f"@{letter}", f"actor-{letter}") if letter else None
        lines = self.film.premises if kind == "premise" else self.film.lines.get(kind, [])
        ranked = self._ranked(lines, True)
        return ranked[0] if ranked else None

    def _title(self) -> str:
        own = {"pos": "sum+", "neg": "sum-"}.get(self.mood)
        if own and self.rng.random() < 0.35 and self.film.lines.get(own):
            return self._ranked(self.film.lines[own], False)[0].text
        keep, self.lines = self.lines, []
        self.speaker.named.clear()
        title = self._line(f"sum{self.rating.stars}")
        self.lines = keep + self.lines
        return title


def count(parts: list[str]) -> int:
    """Count the words of several parts."""
    return sum(len(part.split()) for part in parts)

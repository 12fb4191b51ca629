"""Turns one line of material into a sentence: alternatives picked, slots and names filled, case put right.
"""

from __future__ import annotations

import random
import re

from making.material import Film, Line, Person
from making.truth import suits

INNERMOST = re.compile(r"\{([^{}]*)\}")
SLOT = re.compile(r"<(\w+)>")
NAME = re.compile(r"@([abcd])('s)?")
WORD = re.compile(r"[a-z0-9']+")
# A last aside that begins with one of these is the sentence's verb, so it can be neither dropped
# nor set apart.
VERBS = frozenset(
    "almost are beat beats breaks brings broke came can can't carries comes could deserves did do does feels felt finished "
    "gave gets gives got had has have hit holds is keeps kept knocked leaves left look looked looks made make makes nearly "
    "never ought owns pays plays put puts raised reduced rocks said says scared should shows sounds stayed steals still "
    "stole stuck takes tells took turned was wears were will work works would".split()
)
OPENERS = (
    "When ",
    "{When",
    "If ",
    "{If",
    "As ",
    "{As",
    "Every time",
    "Unless",
    "What ",
    "{What",
    "Whether",
    "{Whether",
    "Whoever",
    "For ",
    "{For",
    "An hour",
)
CONNECTIONS = frozenset({"link", "turn", "turnup"})


def spin(text: str, rng: random.Random) -> str:
    """Pick one of each `{a|b}`, inside out."""
    while (found := INNERMOST.search(text)) is not None:
        text = text[: found.start()] + rng.choice(found.group(1).split("|")) + text[found.end() :]
    return text


def loosened(text: str, rng: random.Random, apart: float, dropped: float) -> str:
    """Set a line's last aside apart as a sentence of its own, or leave it out, where the line stands without it.

    An aside is a group of alternatives after a comma at the very end. People do not all hang their
    second thought on a comma, so the material's own habit is broken up here.
    """
    body = text[:-1] if text.endswith(".") else text
    start = body.rfind(", {")
    if start < 0 or not body.endswith("}") or "{" in body[start + 3 :] or text.startswith(OPENERS):
        return text
    options = body[start + 3 : -1].split("|")
    if any(not option or option.split()[0].lower() in VERBS or "," in option[:2] for option in options):
        return text
    kept = body[:start]
    draw = rng.random()
    if draw < dropped and len(spin(kept, random.Random(0)).split()) > 6:
        return kept + "."
    if draw < dropped + apart and kept[-1] not in ".!?":
        return kept + ". {" + "|".join(option[0].upper() + option[1:] for option in options) + "}."
    return text


def capitalised(text: str) -> str:
    """Return the text with its first letter large."""
    for position, letter in enumerate(text):
        if letter in "@&":
            break
        if letter.isalpha():
            return text[:position] + letter.upper() + text[position + 1 :]
        if letter.isdigit():
            break
    return text


def lowered(text: str, small: frozenset[str]) -> str:
    """Return the text with its first letter small if its first word is one of the words written small.
    """
    first = re.split(r"[ ,.!?]", text, maxsplit=1)[0]
    plain = first.lower() in small or first.split("'")[0].lower() in small
    return text[0].lower() + text[1:] if plain and first[1:].islower() and first[:2] != "I'" else text


def tidied(text: str) -> str:
    """Return the text with single spaces, none before a mark, and no mark after a mark, dots in a row aside.
    """
    text = re.sub(r" ([.,!?])", r"\1", re.sub(r" +", " ", text.strip()))
    return re.sub(r"(?<!\.)([.!?])[.,](?!\.)", r"\1", text)


def ended(text: str) -> str:
    """Return the text with a full stop if it ends with no mark of its own."""
    return text if text[-1] in '.!?,:")*' else text + "."


def phrases(text: str, length: int) -> set[tuple[str, ...]]:
    """Return every run of so many words; a shorter text is one run."""
    words = WORD.findall(text.lower())
    if len(words) <= length:
        return {tuple(words)}
    return {tuple(words[start : start + length]) for start in range(len(words) - length + 1)}


class Speaker:
    """One review's memory of what was named: players by full name first, by surname after."""

    def __init__(self, film: Film, person: Person, slots: dict[str, str], rng: random.Random) -> None:
        self.film = film
        self.person = person
        self.slots = slots
        self.rng = rng
        self.named: set[str] = set()
        self.last = ""

    def spun(self, line: Line, text: str, extra: dict[str, str]) -> str | None:
        """Return one wording of the line, players' names still as marks, or None if this person cannot say it.
        """
        slots = {**self.slots, **extra}
        for _ in range(6):
            said = spin(text, self.rng)
            if any(name not in slots and name.lower() not in slots for name in SLOT.findall(said)):
                continue
            said = spin(SLOT.sub(lambda found: self._slot(found.group(1), slots), said), self.rng)
            if suits(said, self.person):
                said = tidied(said)
                return capitalised(said if line.topic in CONNECTIONS else ended(said))
        return None

    def named_in(self, text: str) -> str:
        """Return the text with the marks for players replaced by names."""
        if not NAME.search(text):
            self.last = ""
        return capitalised(NAME.sub(lambda found: self._name(found.group(1), found.group(2) or "", text), text))

    def _slot(self, name: str, slots: dict[str, str]) -> str:
        value = slots.get(name) or slots[name.lower()]
        return value if name in slots or value[0] == "@" else capitalised(value)

    def _name(self, letter: str, possessive: str, text: str) -> str:
        if letter == "d":
            full, character, sex = self.film.facts["director"], "", ""
        else:
            actor = self.film.cast["abc".index(letter)]
            full, character, sex = actor.name, actor.character, actor.sex
        again = letter in self.named and letter == self.last
        self.last = letter
        following = text[3:].split(" ", 1)[0]
        verb = (
            following in VERBS
            or (following.endswith("s") and following not in {"as", "his", "this"})
            or following in {"never", "hardly", "only"}
        )
        if again and text.startswith(f"@{letter} ") and verb and text.count("@") == 1 and self.rng.random() < 0.75:
            return {"m": "He", "f": "She"}[sex] if sex else full.split(" ")[-1]
        if letter in self.named:
            return full.split(" ")[-1] + possessive
        self.named.add(letter)
        by_part = character[:1].isupper() and not possessive and character.split()[-1] not in text and f"@{letter} as " not in text
        if by_part and f"@{letter}," not in text and self.person.voice not in {"film", "collector", "measured"} and self.rng.random() < 0.3:
            words = {"m": ("the guy who plays", "the man playing"), "f": ("the woman who plays", "the actress playing")}[sex]
            return f"{self.rng.choice(words)} {character}"
        return full + possessive
